import assert from "node:assert/strict";
import fc from "fast-check";
import {
  XmlBufferInputProvider,
  XmlDocument,
  xmlRegisterInputProvider,
  XsdValidator,
} from "libxml2-wasm";
import {
  type ContentGuideManifest,
  encodeContentGuideManifest,
  encodeNetworkInformationFile,
  encodeServiceInformationFile,
  encodeServiceListEntryPoints,
  type NetworkInformationFile,
  parseContentGuideManifest,
  parseNetworkInformationFile,
  parseServiceInformationFile,
  parseServiceListEntryPoints,
  type ServiceInformationFile,
  type ServiceListEntryPoints,
} from "./mod.ts";

const vectors = new URL("../../../shared/vectors/", import.meta.url);
const names = ["nif", "sif", "slep", "guide-manifest"] as const;
const captured = new Map<string, string>();
for (const name of names) {
  const text = await Deno.readTextFile(new URL(`nip/ses-${name}.xml`, vectors)).catch(() => "");
  captured.set(name, text);
}
const present = captured.get("nif") !== "";

function vectorTest(name: string, fn: () => void | Promise<void>): void {
  const absent = present ? "" : " (skipped: ../shared/vectors is absent)";
  Deno.test({ name: name + absent, ignore: !present, fn });
}

function document(name: typeof names[number]): string {
  return captured.get(name)!;
}

/** What was read, which must be a document without a remark. */
function clean<T extends object>(parsed: T | string): Omit<T, "remarks"> {
  if (typeof parsed === "string") assert.fail(`refused: ${parsed}`);
  const { remarks = [], ...rest } = parsed as T & { remarks?: readonly unknown[] };
  assert.deepEqual(remarks, []);
  return rest as Omit<T, "remarks">;
}

const sesNetwork: NetworkInformationFile = {
  versionUpdateMs: Date.UTC(2025, 0, 10, 11, 36, 58),
  nifType: "Physical Network",
  actualBroadcastNetwork: {
    networkType: "Satellite",
    networkName: "SES",
    nipNetworkProviderName: "SES",
    orbitalPositionDegrees: 19.2,
    nipNetworkId: 1,
    nipStreams: [
      {
        linkLayerFormat: "GSE-Lite",
        nipStreamProviderName: "SES",
        nipCarrierId: 1045,
        nipLinkId: 1,
        nipServiceId: 0,
        bootstrapStream: { bootstrapType: "Physical Network", status: "Active" },
        delivery: {
          kind: "dvbs2x",
          receiverProfiles: "Broadcast services",
          s2xMode: "S2X",
          frequencyKhz: 11_141_000,
          polarization: "horizontal",
          rollOff: "0.20",
          symbolRateKs: 23_500,
          inputStreamIdentifier: 0,
        },
      },
      {
        linkLayerFormat: "GSE-Lite",
        nipStreamProviderName: "SES",
        nipCarrierId: 1102,
        nipLinkId: 1,
        nipServiceId: 0,
        bootstrapStream: { bootstrapType: "Commercial Operator", status: "Active" },
        delivery: {
          kind: "dvbs2x",
          receiverProfiles: "Broadcast services",
          s2xMode: "S2X",
          frequencyKhz: 12_441_000,
          polarization: "vertical",
          rollOff: "0.20",
          symbolRateKs: 27_500,
          inputStreamIdentifier: 0,
        },
      },
    ],
  },
  otherBroadcastNetworks: [],
};

vectorTest(
  "the network information of a satellite is read as it is, and of another year too",
  () => {
    assert.deepEqual(clean(parseNetworkInformationFile(document("nif"))), sesNetwork);
    const older = document("nif").replaceAll("nativeip:2024", "nativeip:2023");
    assert.deepEqual(clean(parseNetworkInformationFile(older)), sesNetwork);
    const bytes = new TextEncoder().encode(document("nif"));
    assert.deepEqual(clean(parseNetworkInformationFile(bytes)), sesNetwork);
  },
);

vectorTest("the service information of a satellite is read as it is", () => {
  const file = clean(parseServiceInformationFile(document("sif")));
  assert.equal(file.versionUpdateMs, Date.UTC(2025, 0, 10, 11, 36, 58));
  assert.equal(file.nipNetworkProviderName, "SES");
  const identities = file.broadcastMediaStreams.map(({ uris, interactiveApplications, ...id }) => {
    assert.deepEqual(interactiveApplications, []);
    return { ...id, uris: uris.length };
  });
  assert.deepEqual(identities, [
    { nipNetworkId: 1, nipCarrierId: 1045, nipLinkId: 1, nipServiceId: 0, uris: 53 },
    { nipNetworkId: 1, nipCarrierId: 1102, nipLinkId: 1, nipServiceId: 0, uris: 3 },
  ]);
  const [{ uris: [first] }, { uris: foreign }] = file.broadcastMediaStreams;
  assert.equal(first, "http://dvb.gw/ses.com/dvbi/cg/CoreSet");
  assert.deepEqual(foreign, [
    "http://dvb.gw/inverto.tv/s1/5G-EMERGE/Live/hls/RaiStoria/RaiStoria.m3u8",
    "http://dvb.gw/inverto.tv/s2/5G-EMERGE/Live/hls/RaiScuola/RaiScuola.m3u8",
    "http://dvb.gw/inverto.tv/s0/5G-EMERGE/Live/hls/crits_linear/crits_linear.m3u8",
  ]);
});

vectorTest("the guide manifest of a satellite is read as it is", () => {
  const updatedMs = Date.UTC(2025, 1, 11, 11, 37, 3);
  assert.deepEqual(parseContentGuideManifest(document("guide-manifest")), {
    versionUpdateMs: updatedMs,
    guideSchedules: [{
      publishedStartTimeMs: updatedMs,
      publishedDurationMs: 5 * 86_400_000,
      guideSessions: [{
        tagRefs: [
          "http://dvb.gw/ses.com/dvbi/cg/CoreSet",
          "http://dvb.gw/ses.com/dvbi/cg/CoreSetRelatedMaterials",
        ],
        carouselMaxDataSizeBytes: 204_857_600,
      }],
    }],
  });
});

const sesEntryPoints: ServiceListEntryPoints = {
  language: "en",
  registryName: "SES DVB-NIP",
  providerOfferings: [{
    providerName: "SES",
    serviceListOfferings: [
      ["DVB-NIP SES Network", "dvbi/service_list_full.xml", "DVB-NIP_SES_Network"],
      [
        "DVB-NIP Offline Content",
        "private/dvbi/service_list_ses_private.xml",
        "DVB-NIP_Offline_Content",
      ],
      ["DVB-NIP TP1045", "dvbi/service_list_tp1045.xml", "DVB-NIP_TP1045"],
    ].map(([serviceListName, path, id]) => ({
      serviceListName,
      serviceListUris: [{ uri: `http://dvb.gw/ses.com/${path}`, contentType: "application/xml" }],
      languages: ["en"],
      targetCountries: ["LUX"],
      serviceListId: `tag:ses.com,2024:${id}`,
    })),
  }],
};

vectorTest("the entry points of a satellite are read as they are", () => {
  assert.deepEqual(clean(parseServiceListEntryPoints(document("slep"))), sesEntryPoints);
});

vectorTest("what a satellite sends is read the same after we wrote it", () => {
  const sif = clean(parseServiceInformationFile(document("sif")));
  assert.deepEqual(clean(parseServiceInformationFile(encodeServiceInformationFile(sif))), sif);
  assert.deepEqual(
    clean(parseNetworkInformationFile(encodeNetworkInformationFile(sesNetwork))),
    sesNetwork,
  );
});

vectorTest("entry points that we write are valid against the schema of DVB-I", async () => {
  const folder = new URL("dvbi/xsd/", vectors);
  const files: Record<string, Uint8Array> = {};
  for await (const { name } of Deno.readDir(folder)) {
    files[`slep/${name}`] = await Deno.readFile(new URL(name, folder));
  }
  xmlRegisterInputProvider(new XmlBufferInputProvider(files));
  const url = "slep/dvbi_service_list_discovery_v1.6.xsd";
  using schema = XmlDocument.fromBuffer(files[url], { url });
  using validator = XsdValidator.fromDoc(schema);
  const text = encodeServiceListEntryPoints(sesEntryPoints);
  using good = XmlDocument.fromString(text);
  validator.validate(good);
  using bad = XmlDocument.fromString(text.replace("<Name>SES</Name>", ""));
  assert.throws(() => validator.validate(bad), "the validator must be able to refuse");
});

/** Text as XML keeps it: no control characters, no white space at its ends. */
const words = fc.string({ unit: "grapheme", maxLength: 30 })
  // deno-lint-ignore no-control-regex -- what XML cannot carry
  .map((text) => text.replace(/[\0-\x1F\uFFFE\uFFFF]/g, "").trim());
const some = words.filter((text) => text !== "");
const number = fc.nat(65_535);
const ms = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1000);
const plain = { noNullPrototype: true } as const;
const loose = <const K extends string>(...keys: K[]) => ({ ...plain, requiredKeys: keys });

const identity = { nipCarrierId: number, nipLinkId: number, nipServiceId: number };
const networkId = fc.integer({ min: 1, max: 65_280 });
const delivery = fc.record({
  kind: fc.constantFrom("dvbs2" as const, "dvbs2x" as const),
  receiverProfiles: some,
  s2xMode: some,
  frequencyKhz: fc.integer({ min: 1, max: 2 ** 31 }).map((tens) => tens * 10),
  polarization: words,
  modulationType: some,
  rollOff: some,
  symbolRateKs: fc.integer({ min: 1, max: 2 ** 31 }),
  fec: some,
  inputStreamIdentifier: fc.nat(255),
  scramblingSequenceIndex: fc.nat(0x3FFFF),
}, loose("kind", "frequencyKhz", "polarization", "symbolRateKs"));
const stream = fc.record({
  linkLayerFormat: words,
  nipStreamProviderName: words,
  ...identity,
  bootstrapStream: fc.record({ bootstrapType: words, status: words }, plain),
  delivery,
}, loose("linkLayerFormat", "nipStreamProviderName", "nipCarrierId", "nipLinkId", "nipServiceId"));
const network = fc.record({
  networkType: words,
  networkName: words,
  nipNetworkProviderName: words,
  orbitalPositionDegrees: fc.integer({ min: -1800, max: 1800 }).map((tenths) => tenths / 10 || 0),
  nipNetworkId: networkId,
  nipStreams: fc.array(stream, { maxLength: 3 }),
}, loose("networkType", "networkName", "nipNetworkProviderName", "nipNetworkId", "nipStreams"));

Deno.test("every network information file that can be written is read back", () => {
  const any = fc.record({
    versionUpdateMs: ms,
    nifType: words,
    actualBroadcastNetwork: network,
    otherBroadcastNetworks: fc.array(network, { maxLength: 2 }),
  }, loose("nifType", "actualBroadcastNetwork", "otherBroadcastNetworks"));
  fc.assert(fc.property(any, (file: NetworkInformationFile) => {
    assert.deepEqual(clean(parseNetworkInformationFile(encodeNetworkInformationFile(file))), file);
  }));
});

Deno.test("every service information file that can be written is read back", () => {
  const application = fc.record(
    { applicationType: words, applicationUri: words, applicationId: words },
    plain,
  );
  const media = fc.record({
    nipNetworkId: networkId,
    ...identity,
    uris: fc.array(some, { maxLength: 4 }),
    interactiveApplications: fc.array(application, { maxLength: 2 }),
  }, plain);
  const any = fc.record({
    versionUpdateMs: ms,
    nipNetworkProviderName: words,
    broadcastMediaStreams: fc.array(media, { maxLength: 3 }),
  }, loose("nipNetworkProviderName", "broadcastMediaStreams"));
  fc.assert(fc.property(any, (file: ServiceInformationFile) => {
    assert.deepEqual(clean(parseServiceInformationFile(encodeServiceInformationFile(file))), file);
  }));
});

Deno.test("every guide manifest that can be written is read back", () => {
  const session = fc.record({
    tagRefs: fc.array(some, { maxLength: 3 }),
    carouselMaxDataSizeBytes: fc.maxSafeNat().map((bytes) => bytes % 10 ** 15),
  }, loose("tagRefs"));
  const schedule = fc.record({
    publishedStartTimeMs: ms,
    publishedDurationMs: fc.nat(),
    guideSessions: fc.array(session, { maxLength: 3 }),
  }, loose("guideSessions"));
  const any = fc.record({
    versionUpdateMs: ms,
    guideSchedules: fc.array(schedule, { maxLength: 3 }),
  }, loose("guideSchedules"));
  fc.assert(fc.property(any, (manifest: ContentGuideManifest) => {
    const read = parseContentGuideManifest(encodeContentGuideManifest(manifest));
    assert.deepEqual(read, manifest);
  }));
});

Deno.test("every list of entry points that can be written is read back", () => {
  const offering = fc.record({
    serviceListName: words,
    serviceListUris: fc.array(fc.record({ uri: some, contentType: some }, plain), {
      minLength: 1,
      maxLength: 2,
    }),
    languages: fc.array(some, { maxLength: 2 }),
    targetCountries: fc.array(some, { maxLength: 2 }),
    serviceListId: words,
  }, plain);
  const provider = fc.record({
    providerName: words,
    serviceListOfferings: fc.array(offering, { maxLength: 3 }),
  }, plain);
  const any = fc.record({
    language: words,
    registryName: words,
    providerOfferings: fc.array(provider, { maxLength: 2 }),
  }, plain);
  fc.assert(fc.property(any, (list: ServiceListEntryPoints) => {
    assert.deepEqual(clean(parseServiceListEntryPoints(encodeServiceListEntryPoints(list))), list);
  }));
});

const readers = {
  nif: parseNetworkInformationFile,
  sif: parseServiceInformationFile,
  slep: parseServiceListEntryPoints,
  "guide-manifest": parseContentGuideManifest,
};

Deno.test("a document that is none is refused with a word", () => {
  for (const read of Object.values(readers)) {
    assert.equal(read("<ServiceList/>"), "wrong_root");
    assert.equal(read("nothing"), "not_well_formed");
    assert.equal(read(Uint8Array.of(0x3c, 0xff)), "not_utf8");
    assert.equal(read("<!DOCTYPE x><x/>"), "doctype");
    assert.equal(read("<a>".repeat(20) + "</a>".repeat(20)), "too_deep");
    assert.equal(read(" ".repeat(2 ** 20 + 1)), "too_large");
  }
  assert.equal(parseNetworkInformationFile("<NetworkInformationFile/>"), "no_network");
});

Deno.test("a part that cannot be used costs only itself", () => {
  const nif = parseNetworkInformationFile(
    `<NetworkInformationFile><ActualBroadcastNetwork><NIPNetworkID>65280</NIPNetworkID>
      <SatellitePosition><OrbitalPosition>1e2</OrbitalPosition></SatellitePosition>
      <NIPStream><NIPStreamProviderName>no number</NIPStreamProviderName></NIPStream>
      <NIPStream><NIPCarrierID>65536</NIPCarrierID></NIPStream>
      <NIPStream><NIPCarrierID>7</NIPCarrierID><DVBT2_NIPDeliveryParameters/></NIPStream>
      </ActualBroadcastNetwork>
      <OtherBroadcastNetwork><NetworkName>0</NetworkName><NIPNetworkID>0</NIPNetworkID>
      </OtherBroadcastNetwork></NetworkInformationFile>`,
  );
  assert.ok(typeof nif !== "string");
  assert.deepEqual(nif.remarks.map(({ reason, subject }) => `${reason} ${subject}`), [
    "no_identity no number",
    "no_identity ",
    "unknown_delivery DVBT2_NIPDeliveryParameters",
    "no_identity 0",
  ]);
  const { nipStreams, orbitalPositionDegrees } = nif.actualBroadcastNetwork;
  assert.deepEqual(nipStreams.map(({ nipCarrierId }) => nipCarrierId), [7]);
  assert.equal(orbitalPositionDegrees, undefined);
});

Deno.test("readers of DVB-NIP documents never throw, whatever was changed in one", () => {
  const texts = names.map((name) =>
    document(name) || "<NetworkInformationFile><a>1</a></NetworkInformationFile>"
  );
  const change = fc.tuple(fc.nat(), fc.string({ unit: "binary", maxLength: 8 }), fc.nat(40));
  const any = fc.tuple(fc.constantFrom(...names), fc.array(change, { maxLength: 4 }));
  fc.assert(
    fc.property(any, ([name, changes]) => {
      let text = texts[names.indexOf(name)];
      for (const [at, put, cut] of changes) {
        const place = at % (text.length + 1);
        text = text.slice(0, place) + put + text.slice(place + cut);
      }
      const read = readers[name](text);
      assert.ok(typeof read === "string" ? /^[a-z0-9_]+$/.test(read) : typeof read === "object");
    }),
    { numRuns: 500 },
  );
});

Deno.test("what no document can say is refused by the encoder", () => {
  const other = (change: Partial<NetworkInformationFile["actualBroadcastNetwork"]>) => () =>
    encodeNetworkInformationFile({
      ...sesNetwork,
      actualBroadcastNetwork: { ...sesNetwork.actualBroadcastNetwork, ...change },
    });
  assert.throws(other({ nipNetworkId: 65_281 }), /NIPNetworkID: a whole number from 1 to 65280/);
  assert.throws(other({ orbitalPositionDegrees: NaN }), /-180 to 180 degrees: received NaN/);
  assert.throws(
    () => encodeNetworkInformationFile({ ...sesNetwork, versionUpdateMs: 0.5 }),
    /VersionUpdate/,
  );
});
