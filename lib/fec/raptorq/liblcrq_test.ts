import assert from "node:assert/strict";
import { BlockEncoder } from "./block.ts";

// An independent RaptorQ: liblcrq from Debian, called in place.

const path = "liblcrq.so.0.0";

/** Opens the library, or returns `undefined` where it is not installed. */
function openLiblcrq() {
  try {
    return Deno.dlopen(path, {
      rq_init: { parameters: ["u64", "u16"], result: "pointer" },
      rq_free: { parameters: ["pointer"], result: "void" },
      rq_encode: { parameters: ["pointer", "buffer", "usize"], result: "i32" },
      rq_decode: { parameters: ["pointer", "buffer", "buffer", "buffer", "u32"], result: "i32" },
      rq_symbol: { parameters: ["pointer", "buffer", "buffer", "i32"], result: "pointer" },
    }).symbols;
  } catch {
    return undefined;
  }
}

/** What it makes of one block. */
type Liblcrq = NonNullable<ReturnType<typeof openLiblcrq>>;

const repairFlag = 2;

/** Its repair symbols of a block, by ESI, in the order that it makes them. */
function liblcrqRepair(
  library: Liblcrq,
  { bytes, symbolBytes }: { readonly bytes: Uint8Array; readonly symbolBytes: number },
  count: number,
): { esi: number; bytes: Uint8Array }[] {
  const context = library.rq_init(BigInt(bytes.length), symbolBytes);
  try {
    const data = new Uint8Array(bytes);
    library.rq_encode(context, data, BigInt(data.length));
    const symbols = Math.ceil(bytes.length / symbolBytes);
    return Array.from({ length: count }, (_, at) => {
      const id = new Uint8Array(4); // its order: 24 bits of ESI, then the block
      new DataView(id.buffer).setUint32(0, (symbols + at) << 8);
      const symbol = new Uint8Array(symbolBytes);
      library.rq_symbol(context, id, symbol, repairFlag);
      return { esi: new DataView(id.buffer).getUint32(0) >>> 8, bytes: symbol };
    });
  } finally {
    library.rq_free(context);
  }
}

/** Lets it decode one block from symbols; returns the block, or its error. */
function liblcrqDecode(
  library: Liblcrq,
  { length, symbolBytes }: { readonly length: number; readonly symbolBytes: number },
  symbols: readonly { esi: number; bytes: Uint8Array }[],
): Uint8Array | number {
  const context = library.rq_init(BigInt(length), symbolBytes);
  try {
    const received = new Uint8Array(symbols.length * symbolBytes);
    for (const [at, { bytes }] of symbols.entries()) received.set(bytes, at * symbolBytes);
    const esis = Uint32Array.from(symbols, ({ esi }) => esi);
    const decoded = new Uint8Array(Math.ceil(length / symbolBytes) * symbolBytes);
    const error = library.rq_decode(
      context,
      decoded,
      received,
      new Uint8Array(esis.buffer),
      symbols.length,
    );
    return error === 0 ? decoded.subarray(0, length) : error;
  } finally {
    library.rq_free(context);
  }
}

/** Bytes that differ from symbol to symbol. */
function body(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (31 * at + 17 * (at >> 8)) & 255);
}

const library = openLiblcrq();
const ignore = library === undefined;
const why = ignore ? " (needs Debian's liblcrq0.0)" : "";

for (const [length, symbolBytes] of [[1, 4], [100, 8], [10_000, 1024], [70_001, 1400]]) {
  const name = `${length} bytes in symbols of ${symbolBytes}${why}`;

  Deno.test({ name: `liblcrq makes the same repair symbols: ${name}`, ignore }, () => {
    const block = { bytes: body(length), symbolBytes };
    const encoder = new BlockEncoder(block);
    for (const { esi, bytes } of liblcrqRepair(library!, block, 20)) {
      assert.deepEqual(encoder.repair(esi), bytes, `ESI ${esi}`);
    }
  });

  Deno.test({ name: `liblcrq decodes what we encode: ${name}`, ignore }, () => {
    const block = { bytes: body(length), symbolBytes };
    const encoder = new BlockEncoder(block);
    // Only every third source symbol came; it knows no short last symbol.
    const padded = new Uint8Array(encoder.symbols * symbolBytes);
    padded.set(block.bytes);
    const source = Array.from({ length: encoder.symbols }, (_, esi) => {
      return { esi, bytes: padded.slice(esi * symbolBytes, (esi + 1) * symbolBytes) };
    }).filter(({ esi }) => esi % 3 === 0);
    const repair = Array.from({ length: encoder.symbols - source.length + 2 }, (_, at) => {
      const esi = encoder.symbols + at;
      return { esi, bytes: encoder.repair(esi) };
    });
    const decoded = liblcrqDecode(library!, { length, symbolBytes }, [...source, ...repair]);
    assert.deepEqual(decoded, block.bytes);
  });
}
