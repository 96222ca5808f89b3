/**
 * `deno run -A bench/fec/throughput.ts [rounds]`: RaptorQ of one block of 1 MB in symbols of 1,400
 * bytes, to encode with 10 % of repair symbols and to decode at 10 % loss: ours beside liblcrq (C, Debian
 * package liblcrq0.0), in turns, as CPU time of this process.
 *
 * @module
 */

import { erasureCodes, fecEncodingIds, type RepairSymbol } from "#fec";

const rounds = Number(Deno.args[0] ?? 15);
const symbolBytes = 1400;
const symbols = 715;
const objectBytes = symbols * symbolBytes;
const lost = Math.ceil(symbols / 10);
const code = erasureCodes.get(fecEncodingIds.raptorQ)!;

/** A codec under measurement. */
interface Codec {
  readonly name: string;
  /** Makes `count` repair symbols of a block. */
  encode(block: Uint8Array, count: number): RepairSymbol[];
  /** Rebuilds the block from its symbols but the first `lost` ones, and repair symbols. */
  decode(block: Uint8Array, repair: readonly RepairSymbol[]): Uint8Array;
}

const ours: Codec = {
  name: "downlink",
  encode(bytes, count) {
    const encoder = code.encoder({ bytes, symbolBytes });
    return Array.from({ length: count }, (_, at) => {
      return { esi: symbols + at, bytes: encoder.repair(symbols + at) };
    });
  },
  decode(block, repair) {
    const bytes = block.slice();
    bytes.fill(0, 0, lost * symbolBytes);
    const missing = Array.from({ length: lost }, (_, esi) => esi);
    if (!code.decode({ bytes, symbolBytes }, missing, repair)) throw tooFew();
    return bytes;
  },
};

function liblcrq(): Codec | undefined {
  try {
    const { symbols: library } = Deno.dlopen("liblcrq.so.0.0", {
      rq_init: { parameters: ["u64", "u16"], result: "pointer" },
      rq_free: { parameters: ["pointer"], result: "void" },
      rq_encode: { parameters: ["pointer", "buffer", "usize"], result: "i32" },
      rq_decode: { parameters: ["pointer", "buffer", "buffer", "buffer", "u32"], result: "i32" },
      rq_symbol: { parameters: ["pointer", "buffer", "buffer", "i32"], result: "pointer" },
    });
    return {
      name: "liblcrq 0.0.1 (C)",
      encode(block, count) {
        const context = library.rq_init(BigInt(objectBytes), symbolBytes);
        library.rq_encode(context, new Uint8Array(block), BigInt(objectBytes));
        const repair = Array.from({ length: count }, (_, at) => {
          const id = new Uint8Array(4);
          new DataView(id.buffer).setUint32(0, (symbols + at) << 8);
          const bytes = new Uint8Array(symbolBytes);
          library.rq_symbol(context, id, bytes, 2);
          return { esi: new DataView(id.buffer).getUint32(0) >>> 8, bytes };
        });
        library.rq_free(context);
        return repair;
      },
      decode(block, repair) {
        const context = library.rq_init(BigInt(objectBytes), symbolBytes);
        const count = symbols - lost + repair.length;
        const received = new Uint8Array(count * symbolBytes);
        const esis = new Uint32Array(count);
        received.set(block.subarray(lost * symbolBytes));
        for (let at = 0; at < symbols - lost; at++) esis[at] = lost + at;
        for (const [at, { esi, bytes }] of repair.entries()) {
          received.set(bytes, (symbols - lost + at) * symbolBytes);
          esis[symbols - lost + at] = esi;
        }
        const bytes = new Uint8Array(objectBytes);
        const names = new Uint8Array(esis.buffer);
        const error = library.rq_decode(context, bytes, received, names, count);
        library.rq_free(context);
        if (error !== 0) throw tooFew();
        return bytes;
      },
    };
  } catch {
    return undefined;
  }
}

function tooFew(): Error {
  return new Error("Cannot measure: need symbols that are enough: received too few");
}

/** CPU milliseconds of this process, in steps of 10: each figure is of many operations. */
function cpuMs(): number {
  const fields = Deno.readTextFileSync("/proc/self/stat").replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function cost(operation: () => void): number {
  const times = 20;
  const start = cpuMs();
  for (let time = 0; time < times; time++) operation();
  return (cpuMs() - start) / times;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

const print = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
const block = Uint8Array.from({ length: objectBytes }, (_, at) => (31 * at + 17 * (at >> 8)) & 255);
const codecs = [ours, liblcrq()].filter((codec) => codec !== undefined);
if (codecs.length === 1) print("liblcrq0.0 is not installed: ours alone");
const results = codecs.map(() => ({ encode: [] as number[], decode: [] as number[] }));
for (let round = -1; round < rounds; round++) {
  for (const [at, codec] of codecs.entries()) {
    const repair = codec.encode(block, lost + 2);
    const decoded = codec.decode(block, repair);
    if (decoded.some((byte, index) => byte !== block[index])) throw tooFew();
    const encode = cost(() => codec.encode(block, lost));
    const decode = cost(() => codec.decode(block, repair));
    if (round < 0) continue; // warm-up
    results[at].encode.push(encode);
    results[at].decode.push(decode);
  }
}
print("| codec | encode, CPU ms | Mbit/s a core | decode, CPU ms | Mbit/s a core |");
print("| --- | ---: | ---: | ---: | ---: |");
for (const [at, { name }] of codecs.entries()) {
  const cells = [results[at].encode, results[at].decode].map(median)
    .map((ms) => `${ms.toFixed(1)} | ${(objectBytes * 8 / ms / 1000).toFixed(0)}`);
  print(`| ${name} | ${cells.join(" | ")} |`);
}
