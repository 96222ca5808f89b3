import assert from "node:assert/strict";
import { BadValue } from "#config";
import { parseGatewayConfiguration } from "#mabr";
import {
  nipUris,
  parseNetworkInformationFile,
  parseServiceInformationFile,
  parseServiceListEntryPoints,
} from "#nip";
import { announcedDocuments } from "./announcement.ts";
import { filesOfInstallation, readInstallation } from "./installation.ts";

const shipped = await Deno.readTextFile(new URL("headend/nip.json", import.meta.url));
const installation = readInstallation(shipped, "nip.json");

const carriage = {
  group: { hostname: "239.255.1.1", port: 5001 },
  bitsPerSecond: 61e6,
  repair: [],
  serviceListKey: "/dvbi/services.xml",
  services: [{
    identifier: "tag:example.org,2026:one",
    manifests: [
      { id: "m1", contentType: "application/vnd.apple.mpegurl", key: "/one/index.m3u8" },
    ],
    streams: [],
  }],
  files: [{ key: "/vod/film 1.mp4", cycleMs: 3_600_000 }],
};
const group = { hostname: "224.0.23.14", port: 3937 };
const updatedMs = Date.UTC(2026, 0, 1);

/** A document as the box reads it. */
function announced(uri: string): string {
  const found = announcedDocuments(installation, { carriage, group }).find((one) => {
    return one.uri === uri;
  });
  assert.ok(found);
  return found.write(updatedMs);
}

Deno.test("the shipped installation is the one that the documents describe", () => {
  const nif = parseNetworkInformationFile(announced(nipUris.networkInformationFile));
  assert.ok(typeof nif !== "string");
  const { actualBroadcastNetwork: { nipStreams: [stream], ...network } } = nif;
  assert.deepEqual([nif.versionUpdateMs, nif.remarks], [updatedMs, []]);
  assert.deepEqual(network, {
    networkType: "Satellite",
    networkName: "Downlink",
    nipNetworkProviderName: "Downlink",
    orbitalPositionDegrees: 13,
    nipNetworkId: 1001,
  });
  assert.deepEqual(stream, {
    linkLayerFormat: "TS",
    nipStreamProviderName: "Downlink",
    nipCarrierId: 1,
    nipLinkId: 1,
    nipServiceId: 5001,
    bootstrapStream: { bootstrapType: "Physical Network", status: "Active" },
    delivery: {
      kind: "dvbs2",
      receiverProfiles: "Broadcast services",
      frequencyKhz: 11_727_500,
      polarization: "vertical",
      modulationType: "8PSK",
      rollOff: "0.20",
      symbolRateKs: 27_500,
      fec: "3/4",
      inputStreamIdentifier: 0,
    },
  });
});

Deno.test("the service information names what is carried, the entry points where the list is", () => {
  const sif = parseServiceInformationFile(announced(nipUris.serviceInformationFile));
  assert.ok(typeof sif !== "string");
  assert.deepEqual(sif.broadcastMediaStreams, [{
    nipNetworkId: 1001,
    nipCarrierId: 1,
    nipLinkId: 1,
    nipServiceId: 5001,
    uris: [
      "http://dvb.gw/dvbi/services.xml",
      "http://dvb.gw/one/index.m3u8",
      "http://dvb.gw/vod/film 1.mp4",
    ],
    interactiveApplications: [],
  }]);
  const slep = parseServiceListEntryPoints(announced(nipUris.serviceListEntryPoints));
  assert.ok(typeof slep !== "string");
  const [{ serviceListOfferings: [{ serviceListUris, targetCountries }] }] = slep.providerOfferings;
  assert.deepEqual(serviceListUris, [
    { uri: "http://dvb.gw/dvbi/services.xml", contentType: "application/vnd.dvb.dvbisl+xml" },
  ]);
  assert.deepEqual(targetCountries, ["LUX"]);
});

Deno.test("the bootstrap names the media group's configuration session and the announcement itself", () => {
  const bootstrap = parseGatewayConfiguration(announced(nipUris.bootstrap));
  assert.ok(typeof bootstrap !== "string");
  const sessions = bootstrap.multicastGatewayConfigurationTransportSessions;
  assert.deepEqual(sessions.map(({ endpointAddresses: [address] }) => Object.values(address)), [
    ["239.255.1.1", 5001, 1],
    ["224.0.23.14", 3937, 0],
  ]);
  assert.deepEqual(bootstrap.multicastSessions, []);
});

Deno.test("items become files of the carousel: texts encoded, video as it is", () => {
  const files = filesOfInstallation(installation);
  assert.deepEqual(
    files.map(({ key, priority, acquisitionMs, maxAgeSeconds, contentEncoding }) => [
      key,
      priority,
      acquisitionMs,
      maxAgeSeconds,
      contentEncoding,
    ]),
    [
      ["/metadata/catalogue.json", 0, 3_600_000, 604_800, "gzip"],
      ["/epg/schedule.xml", 1, 3_600_000, 86_400, "gzip"],
      ["/vod/film-1.mp4", 5, 3_600_000, 2_592_000, undefined],
    ],
  );
});

// What somebody may write, and the sentence that it gets.
const rows: { change: (file: Record<string, Record<string, unknown>>) => void; need: RegExp }[] = [
  {
    change: ({ network }) => network.id = 0,
    need: /need a whole number from 1 to 65280 as network\.id in nip\.json: received 0$/,
  },
  {
    change: ({ network }) => network.id = "1001",
    need: /need number as network\.id in nip\.json: received "1001"$/,
  },
  { change: ({ network }) => delete network.name, need: /need "name" as network\.name/ },
  {
    change: ({ network }) => network.nmae = "x",
    need: /need no such key as network\.nmae in nip\.json: received "nmae"$/,
  },
  {
    change: ({ carrier }) => carrier.frequencyMhz = 11727.5001,
    need: /need a multiple of 0\.01 as carrier\.frequencyMhz/,
  },
  { change: ({ carrier }) => carrier.modulation = "64QAM", need: /as carrier\.modulation/ },
  { change: ({ carrier }) => carrier.fec = "3:4", need: /need a code rate such as 3\/4 as/ },
  {
    change: ({ carousel }) => carousel.items = [{ type: "epg", path: "epg.xml" }],
    need: /need a path that begins with \/ as carousel\.items\.0\.path/,
  },
  {
    change: ({ carousel }) => carousel.items = [{ type: "epg", path: "/a", priority: 10 }],
    need: /need a whole number from 0 to 9 as carousel\.items\.0\.priority/,
  },
];

for (const { change, need } of rows) {
  Deno.test(`an installation is refused in one sentence: ${need.source}`, () => {
    const file = JSON.parse(shipped);
    change(file);
    assert.throws(() => readInstallation(JSON.stringify(file), "nip.json"), (error) => {
      assert.ok(error instanceof BadValue);
      assert.match(error.message, /^Cannot use --nip: need [^\n]*: received [^\n]*[^.]$/);
      assert.match(error.message, need);
      return true;
    });
  });
}

Deno.test("what is no JSON is refused in one sentence", () => {
  assert.throws(
    () => readInstallation("{", "x.json"),
    { message: /^Cannot use --nip: need a JSON file: received x\.json \([^\n]*\)$/ },
  );
});
