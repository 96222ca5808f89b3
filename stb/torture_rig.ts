/**
 * For tests: datagrams and documents that were whole once, and have been changed as a fault or a foe
 * would change them. The same at each run.
 *
 * @module
 */

import { FluteSender } from "#flute";
import {
  encodeExtension,
  encodeExtFdt,
  encodeLctHeader,
  extensionTypes,
  type LctFields,
} from "#lct";

/** Numbers from 0 to 1, the same at each run. */
export function seedOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const startMs = Date.parse("2026-11-22T12:00:00Z");

/** Bytes that decide something more often than others do. */
const telling = [0, 1, 2, 5, 6, 0x10, 0x40, 0x7f, 0x80, 0xc0, 0xfe, 0xff];

/** Mutated datagrams of all kinds: sessions of each code, FDTs with hostile OTI, packets before FDTs. */
export function* tortureDatagrams(count: number): Generator<Uint8Array> {
  const random = seedOf(7);
  const pick = (most: number) => Math.floor(random() * most);
  const seeds = sessions();
  for (let at = 0; at < count; at++) {
    const dice = random();
    if (dice < 0.02) yield hostileFdt(pick);
    else if (dice < 0.12) yield unannounced(pick);
    else if (dice < 0.2) yield seeds[pick(seeds.length)];
    else yield mutant(seeds[pick(seeds.length)], seeds[pick(seeds.length)], pick);
  }
}

/** What three honest senders have on the air. */
function sessions(): Uint8Array[] {
  const random = seedOf(3);
  return [0, 5, 6].flatMap((encodingId, at) => {
    const sender = new FluteSender({
      tsi: 10 + at,
      encodingId,
      symbolBytes: 200,
      maxSourceBlockSymbols: 16,
    });
    for (let file = 0; file < 4; file++) {
      const body = Uint8Array.from({ length: 6000 }, () => Math.floor(random() * 256));
      sender.add({ contentLocation: `http://dvb.gw/${file}`, body, tags: ["t"] }, startMs);
    }
    const passes = sender.tois.flatMap((
      toi,
    ) => [...sender.objectPackets(toi, { repairShare: 0.5 })]);
    return [...sender.fdtPackets(startMs), ...passes];
  });
}

/** A datagram with some bytes changed, cut, lengthened, or with the tail of another. */
function mutant(packet: Uint8Array, other: Uint8Array, pick: (most: number) => number): Uint8Array {
  const kind = pick(10);
  let bad = packet.slice(0, kind === 0 ? pick(packet.length) : undefined);
  if (kind === 1) {
    const at = pick(Math.min(packet.length, other.length));
    bad = Uint8Array.from([...packet.subarray(0, at), ...other.subarray(at)]);
  }
  if (kind === 2) bad = Uint8Array.from([...packet, ...other.subarray(pick(other.length))]);
  for (let change = pick(4); change >= 0 && bad.length > 0; change--) {
    const at = pick(pick(3) > 0 ? Math.min(48, bad.length) : bad.length);
    bad[at] = pick(2) > 0 ? telling[pick(telling.length)] : pick(256);
  }
  return bad;
}

/** A data packet of a file that no FDT names. */
function unannounced(pick: (most: number) => number): Uint8Array {
  const header = encodeLctHeader({ tsi: 10 + pick(3), toi: 100 + pick(60_000), codepoint: 0 });
  return Uint8Array.from([...header, 0, pick(256), 0, pick(256), ...new Uint8Array(pick(300))]);
}

const lengths = [0, 1, 2, 255, 256, 1400, 65_535, 65_536, 2 ** 20, 2 ** 31, 2 ** 32, 2 ** 48 - 1];

/** An FDT whose files have object transmission information that no sender can mean. */
function hostileFdt(pick: (most: number) => number): Uint8Array {
  const any = () => lengths[pick(lengths.length)];
  const files = Array.from({ length: 1 + pick(4) }, () => {
    const specific = btoa(String.fromCharCode(pick(256), pick(3), pick(3), pick(9)));
    return `<File TOI="${pick(9)}" Content-Location="h${pick(99)}" Transfer-Length="${any()}"` +
      ` FEC-OTI-FEC-Encoding-ID="${[0, 1, 2, 5, 6, 128, 129][pick(7)]}"` +
      ` FEC-OTI-Encoding-Symbol-Length="${any()}" FEC-OTI-Maximum-Source-Block-Length="${any()}"` +
      ` FEC-OTI-Max-Number-of-Encoding-Symbols="${any()}" FEC-OTI-Scheme-Specific-Info="${specific}"/>`;
  });
  const xml = `<FDT-Instance Expires="4294967000">${files.join("")}</FDT-Instance>`;
  const document = new TextEncoder().encode(xml);
  const fti = new Uint8Array(14);
  const view = new DataView(fti.buffer);
  view.setUint32(2, pick(50) === 0 ? any() % 2 ** 32 : document.length);
  view.setUint16(8, 60_000);
  view.setUint32(10, 64);
  const fields: LctFields = {
    tsi: 10 + pick(3),
    toi: 0,
    codepoint: 0,
    extensions: [
      encodeExtFdt({ version: 1, instanceId: pick(2 ** 20) }),
      encodeExtension(extensionTypes.fti, fti),
    ],
  };
  return Uint8Array.from([...encodeLctHeader(fields), 0, 0, 0, 0, ...document]);
}

const nip = 'xmlns="urn:dvb:metadata:nativeip:2024"';
const stream = "<NIPNetworkID>1001</NIPNetworkID><NIPCarrierID>1</NIPCarrierID>" +
  "<NIPLinkID>1</NIPLinkID><NIPServiceID>5001</NIPServiceID>";

/** One small document of each kind that is read from the air. */
const documents: Readonly<Record<string, string>> = {
  MulticastGatewayConfiguration:
    `<MulticastGatewayConfiguration xmlns="urn:dvb:metadata:MulticastSessionConfiguration:2024">
<MulticastSession serviceIdentifier="tag:example.org,2026:one" contentPlaybackAvailabilityOffset="PT2S">
<PresentationManifestLocator manifestId="m1" contentType="application/dash+xml"
 transportObjectURI="http://dvb.gw/m.mpd">http://cdn.example.org/m.mpd</PresentationManifestLocator>
<MulticastTransportSession id="v1" transmissionMode="resource" sessionIdleTimeout="10000">
<TransportProtocol protocolIdentifier="urn:dvb:metadata:cs:MulticastTransportProtocolCS:2019:FLUTE" protocolVersion="1"/>
<EndpointAddress><NetworkDestinationGroupAddress>232.1.1.1</NetworkDestinationGroupAddress>
<TransportDestinationPort>6001</TransportDestinationPort>
<MediaTransportSessionIdentifier>10</MediaTransportSessionIdentifier></EndpointAddress>
<BitRate average="3000000"/></MulticastTransportSession></MulticastSession></MulticastGatewayConfiguration>`,
  ServiceList:
    `<ServiceList xmlns="urn:dvb:metadata:servicediscovery:2024" version="3" xml:lang="en"
 id="tag:example.org,2026:list"><Name>A &amp; B</Name><ProviderName>P</ProviderName>
<Service version="1"><UniqueIdentifier>tag:example.org,2026:one</UniqueIdentifier>
<ServiceInstance priority="1"><DASHDeliveryParameters><UriBasedLocation contentType="application/dash+xml">
<URI>http://dvb.gw/m.mpd</URI></UriBasedLocation></DASHDeliveryParameters></ServiceInstance>
<ServiceName>One</ServiceName><ProviderName>P</ProviderName></Service></ServiceList>`,
  NetworkInformationFile: `<NetworkInformationFile ${nip}><NIFType>Physical Network</NIFType>
<ActualBroadcastNetwork><NetworkType>Satellite</NetworkType><NetworkName>N</NetworkName>
<NIPNetworkProviderName>P</NIPNetworkProviderName><NIPNetworkID>1001</NIPNetworkID>
<NIPStream>${stream}</NIPStream></ActualBroadcastNetwork></NetworkInformationFile>`,
  ServiceInformationFile:
    `<ServiceInformationFile ${nip}><NIPNetworkProviderName>P</NIPNetworkProviderName>
<BroadcastMediaStream>${stream}<URI>http://dvb.gw/a</URI></BroadcastMediaStream></ServiceInformationFile>`,
  ServiceListEntryPoints:
    `<ServiceListEntryPoints xmlns="urn:dvb:metadata:servicelistdiscovery:2024" xml:lang="en">
<ServiceListRegistryEntity><Name>R</Name></ServiceListRegistryEntity><ProviderOffering><Provider>
<Name>P</Name></Provider><ServiceListOffering><ServiceListName>L</ServiceListName><ServiceListURI
 contentType="application/vnd.dvb.dvbi+xml"><URI>http://dvb.gw/l.xml</URI></ServiceListURI>
</ServiceListOffering></ProviderOffering></ServiceListEntryPoints>`,
  ContentGuideManifest: `<NIPContentGuideManifest ${nip}><GuideSchedule><GuideSession>
<TagRef>guide</TagRef></GuideSession></GuideSchedule></NIPContentGuideManifest>`,
};

/** Pieces that parsers trip over. */
const pieces = [
  "<",
  ">",
  "/>",
  '"',
  "&#x110000;",
  "&amp",
  "<![CDATA[",
  "]]>",
  "<!--",
  "<a>",
  "</a>",
]
  .concat([
    "<!DOCTYPE a>",
    "xmlns:x=''",
    "__proto__",
    "constructor",
    "\0",
    "99999999999999999999",
    "-1",
  ])
  .concat(["NaN", "PT1e9S", "2038-01-19T03:14:08Z", "://", "\u{1F4A9}", "<?a ?>", " "]);

/** Mutated documents: about a third are still well-formed, with values that make no sense. */
export function* tortureDocuments(
  count: number,
): Generator<{ readonly kind: string; readonly document: Uint8Array }> {
  const random = seedOf(23);
  const pick = (most: number) => Math.floor(random() * most);
  const kinds = Object.keys(documents);
  const encoder = new TextEncoder();
  for (let at = 0; at < count; at++) {
    const kind = kinds[at % kinds.length];
    const document = encoder.encode(mutantText(documents[kind], pick));
    if (pick(5) === 0) document[pick(document.length)] = pick(256);
    yield { kind, document };
  }
}

function mutantText(text: string, pick: (most: number) => number): string {
  let bad = text;
  for (let change = pick(3); change >= 0; change--) {
    const at = pick(bad.length);
    const end = Math.min(bad.length, at + pick(30));
    const piece = pieces[pick(pieces.length)];
    switch (pick(6)) {
      case 0:
        bad = bad.slice(0, at) + piece + bad.slice(at);
        break;
      case 1:
        bad = bad.slice(0, at) + bad.slice(end);
        break;
      case 2:
        bad = bad.slice(0, end) + bad.slice(at);
        break;
      case 3: // a value
        bad = bad.replace(/"[^"]*"/, `"${pick(2) > 0 ? "7" : "x y"}"`);
        break;
      case 4: // the text of one element
        bad = bad.replace(/>[^<>]+</, `>${pick(2) > 0 ? String(pick(99)) : "?"}<`);
        break;
      default: // one element goes
        bad = bad.replace(/<(\w+)[^<>]*>[^<>]*<\/\1>/, "");
    }
  }
  return bad;
}
