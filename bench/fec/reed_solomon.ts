/**
 * `deno run -A bench/fec/reed_solomon.ts [rounds]`: 1 MB in symbols of 1,400 bytes in blocks of at most
 * 170, to encode with 10 % of repair symbols and to decode at 10 % loss: Reed-Solomon as we code it,
 * Reed-Solomon by a table look-up for each byte (as most libraries do without vector instructions), and
 * RaptorQ, in turns, as CPU time of this process.
 *
 * @module
 */

import { erasureCodes, fecEncodingIds, type RepairSymbol } from "#fec";

const rounds = Number(Deno.args[0] ?? 9);
const symbolBytes = 1400;
const [blocks, symbols] = [5, 143];
const blockBytes = symbols * symbolBytes;
const objectBytes = blocks * blockBytes;
const lost = Math.ceil(symbols / 10);

/** Makes repair symbols of one block, or rebuilds its first `lost` symbols. */
interface Codec {
  readonly name: string;
  encode(block: Uint8Array): RepairSymbol[];
  decode?(block: Uint8Array, repair: readonly RepairSymbol[]): void;
}

function codec(name: string, encodingId: number): Codec {
  const code = erasureCodes.get(encodingId)!;
  const missing = Array.from({ length: lost }, (_, esi) => esi);
  return {
    name,
    encode(bytes) {
      const encoder = code.encoder({ bytes, symbolBytes });
      return Array.from({ length: lost + 2 }, (_, at) => {
        return { esi: symbols + at, bytes: encoder.repair(symbols + at) };
      });
    },
    decode(bytes, repair) {
      if (!code.decode({ bytes, symbolBytes }, missing, repair)) throw new Error("too few");
    },
  };
}

/** alpha^0 ... and products by table, only to tell what a look-up for each byte costs. */
function tableCodec(): Codec {
  const products = new Uint8Array(65_536);
  for (let a = 0; a < 256; a++) {
    for (let b = 0; b < 256; b++) {
      let product = 0;
      for (let bit = 7; bit >= 0; bit--) {
        product = (product << 1) ^ (product & 0x80 ? 0x11d : 0);
        if ((b >> bit) & 1) product ^= a;
      }
      products[(a << 8) | b] = product;
    }
  }
  return {
    name: "Reed-Solomon, a look-up for each byte",
    encode(block) {
      return Array.from({ length: lost + 2 }, (_, at) => {
        const bytes = new Uint8Array(symbolBytes);
        for (let symbol = 0; symbol < symbols; symbol++) {
          const row = ((7 * symbol + 11 * at + 3) & 255) << 8;
          const start = symbol * symbolBytes;
          for (let n = 0; n < symbolBytes; n++) bytes[n] ^= products[row | block[start + n]];
        }
        return { esi: symbols + at, bytes };
      });
    },
  };
}

/** CPU milliseconds of this process, in steps of 10: each figure is of many operations. */
function cpuMs(): number {
  const fields = Deno.readTextFileSync("/proc/self/stat").replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** CPU milliseconds for all blocks of the object. */
function cost(operation: () => void): number {
  const times = 60;
  const start = cpuMs();
  for (let time = 0; time < times; time++) operation();
  return (cpuMs() - start) / times * blocks;
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const print = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
const block = Uint8Array.from({ length: blockBytes }, (_, at) => (31 * at + 17 * (at >> 8)) & 255);
const codecs = [
  codec("Reed-Solomon", fecEncodingIds.reedSolomon8),
  tableCodec(),
  codec("RaptorQ", fecEncodingIds.raptorQ),
];
const results = codecs.map(() => ({ encode: [] as number[], decode: [] as number[] }));
for (let round = -1; round < rounds; round++) {
  for (const [at, { encode, decode }] of codecs.entries()) {
    const repair = encode(block);
    const encodeMs = cost(() => encode(block));
    const decodeMs = decode ? cost(() => decode(block.slice(), repair)) : NaN;
    if (round < 0) continue; // warm-up
    results[at].encode.push(encodeMs);
    results[at].decode.push(decodeMs);
  }
}
print("| code | encode, CPU ms | Mbit/s a core | decode, CPU ms | Mbit/s a core |");
print("| --- | ---: | ---: | ---: | ---: |");
for (const [at, { name }] of codecs.entries()) {
  const cells = [results[at].encode, results[at].decode].map(median).map((ms) =>
    Number.isNaN(ms) ? " | " : `${ms.toFixed(1)} | ${(objectBytes * 8 / ms / 1000).toFixed(0)}`
  );
  print(`| ${name} | ${cells.join(" | ")} |`);
}
