import assert from "node:assert/strict";
import { parseGatewayConfiguration } from "#mabr";
import { channelId, isMulticast, lineupOf } from "./channels.ts";

const flute = "urn:dvb:metadata:cs:MulticastTransportProtocolCS:2019:FLUTE";

/** A transport session's inside, with what a row changes. */
function inside(
  {
    protocol = flute,
    version = 1,
    group = "239.255.60.1",
    port = "5001",
    tsi = "10",
    source = "",
  } = {},
) {
  return `<TransportProtocol protocolIdentifier="${protocol}" protocolVersion="${version}"/>
    <EndpointAddress>${source && `<NetworkSourceAddress>${source}</NetworkSourceAddress>`}
      <NetworkDestinationGroupAddress>${group}</NetworkDestinationGroupAddress>
      <TransportDestinationPort>${port}</TransportDestinationPort>
      ${tsi && `<MediaTransportSessionIdentifier>${tsi}</MediaTransportSessionIdentifier>`}
    </EndpointAddress><BitRate maximum="4000000"/>`;
}

function document({ bootstrap = "", sessions = "" }): string {
  return `<MulticastGatewayConfiguration xmlns="urn:dvb:metadata:MulticastSessionConfiguration:2024"
    schemaVersion="2">${bootstrap}${
    sessions &&
    `<MulticastSession serviceIdentifier="tag:example.org,2026:one">
      <PresentationManifestLocator manifestId="m" contentType="application/dash+xml">http://x/m.mpd</PresentationManifestLocator>
      ${sessions}</MulticastSession>`
  }</MulticastGatewayConfiguration>`;
}

function lineup(xml: string) {
  const configuration = parseGatewayConfiguration(xml);
  assert.ok(typeof configuration === "object", String(configuration));
  return lineupOf(configuration);
}

const session = (body: string, attributes = "") =>
  `<MulticastTransportSession id="v1" sessionIdleTimeout="5000" ${attributes}>${body}</MulticastTransportSession>`;

Deno.test("lineupOf() reads a full document", () => {
  const repair =
    `<UnicastRepairParameters transportObjectBaseURI="http://dvb.gw/" fixedBackOffPeriod="10"
    transportObjectReceptionTimeout="500" randomBackOffPeriod="200"><BaseURL relativeWeight="2">http://edge/</BaseURL></UnicastRepairParameters>`;
  const { channels, refused } = lineup(document({
    bootstrap: `<MulticastGatewayConfigurationTransportSession>${
      inside({ tsi: "1" })
    }</MulticastGatewayConfigurationTransportSession>`,
    sessions: session(inside({ source: "192.0.2.1" }) + repair),
  }));
  assert.deepEqual(refused, []);
  assert.deepEqual(channels.map(channelId), ["239.255.60.1:5001/1", "239.255.60.1:5001/10"]);
  assert.equal(channels[0].service, undefined);
  assert.deepEqual(channels[1], {
    name: "v1",
    service: "tag:example.org,2026:one",
    group: "239.255.60.1",
    port: 5001,
    tsi: 10,
    sourceAddress: "192.0.2.1",
    idleTimeoutMs: 5000,
    repair: {
      baseUrls: [{ url: "http://edge/", weight: 2 }],
      objectBaseUri: "http://dvb.gw/",
      receptionTimeoutMs: 500,
      fixedMs: 10,
      randomMs: 200,
    },
  });
});

Deno.test("lineupOf() reads a bootstrap", () => {
  const { channels } = lineup(document({
    bootstrap: `<MulticastGatewayConfigurationTransportSession>${
      inside({ tsi: "0" })
    }</MulticastGatewayConfigurationTransportSession>`,
  }));
  assert.deepEqual(channels.map(({ name, tsi, idleTimeoutMs }) => ({ name, tsi, idleTimeoutMs })), [
    { name: "configuration", tsi: 0, idleTimeoutMs: 10_000 },
  ]);
});

// What we do not receive, each for its reason.
const refusals = [
  { xml: session(inside({ protocol: flute.replace("FLUTE", "ROUTE") })), why: "other_protocol" },
  { xml: session(inside({ version: 2 })), why: "other_version" },
  { xml: session(inside(), 'transmissionMode="chunked"'), why: "chunked_mode" },
  { xml: session(inside(), 'serviceClass="urn:x"'), why: "unknown_service_class" },
  { xml: session(inside({ group: "ff0e::1" })), why: "no_usable_endpoint" },
  { xml: session(inside({ tsi: "" })), why: "no_usable_endpoint" },
];

for (const { xml, why } of refusals) {
  Deno.test(`lineupOf() leaves a session alone: ${why}`, () => {
    const { channels, refused } = lineup(document({ sessions: xml }));
    assert.deepEqual(channels, []);
    assert.deepEqual(refused, [{ name: "v1", why }]);
  });
}

Deno.test("lineupOf() takes the first alternative that it can receive, and each session once", () => {
  const both = inside({ group: "ff0e::1" }).replace(
    "<BitRate",
    `${/<EndpointAddress>[^]*<\/EndpointAddress>/.exec(inside())}<BitRate`,
  );
  const { channels } = lineup(document({ sessions: session(both) + session(inside()) }));
  assert.deepEqual(channels.map(channelId), ["239.255.60.1:5001/10"]);
});

Deno.test("isMulticast() knows groups from hosts", () => {
  assert.ok(isMulticast("224.0.0.1") && isMulticast("239.255.60.1"));
  assert.ok(!isMulticast("127.0.0.1") && !isMulticast("240.0.0.1"));
});
