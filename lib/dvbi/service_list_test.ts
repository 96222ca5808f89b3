import assert from "node:assert/strict";
import fc from "fast-check";
import {
  XmlBufferInputProvider,
  XmlDocument,
  xmlRegisterInputProvider,
  XsdValidator,
} from "libxml2-wasm";
import { encodeServiceList } from "./encode.ts";
import { howRelatedTerms, manifestMediaTypes, type ServiceList, serviceTypes } from "./model.ts";
import { type ParsedServiceList, parseServiceList } from "./parse.ts";

const vectors = new URL("../../../shared/vectors/", import.meta.url);

/** Reads a vector, or `undefined` where the folder is absent. */
function vector(path: string): Promise<string | undefined> {
  return Deno.readTextFile(new URL(path, vectors)).catch(() => undefined);
}

const satelliteList = await vector("nip/ses-servicelist.xml");
const smallList = await vector("dvbi/dvbi-min.xml");
const schema = await vector("dvbi/xsd/dvbi_v6.0.xsd");
const absent = schema === undefined ? " (skipped: ../shared/vectors is absent)" : "";

function vectorTest(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name: `${name}${absent}`, ignore: schema === undefined, fn });
}

function parsed(document: string | Uint8Array): ParsedServiceList {
  const list = parseServiceList(document);
  if (typeof list === "string") assert.fail(`refused: ${list}`);
  return list;
}

function unremarkable({ remarks, ...list }: ParsedServiceList): ServiceList {
  assert.deepEqual(remarks, []);
  return list;
}

const logo = {
  howRelated: howRelatedTerms.serviceLogo,
  mediaUri: "http://dvb.gw/logos/one.png",
  contentType: "image/png",
};

/** One service by every road that the model knows. */
const list: ServiceList = {
  id: "tag:example.org,2026:list",
  version: 3,
  language: "en",
  name: "Downlink <demo> & friends",
  providerName: "Example",
  relatedMaterials: [{ ...logo, howRelated: howRelatedTerms.serviceListLogo }],
  lcnTables: [{
    targetRegions: [],
    lcns: [{
      channelNumber: 1,
      serviceRef: "tag:example.org,2026:one",
      selectable: true,
      visible: false,
    }],
  }],
  services: [{
    uniqueIdentifier: "tag:example.org,2026:one",
    version: 1,
    serviceName: "One",
    providerName: "Example",
    relatedMaterials: [logo],
    serviceType: serviceTypes.linear,
    serviceInstances: [
      {
        priority: 0,
        displayName: "Satellite",
        delivery: {
          kind: "dash",
          uri: "http://dvb.gw/one/cmaf/manifest.mpd",
          contentType: manifestMediaTypes.dash,
        },
      },
      {
        priority: 1,
        delivery: {
          kind: "identifier",
          uri: "http://dvb.gw/one/index.m3u8",
          contentType: manifestMediaTypes.hls,
        },
      },
      {
        priority: 2,
        delivery: {
          kind: "dvbs",
          dvbTriplet: { origNetId: 1, tsId: 1045, serviceId: 5001 },
          orbitalPositionDegrees: -19.2,
          carrier: {
            frequency: 11_727_500,
            polarization: "vertical",
            symbolRate: 27_500_000,
            modulation: {
              rollOff: "0.20",
              modulationSystem: "DVB-S2",
              modulationType: "8PSK",
              fec: "3/4",
            },
          },
        },
      },
      { priority: 3, delivery: { kind: "dvbs", dvbTriplet: { serviceId: 5001 } } },
    ],
  }],
};

Deno.test("a list that was written is read unchanged", () => {
  assert.deepEqual(unremarkable(parsed(encodeServiceList(list))), list);
  const bytes = new TextEncoder().encode(encodeServiceList(list));
  assert.deepEqual(unremarkable(parsed(bytes)), list);
});

vectorTest("encodeServiceList() writes what the schema of release 6 wants", async () => {
  using validator = await schemaValidator();
  const { lcnTables: _, ...withoutNumbers } = list;
  const variants = [
    list,
    { ...withoutNumbers, lcnTables: [], relatedMaterials: [], services: [] },
    unremarkable(parsed(smallList!)),
    unremarkable(parsed(satelliteList!)),
  ];
  for (const variant of variants) {
    using document = XmlDocument.fromString(encodeServiceList(variant));
    validator.validate(document);
  }
  using broken = XmlDocument.fromString(
    encodeServiceList(list).replace("<Name>", "<Name/><Name>")
      .replace("<ProviderName>Example</ProviderName>", ""),
  );
  assert.throws(() => validator.validate(broken), "the validator must be able to refuse");
});

/** Compiles the schema with its imports; all of them come from the vectors folder. */
async function schemaValidator(): Promise<XsdValidator> {
  const folder = new URL("dvbi/xsd/", vectors);
  const files: Record<string, Uint8Array> = {};
  for await (const { name } of Deno.readDir(folder)) {
    const bytes = await Deno.readFile(new URL(name, folder));
    files[`xsd/${name}`] = bytes;
  }
  xmlRegisterInputProvider(new XmlBufferInputProvider(files));
  using document = XmlDocument.fromBuffer(files["xsd/dvbi_v6.0.xsd"], {
    url: "xsd/dvbi_v6.0.xsd",
  });
  return XsdValidator.fromDoc(document);
}

vectorTest("parseServiceList() reads a satellite's list", () => {
  const { id, services, lcnTables, remarks } = parsed(satelliteList!);
  assert.deepEqual(remarks, []);
  assert.equal(id, "tag:ses.com,2024:DVB-NIP_Offline_Content");
  assert.equal(services.length, satelliteList!.match(/<Service /g)!.length);
  assert.equal(lcnTables[0].lcns.length, satelliteList!.match(/<LCN /g)!.length);
  const [live] = services;
  assert.equal(live.uniqueIdentifier, "tag:ses.com,2024:B1.1");
  assert.deepEqual(live.serviceInstances.map(({ delivery }) => delivery), [
    {
      kind: "dash",
      uri: "http://dvb.gw/ses.com/livesim2/B1/Manifest.mpd",
      contentType: "application/dash+xml",
    },
    {
      kind: "identifier",
      uri: "http://dvb.gw/ses.com/livesim2/B1/playlist.m3u8",
      contentType: "application/vnd.apple.mpegurl",
    },
  ]);
  assert.equal(live.relatedMaterials[0].howRelated, howRelatedTerms.serviceLogo);
});

vectorTest("parseServiceList() reads a small list with a DVB-S instance", () => {
  const { services } = parsed(smallList!);
  const [dash, , hls, dvbs] = services[0].serviceInstances;
  assert.equal(dash.displayName, "Multicast ABR through the gateway");
  assert.equal(hls.delivery.kind, "identifier");
  assert.deepEqual(dvbs, {
    priority: 3,
    delivery: {
      kind: "dvbs",
      dvbTriplet: { origNetId: 1, tsId: 1045, serviceId: 28006 },
      orbitalPositionDegrees: 19.2,
      carrier: { frequency: 11_362_000, polarization: "horizontal", symbolRate: 22_000_000 },
    },
  });
});

for (const year of ["2019", "2020", "2021", "2022b", "2023", "2025", "2026"]) {
  Deno.test(`parseServiceList() reads a list of ${year}`, () => {
    const document = encodeServiceList(list)
      .replaceAll("servicediscovery:2024", `servicediscovery:${year}`)
      .replaceAll("servicediscovery-types:2023", `servicediscovery-types:${year}`)
      .replaceAll("dvbi-types", "t").replaceAll("tva:", "any:");
    assert.deepEqual(unremarkable(parsed(document)), list);
  });
}

Deno.test("parseServiceList() reads HLS written as an extension", () => {
  const { services } = parsed(
    `<ServiceList><Service><UniqueIdentifier>a</UniqueIdentifier><ServiceInstance>
       <OtherDeliveryParameters extensionName="vnd.apple.mpegurl">
         <UriBasedLocation><URI>http://a/b.m3u8</URI></UriBasedLocation>
       </OtherDeliveryParameters></ServiceInstance></Service></ServiceList>`,
  );
  assert.deepEqual(services[0].serviceInstances[0].delivery, {
    kind: "identifier",
    uri: "http://a/b.m3u8",
    contentType: "application/vnd.apple.mpegurl",
  });
});

Deno.test("parseServiceList() leaves out what it cannot use and says so", () => {
  const { services, remarks } = parsed(
    `<ServiceList id="l"><Service><ServiceName>nameless</ServiceName></Service>
     <Service><UniqueIdentifier>a</UniqueIdentifier>
       <ServiceInstance><DVBTDeliveryParameters/></ServiceInstance>
       <ServiceInstance><DVBSDeliveryParameters/></ServiceInstance>
       <ServiceInstance><DASHDeliveryParameters/></ServiceInstance></Service></ServiceList>`,
  );
  assert.deepEqual(services.map(({ uniqueIdentifier }) => uniqueIdentifier), ["a"]);
  assert.deepEqual(remarks, [
    { reason: "no_identifier", subject: "nameless" },
    { reason: "unknown_delivery", subject: "a" },
    { reason: "unknown_delivery", subject: "a" },
    { reason: "unknown_delivery", subject: "a" },
  ]);
});

const hopeless = [
  { word: "not_well_formed", document: "<ServiceList" },
  { word: "wrong_root", document: "<ServiceListEntryPoints/>" },
  { word: "not_utf8", document: Uint8Array.of(0xFF) },
  { word: "doctype", document: "<!DOCTYPE a><ServiceList/>" },
  { word: "too_large", document: " ".repeat(2 ** 22) + "<ServiceList/>" },
];
for (const { word, document } of hopeless) {
  Deno.test(`parseServiceList() refuses ${word}`, () => {
    assert.equal(parseServiceList(document), word);
  });
}

Deno.test("parseServiceList() survives anything a stranger sends", () => {
  const good = encodeServiceList(list);
  const cut = fc.nat(good.length);
  fc.assert(fc.property(fc.oneof(fc.string(), fc.uint8Array()), (noise) => {
    parseServiceList(noise);
  }));
  fc.assert(fc.property(cut, cut, fc.string({ unit: "binary" }), (from, to, noise) => {
    parseServiceList(good.slice(0, from) + noise + good.slice(to));
  }));
});

const [one] = list.services;
const unwritable: { what: string; list: ServiceList }[] = [
  { what: "no id", list: { ...list, id: "" } },
  { what: "version 0", list: { ...list, version: 0 } },
  {
    what: "a service id of 17 bits",
    list: {
      ...list,
      services: [{
        ...one,
        serviceInstances: [{
          priority: 0,
          delivery: { kind: "dvbs", dvbTriplet: { serviceId: 65_536 } },
        }],
      }],
    },
  },
];
for (const { what, list } of unwritable) {
  Deno.test(`encodeServiceList() refuses ${what}`, () => {
    assert.throws(() => encodeServiceList(list), RangeError);
  });
}
