import assert from "node:assert/strict";
import {
  decodeLctHeader,
  encodeExtension,
  encodeExtFdt,
  encodeLctHeader,
  extensionTypes,
} from "#lct";
import { encodeFti } from "#fec";
import { FluteSender } from "./sender.ts";
import { fdtDocument, fdtPacket, Listener, noise, startMs } from "./channel_for_tests.ts";

/** What we send, as read by the receivers that need it so. */
function sent(options: { bytes?: number; maxSourceBlockSymbols?: number } = {}) {
  const { bytes = 300_000, maxSourceBlockSymbols } = options;
  const sender = new FluteSender({ tsi: 16, maxSourceBlockSymbols });
  const toi = sender.add({ contentLocation: "http://dvb.gw/a", body: noise(bytes) }, startMs);
  const fdt = sender.fdtPackets(startMs);
  const media = [...sender.objectPackets(toi)];
  const text = fdt.map((packet) => new TextDecoder().decode(packet)).join("");
  return { fdt, media, text };
}

// What peers need of a sender, each as a question to all that we send.
const needs: { peer: string; need: string; met: () => boolean }[] = [
  {
    peer: "rt-libflute",
    need: "codepoint 0, no congestion information but its word, 16 bits of TSI and TOI",
    met: () =>
      [...sent().fdt, ...sent().media].every((packet) => {
        const header = decodeLctHeader(packet);
        return typeof header !== "string" && header.codepoint === 0 &&
          packet[0] === 0x10 && (packet[1] & 0xf0) === 0x10;
      }),
  },
  {
    peer: "rt-libflute",
    need: "the FDT namespace of 2005, Content-Length and Transfer-Length of each file",
    met: () => {
      const { text } = sent();
      return text.includes('"urn:IETF:metadata:2005:FLUTE:FDT"') &&
        text.includes('Content-Length="300000"') && text.includes('Transfer-Length="300000"');
    },
  },
  {
    peer: "rt-libflute",
    need: "no datagram that is shorter than a header with its payload ID",
    met: () => [...sent().fdt, ...sent().media].every((packet) => packet.length > 16),
  },
  {
    peer: "GPAC",
    need: "symbol length of each file, elements without prefix, no Content-Encoding of media",
    met: () => {
      const { text } = sent();
      return text.includes('FEC-OTI-Encoding-Symbol-Length="1400"') &&
        text.includes("<File ") && !text.includes("Content-Encoding");
    },
  },
  {
    peer: "GPAC",
    need: "one block, where told so, as large as the file",
    met: () => {
      const { media, text } = sent({ maxSourceBlockSymbols: 65_535 });
      const numbers = media.map((packet) => new DataView(packet.buffer).getUint32(12));
      return text.includes('FEC-OTI-Maximum-Source-Block-Length="65535"') &&
        numbers.every((number, at) => number === at);
    },
  },
];
for (const { peer, need, met } of needs) {
  Deno.test(`${peer} as receiver gets ${need}`, () => assert.ok(met()));
}

/** One file of two symbols in a packet each, as a peer sends it. */
function media(tsi: number, header: { codepoint?: number; fti?: boolean } = {}): Uint8Array[] {
  const { codepoint = 0, fti = false } = header;
  const told = {
    encodingId: 0,
    transferLength: 1500,
    symbolBytes: 1000,
    maxSourceBlockSymbols: 64,
  };
  const extensions = fti ? [encodeExtension(extensionTypes.fti, encodeFti(told))] : [];
  const body = noise(1500);
  return [0, 1].map((esi) =>
    Uint8Array.from([
      ...encodeLctHeader({ tsi, toi: 1, codepoint, extensions }),
      ...[0, 0, 0, esi],
      ...body.subarray(esi * 1000, esi * 1000 + 1000),
    ])
  );
}

const oti = 'FEC-OTI-Encoding-Symbol-Length="1000" FEC-OTI-Maximum-Source-Block-Length="64"';
const file = 'TOI="1" Content-Location="http://dvb.gw/a" Transfer-Length="1500"';

// What peers send, and that the file comes whole all the same.
const peculiar: { peer: string; what: string; packets: () => Uint8Array[] }[] = [
  {
    peer: "GPAC",
    what: "an Expires that never changes, and the FDT anew before each segment",
    packets: () =>
      [0, 1, 2].flatMap((instanceId) => [
        fdtPacket(fdtDocument(`${file} ${oti}`), { instanceId }),
        ...(instanceId === 2 ? media(10) : []),
      ]),
  },
  {
    peer: "RFC 6726",
    what: "object transmission information in each packet and none in the FDT",
    packets: () => [
      fdtPacket(fdtDocument('TOI="1" Content-Location="a" Content-Length="1500"')),
      ...media(10, { fti: true }),
    ],
  },
  {
    peer: "RFC 6726",
    what: "FLUTE version 2 in EXT_FDT",
    packets: () => {
      const [first] = [fdtPacket(fdtDocument(`${file} ${oti}`))];
      const plain = encodeExtFdt({ version: 1, instanceId: 0 });
      const at = first.findIndex((_, start) => plain.every((byte, n) => first[start + n] === byte));
      first.set(encodeExtFdt({ version: 2, instanceId: 0 }), at);
      return [first, ...media(10)];
    },
  },
  {
    peer: "rt-libflute",
    what: "information of the instance that all its files inherit",
    packets: () => [
      fdtPacket(
        `<FDT-Instance xmlns="urn:IETF:metadata:2005:FLUTE:FDT" Expires="4294967000" ${oti}>` +
          `<File ${file}/></FDT-Instance>`,
      ),
      ...media(10),
    ],
  },
];
for (const { peer, what, packets } of peculiar) {
  Deno.test(`${peer} as sender: ${what}`, async () => {
    const listener = new Listener();
    listener.hear(packets());
    assert.deepEqual(await listener.last("complete").content(), noise(1500));
  });
}
