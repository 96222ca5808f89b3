import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeGatewayConfiguration } from "./encode.ts";
import type { GatewayConfiguration } from "./model.ts";
import { transportProtocols } from "./model.ts";
import { type ParsedGatewayConfiguration, parseGatewayConfiguration } from "./parse.ts";

/** One service: in-band DASH manifest, repair, a carousel of init segments. */
const oneService = `<MulticastGatewayConfiguration
  xmlns="urn:dvb:metadata:MulticastSessionConfiguration:2024"
  xmlns:ext="urn:dvb:metadata:Extensibility:2024"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ext:schemaVersion="2">
 <MulticastSession serviceIdentifier="tag:example.org,2026:one" contentPlaybackAvailabilityOffset="PT2S">
  <PresentationManifestLocator manifestId="m1" contentType="application/dash+xml"
    transportObjectURI="http://dvb.gw/example.org/one/m.mpd"
    contentPlaybackPathPattern="*/example.org/one/m.mpd">http://cdn.example.org/one/m.mpd</PresentationManifestLocator>
  <MulticastTransportSession id="v1" transmissionMode="resource" transportSecurity="integrity" sessionIdleTimeout="10000">
   <TransportProtocol protocolIdentifier="urn:dvb:metadata:cs:MulticastTransportProtocolCS:2019:FLUTE" protocolVersion="1"/>
   <EndpointAddress><NetworkSourceAddress>192.0.2.10</NetworkSourceAddress>
     <NetworkDestinationGroupAddress>232.1.1.1</NetworkDestinationGroupAddress>
     <TransportDestinationPort>6001</TransportDestinationPort>
     <MediaTransportSessionIdentifier>10</MediaTransportSessionIdentifier></EndpointAddress>
   <BitRate average="3000000" maximum="4000000"/>
   <UnicastRepairParameters transportObjectBaseURI="http://dvb.gw/example.org/"
     transportObjectReceptionTimeout="500" fixedBackOffPeriod="10" randomBackOffPeriod="200">
     <BaseURL relativeWeight="1">http://repair.example.org/</BaseURL></UnicastRepairParameters>
   <ObjectCarousel><PresentationManifests targetAcquisitionLatency="PT1S"/><InitSegments targetAcquisitionLatency="PT1S"/></ObjectCarousel>
   <ServiceComponentIdentifier xsi:type="DASHComponentIdentifierType" manifestIdRef="m1" periodIdentifier="p0" adaptationSetIdentifier="1" representationIdentifier="V1"/>
  </MulticastTransportSession>
 </MulticastSession>
</MulticastGatewayConfiguration>`;

const oneServiceRead: ParsedGatewayConfiguration = {
  schemaVersion: 2,
  multicastGatewayConfigurationTransportSessions: [],
  multicastSessions: [{
    serviceIdentifier: "tag:example.org,2026:one",
    contentPlaybackAvailabilityOffsetMs: 2000,
    presentationManifestLocators: [{
      manifestId: "m1",
      contentType: "application/dash+xml",
      transportObjectURI: "http://dvb.gw/example.org/one/m.mpd",
      contentPlaybackPathPattern: "*/example.org/one/m.mpd",
      url: "http://cdn.example.org/one/m.mpd",
    }],
    multicastTransportSessions: [{
      id: "v1",
      transmissionMode: "resource",
      transportSecurity: "integrity",
      sessionIdleTimeoutMs: 10_000,
      transportProtocol: { protocolIdentifier: transportProtocols.flute, protocolVersion: 1 },
      endpointAddresses: [{
        networkSourceAddress: "192.0.2.10",
        networkDestinationGroupAddress: "232.1.1.1",
        transportDestinationPort: 6001,
        mediaTransportSessionIdentifier: 10,
      }],
      bitRate: { averageBitsPerSecond: 3_000_000, maximumBitsPerSecond: 4_000_000 },
      unicastRepairParameters: {
        transportObjectBaseURI: "http://dvb.gw/example.org/",
        transportObjectReceptionTimeoutMs: 500,
        fixedBackOffPeriodMs: 10,
        randomBackOffPeriodMs: 200,
        baseURLs: [{ url: "http://repair.example.org/", relativeWeight: 1 }],
      },
      objectCarousel: {
        presentationManifests: [{ targetAcquisitionLatencyMs: 1000 }],
        initSegments: [{ targetAcquisitionLatencyMs: 1000 }],
        resourceLocators: [],
      },
      serviceComponentIdentifiers: [{
        type: "dash",
        manifestIdRef: "m1",
        periodIdentifier: "p0",
        adaptationSetIdentifier: "1",
        representationIdentifier: "V1",
      }],
    }],
  }],
  remarks: [],
};

function parsed(document: string | Uint8Array): ParsedGatewayConfiguration {
  const configuration = parseGatewayConfiguration(document);
  if (typeof configuration === "string") assert.fail(`refused: ${configuration}`);
  return configuration;
}

Deno.test("parseGatewayConfiguration() reads a service with manifest, repair and carousel", () => {
  assert.deepEqual(parsed(oneService), oneServiceRead);
  assert.deepEqual(parsed(new TextEncoder().encode(oneService)), oneServiceRead);
});

Deno.test("a configuration that was read is written and read again unchanged", () => {
  assert.deepEqual(parsed(encodeGatewayConfiguration(oneServiceRead)), oneServiceRead);
});

const bootstrapUrl = new URL("../../../shared/vectors/nip/ses-bootstrap.xml", import.meta.url);
const bootstrap = await Deno.readTextFile(bootstrapUrl).catch(() => undefined);
const absent = bootstrap === undefined ? " (skipped: ../shared/vectors is absent)" : "";

Deno.test({
  name: `parseGatewayConfiguration() reads a satellite's bootstrap document${absent}`,
  ignore: bootstrap === undefined,
  fn() {
    const configuration = parsed(bootstrap!);
    assert.deepEqual(configuration.remarks, []);
    assert.equal(configuration.schemaVersion, 2);
    assert.equal(configuration.validUntilMs, Date.UTC(2099, 5, 26, 7, 1, 50));
    assert.deepEqual(configuration.multicastSessions, []);
    const sessions = configuration.multicastGatewayConfigurationTransportSessions;
    assert.equal(sessions.length, 14);
    assert.deepEqual(sessions[0].endpointAddresses, [{
      networkSourceAddress: "192.168.200.180",
      networkDestinationGroupAddress: "224.0.23.14",
      transportDestinationPort: 3937,
      mediaTransportSessionIdentifier: 0,
    }]);
    assert.deepEqual(sessions[0].objectCarousel?.resourceLocators[0], {
      uri: "urn:dvb:metadata:nativeip:ServiceGuide",
      targetAcquisitionLatencyMs: 5005,
    });
    assert.deepEqual(sessions[1].objectCarousel?.presentationManifests[2], {
      targetAcquisitionLatencyMs: 1000,
      serviceIdRef: "tag:ses.com,2024:C1.3",
    });
    assert.deepEqual(sessions[2].tags, ["http://dvb.gw/ses.com/dvbi/cg/CoreSet"]);
    assert.equal(sessions[2].serviceClass, "urn:dvb:metadata:nativeip:ContentGuide");
    const locators = sessions.flatMap((session) => session.objectCarousel?.resourceLocators ?? []);
    assert.equal(locators.length, bootstrap!.match(/<ResourceLocator /g)!.length);
    assert.deepEqual(parsed(encodeGatewayConfiguration(configuration)), configuration);
  },
});

const protocol = `<TransportProtocol protocolIdentifier="${transportProtocols.flute}"/>`;
const endpoint = "<EndpointAddress>" +
  "<NetworkDestinationGroupAddress>239.255.1.1</NetworkDestinationGroupAddress>" +
  "<TransportDestinationPort>5001</TransportDestinationPort></EndpointAddress>";
const namespace = "urn:dvb:metadata:MulticastSessionConfiguration:2024";

function withSessions(sessions: string, attributes = `xmlns="${namespace}"`): string {
  return `<MulticastGatewayConfiguration ${attributes}><MulticastSession serviceIdentifier="s">` +
    `${sessions}</MulticastSession></MulticastGatewayConfiguration>`;
}

// One row for each way in which a session is of no use; the good one beside it must stay.
const uselessSessions = [
  {
    reason: "unknown_protocol",
    xml: `<MulticastTransportSession id="x">${
      protocol.replace(":FLUTE", ":PIGEON")
    }${endpoint}</MulticastTransportSession>`,
  },
  {
    reason: "no_protocol",
    xml: `<MulticastTransportSession id="x">${endpoint}</MulticastTransportSession>`,
  },
  {
    reason: "no_endpoint",
    xml: `<MulticastTransportSession id="x">${protocol}</MulticastTransportSession>`,
  },
  {
    reason: "no_endpoint",
    xml: `<MulticastTransportSession id="x">${protocol}${
      endpoint.replace("239.255.1.1", "239.255.1.256")
    }</MulticastTransportSession>`,
  },
  {
    reason: "no_endpoint",
    xml: `<MulticastTransportSession id="x">${protocol}${
      endpoint.replace("5001", "65536")
    }</MulticastTransportSession>`,
  },
];

for (const { reason, xml } of uselessSessions) {
  Deno.test(`parseGatewayConfiguration() leaves out one session: ${reason}, ${xml.length}`, () => {
    const good = `<MulticastTransportSession id="good">${protocol}${endpoint}` +
      "</MulticastTransportSession>";
    const { multicastSessions, remarks } = parsed(withSessions(xml + good));
    const ids = multicastSessions[0].multicastTransportSessions.map(({ id }) => id);
    assert.deepEqual(ids, ["good"]);
    assert.deepEqual(remarks, [{ reason, subject: "MulticastTransportSession x" }]);
  });
}

const forms = [
  `xmlns="${namespace}" schemaVersion="2"`,
  `xmlns="${namespace}" xmlns:ext="urn:dvb:metadata:Extensibility:2024" ext:schemaVersion="2"`,
];
for (const attributes of forms) {
  Deno.test(`parseGatewayConfiguration() reads the version from ${attributes.slice(-24)}`, () => {
    assert.equal(parsed(withSessions("", attributes)).schemaVersion, 2);
  });
}

const namespaces = [
  `xmlns="urn:dvb:metadata:MulticastSessionConfiguration:2019"`,
  `xmlns="urn:dvb:metadata:MulticastSessionConfiguration:2023"`,
  "",
];
for (const attributes of namespaces) {
  Deno.test(`parseGatewayConfiguration() reads a root with ${attributes || "no namespace"}`, () => {
    const session = `<MulticastTransportSession id="a">${protocol}${endpoint}` +
      "</MulticastTransportSession>";
    const { multicastSessions } = parsed(withSessions(session, attributes));
    assert.equal(multicastSessions[0].multicastTransportSessions.length, 1);
  });
}

Deno.test("parseGatewayConfiguration() goes by namespace, not by prefix", () => {
  const { multicastSessions } = parsed(
    `<m:MulticastGatewayConfiguration xmlns:m="${namespace}" xmlns:x="urn:example:extension">
       <x:MulticastSession serviceIdentifier="extension"/>
       <m:MulticastSession serviceIdentifier="ours"/>
       <MulticastSession serviceIdentifier="nobody's"/>
     </m:MulticastGatewayConfiguration>`,
  );
  const identifiers = multicastSessions.map(({ serviceIdentifier }) => serviceIdentifier);
  assert.deepEqual(identifiers, ["ours"]);
});

const hopeless = [
  { word: "not_well_formed", document: "" },
  { word: "not_well_formed", document: "<MulticastGatewayConfiguration>" },
  { word: "not_well_formed", document: "<a/><b/>" },
  { word: "not_well_formed", document: "<__proto__/>" },
  { word: "wrong_root", document: "<MulticastServerConfiguration/>" },
  { word: "not_utf8", document: Uint8Array.of(0x3C, 0xFF) },
  { word: "too_deep", document: "<a>".repeat(40) + "</a>".repeat(40) },
  { word: "too_large", document: " ".repeat(2 ** 20) + "<a/>" },
  {
    word: "doctype",
    document: `<!DOCTYPE m [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><m>&b;</m>`,
  },
];
for (const { word, document } of hopeless) {
  Deno.test(`parseGatewayConfiguration() refuses ${word}: ${String(document).slice(0, 20)}`, () => {
    assert.equal(parseGatewayConfiguration(document), word);
  });
}

Deno.test("parseGatewayConfiguration() survives anything a stranger sends", () => {
  const cut = fc.nat(oneService.length);
  fc.assert(fc.property(fc.oneof(fc.string(), fc.uint8Array()), (noise) => {
    parseGatewayConfiguration(noise);
  }));
  fc.assert(fc.property(cut, cut, fc.string({ unit: "binary" }), (from, to, noise) => {
    parseGatewayConfiguration(oneService.slice(0, from) + noise + oneService.slice(to));
  }));
});

/** Text that survives trimming and has what XML must escape. */
const text = fc.string({
  unit: fc.constantFrom(..."ab<>&\"' \t\n/:$?\u{e9}\u{20ac}\u{1f600}"),
  minLength: 1,
})
  .map((s) => `x${s}x`);
const count = fc.nat(2 ** 40);
const port = fc.integer({ min: 1, max: 65_535 });
const moment = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) });

/** A record some of whose keys may be absent, but never present and undefined. */
function record<T>(required: { [K in keyof T]: fc.Arbitrary<T[K]> }, optional: object = {}) {
  return fc.record({ ...required, ...optional }, {
    requiredKeys: Object.keys(required) as never[],
    noNullPrototype: true,
  });
}

const endpointAddress = record({
  networkDestinationGroupAddress: fc.oneof(fc.ipV4(), fc.constantFrom("ff15::1", "FF02::12D")),
  transportDestinationPort: port,
}, { networkSourceAddress: fc.ipV4(), mediaTransportSessionIdentifier: count });
const reference = record({}, {
  targetAcquisitionLatencyMs: count,
  compressionPreferred: fc.boolean(),
  serviceIdRef: text,
});
const reporting = fc.array(
  record({
    url: text,
    proportion: fc.constantFrom(0.25, 1),
    periodMs: count,
    randomDelayMs: count,
    reportSessionRunningEvents: fc.boolean(),
  }),
  { minLength: 1, maxLength: 2 },
);
const few = { maxLength: 2 };
const shared = {
  transportProtocol: record({
    protocolIdentifier: fc.constantFrom(...Object.values(transportProtocols)),
    protocolVersion: fc.integer({ min: 1, max: 9 }),
  }),
  endpointAddresses: fc.array(endpointAddress, { minLength: 1, maxLength: 2 }),
};
const sharedOptional = {
  serviceClass: text,
  transportSecurity: fc.constantFrom("none", "integrity", "integrityAndAuthenticity"),
  sessionIdleTimeoutMs: count,
  bitRate: record({ maximumBitsPerSecond: count }, { averageBitsPerSecond: count }),
  forwardErrorCorrectionParameters: fc.array(
    record({
      schemeIdentifier: text,
      overheadPercentage: fc.nat(300),
      endpointAddresses: fc.array(endpointAddress, few),
    }),
    { minLength: 1, maxLength: 2 },
  ),
  unicastRepairParameters: record({
    fixedBackOffPeriodMs: count,
    randomBackOffPeriodMs: count,
    baseURLs: fc.array(record({ url: text, relativeWeight: fc.nat(9) }), few),
  }, { transportObjectBaseURI: text, transportObjectReceptionTimeoutMs: count }),
  objectCarousel: record({
    presentationManifests: fc.array(reference, few),
    initSegments: fc.array(reference, few),
    resourceLocators: fc.array(record({ uri: text }, { revalidationPeriodMs: count }), few),
  }, { aggregateTransportSizeBytes: count, aggregateContentSizeBytes: count }),
};
const component = fc.oneof(
  record({
    type: fc.constant("dash"),
    manifestIdRef: text,
    periodIdentifier: text,
    adaptationSetIdentifier: text,
    representationIdentifier: text,
  }),
  record({ type: fc.constant("hls"), manifestIdRef: text, mediaPlaylistLocator: text }),
  record({ type: fc.constant("generic"), manifestIdRef: text, componentIdentifier: text }),
);
const configuration = record({
  multicastGatewayConfigurationTransportSessions: fc.array(
    record(shared, {
      ...sharedOptional,
      tags: fc.array(fc.webUrl(), { minLength: 1, maxLength: 2 }),
      multicastGatewayConfigurationMacros: fc.array(record({ key: text, value: text }), {
        minLength: 1,
        maxLength: 2,
      }),
    }),
    few,
  ),
  multicastSessions: fc.array(
    record({
      serviceIdentifier: text,
      presentationManifestLocators: fc.array(
        record(
          { manifestId: text, contentType: text, contentPlaybackPathPattern: text, url: text },
          { transportObjectURI: text },
        ),
        few,
      ),
      multicastTransportSessions: fc.array(
        record(
          { id: text, ...shared, serviceComponentIdentifiers: fc.array(component, few) },
          {
            ...sharedOptional,
            startMs: moment,
            durationMs: count,
            transmissionMode: fc.constantFrom("resource", "chunked"),
          },
        ),
        few,
      ),
    }, { contentPlaybackAvailabilityOffsetMs: count, reportingLocators: reporting }),
    few,
  ),
}, { validityPeriodMs: count, validUntilMs: moment, reportingLocators: reporting });

Deno.test("every configuration survives being written and read", () => {
  fc.assert(fc.property(
    configuration,
    fc.constantFrom("plain" as const, "extensibility" as const),
    (value, schemaVersionForm) => {
      const written = value as unknown as GatewayConfiguration;
      const { remarks, ...read } = parsed(
        encodeGatewayConfiguration(written, { schemaVersionForm }),
      );
      assert.deepEqual(remarks, []);
      assert.deepEqual(read, { ...written, schemaVersion: 2 });
    },
  ));
});

Deno.test("encodeGatewayConfiguration() keeps the order of the tables (clause 10.2.3)", () => {
  const xml = encodeGatewayConfiguration(oneServiceRead);
  const order = [
    "<PresentationManifestLocator",
    "<MulticastTransportSession",
    "<TransportProtocol",
    "<EndpointAddress",
    "<BitRate",
    "<UnicastRepairParameters",
    "<ObjectCarousel",
    "<ServiceComponentIdentifier",
  ].map((tag) => xml.indexOf(tag));
  assert.deepEqual(order, order.toSorted((a, b) => a - b));
  assert.ok(order[0] > 0);
});

const [session] = oneServiceRead.multicastSessions;
const unwritable: { what: string; configuration: GatewayConfiguration }[] = [
  {
    what: "a manifest without a road",
    configuration: {
      ...oneServiceRead,
      multicastSessions: [{
        ...session,
        presentationManifestLocators: [{ manifestId: "m", contentType: "a/b", url: "" }],
      }],
    },
  },
  {
    what: "a session without an endpoint",
    configuration: {
      ...oneServiceRead,
      multicastSessions: [{
        ...session,
        multicastTransportSessions: [{
          ...session.multicastTransportSessions[0],
          endpointAddresses: [],
        }],
      }],
    },
  },
  { what: "a negative period", configuration: { ...oneServiceRead, validityPeriodMs: -1 } },
  { what: "a year XML has not", configuration: { ...oneServiceRead, validUntilMs: 2 ** 52 } },
  {
    what: "a control character",
    configuration: {
      ...oneServiceRead,
      multicastSessions: [{ ...session, serviceIdentifier: "a\0b" }],
    },
  },
];
for (const { what, configuration } of unwritable) {
  Deno.test(`encodeGatewayConfiguration() refuses ${what}`, () => {
    assert.throws(() => encodeGatewayConfiguration(configuration), RangeError);
  });
}
