import assert from "node:assert/strict";
import {
  encodeGatewayConfiguration,
  gatewayConfigurationUri,
  parseGatewayConfiguration,
} from "#mabr";
import {
  bootstrapConfiguration,
  type Carriage,
  gatewayConfiguration,
} from "./gateway_configuration.ts";

const carriage: Carriage = {
  group: { hostname: "239.255.1.1", port: 5001 },
  bitsPerSecond: 61_187_500.4,
  repair: [new URL("http://edge.example:8080"), new URL("http://other.example/cdn/")],
  serviceListKey: "/dvbi/services.xml",
  services: [{
    identifier: "tag:example.org,2026:one",
    manifests: [
      { id: "m1", contentType: "application/vnd.apple.mpegurl", key: "/one/master.m3u8?a=$1" },
    ],
    streams: [
      {
        tsi: 10,
        components: [
          {
            type: "hls",
            manifestIdRef: "m1",
            mediaPlaylistLocator: "http://dvb.gw/one/video.m3u8",
          },
          {
            type: "dash",
            manifestIdRef: "m2",
            periodIdentifier: "p0",
            adaptationSetIdentifier: "1",
            representationIdentifier: "v1",
          },
        ],
        hasInit: true,
        averageBitsPerSecond: 900_000,
      },
    ],
  }],
  files: [{ key: "/files/guide.xml", cycleMs: 3_600_000 }],
};

Deno.test("the configuration survives its own encoding", () => {
  const configuration = gatewayConfiguration(carriage);
  const parsed = parseGatewayConfiguration(encodeGatewayConfiguration(configuration));
  assert.ok(typeof parsed !== "string");
  assert.deepEqual(parsed.remarks, []);
  const { multicastSessions, multicastGatewayConfigurationTransportSessions: own } = parsed;
  const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
  assert.deepEqual(plain(multicastSessions), plain(configuration.multicastSessions));
  assert.deepEqual(
    plain(own),
    plain(configuration.multicastGatewayConfigurationTransportSessions),
  );
});

Deno.test("a media session says where it is sent, what it carries and where to repair it", () => {
  const [{ presentationManifestLocators: [manifest], multicastTransportSessions: [session] }] =
    gatewayConfiguration(carriage).multicastSessions;
  assert.equal(manifest.transportObjectURI, "http://dvb.gw/one/master.m3u8?a=$1");
  assert.equal(manifest.contentPlaybackPathPattern, "/one/master.m3u8");
  assert.equal(manifest.url, "http://edge.example:8080/one/master.m3u8?a=$1");
  assert.deepEqual(session.endpointAddresses, [{
    networkDestinationGroupAddress: "239.255.1.1",
    transportDestinationPort: 5001,
    mediaTransportSessionIdentifier: 10,
  }]);
  assert.equal(session.bitRate?.maximumBitsPerSecond, 61_187_500);
  assert.equal(session.unicastRepairParameters?.transportObjectBaseURI, "http://dvb.gw/");
  assert.deepEqual(
    session.unicastRepairParameters?.baseURLs.map(({ url }) => url),
    ["http://edge.example:8080/", "http://other.example/cdn/"],
  );
});

Deno.test("the bootstrap names the configuration, the service list and the files, and no service", () => {
  const bootstrap = bootstrapConfiguration(carriage);
  assert.deepEqual(bootstrap.multicastSessions, []);
  const [session] = bootstrap.multicastGatewayConfigurationTransportSessions;
  assert.equal(session.endpointAddresses[0].mediaTransportSessionIdentifier, 1);
  assert.deepEqual(session.objectCarousel?.resourceLocators.map(({ uri }) => uri), [
    gatewayConfigurationUri,
    "http://dvb.gw/dvbi/services.xml",
    "http://dvb.gw/files/guide.xml",
  ]);
});

Deno.test("without a road back there is no repair, and the manifest is known by its path", () => {
  const alone = gatewayConfiguration({ ...carriage, repair: [] });
  const [{ presentationManifestLocators: [manifest], multicastTransportSessions: [session] }] =
    alone.multicastSessions;
  assert.equal(manifest.url, "");
  assert.equal(session.unicastRepairParameters, undefined);
  assert.ok(encodeGatewayConfiguration(alone).includes("/one/master.m3u8"));
});
