import assert from "node:assert/strict";
import fc from "fast-check";
import type { SourceBlock } from "../erasure_code.ts";
import { BlockEncoder, decodeBlock } from "./block.ts";
import { codeOf, columnsOf, maxDegree } from "./code.ts";

/** Bytes that differ from symbol to symbol. */
function body(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (31 * at + 17 * (at >> 8)) & 255);
}

/** CRC-32/MPEG-2, as the vectors were written down with. */
function crc(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) value = (value << 1) ^ (value < 0 ? 0x04c11db7 : 0);
  }
  return value >>> 0;
}

/** Symbols from `first` on. */
function repairFrom(encoder: BlockEncoder, first: number, count: number) {
  return Array.from({ length: count }, (_, at) => {
    return { esi: first + at, bytes: encoder.repair(first + at) };
  });
}

/** A copy with source symbols overwritten. */
function without({ bytes, symbolBytes }: SourceBlock, missing: readonly number[]): SourceBlock {
  const left = bytes.slice();
  for (const esi of missing) left.fill(0xee, esi * symbolBytes, (esi + 1) * symbolBytes);
  return { bytes: left, symbolBytes };
}

// Two independent encoders agree on these: the Rust crate raptorq 2.0.1 and liblcrq 0.0.1.
const vectors = [
  [100, 100, 1, 0xb7f10009],
  [100, 100, 2, 0xab25d3f7],
  [4096, 1024, 4, 0xc09bb5e8],
  [4096, 1024, 5, 0xf3f19472],
  [10_000, 1024, 10, 0xd37b6b47],
  [10_000, 1024, 11, 0x1451b2b0],
  [1_048_576, 1432, 733, 0x97765082],
  [1_048_576, 1432, 734, 0x5458ddbb],
] as const;

for (const [length, symbolBytes, esi, expected] of vectors) {
  Deno.test(`repair symbol ${esi} of ${length} bytes in symbols of ${symbolBytes}`, () => {
    const encoder = new BlockEncoder({ bytes: body(length), symbolBytes });
    assert.equal(crc(encoder.repair(esi)), expected);
  });
}

Deno.test("blocks come back from any symbols, of any size and loss", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 120 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 0, max: 39 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 0, max: 2 ** 23 }),
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      (symbols, symbolBytes, short, loss, firstRepair, dice) => {
        const bytes = body(symbols * symbolBytes - Math.min(short, symbolBytes - 1));
        const block = { bytes, symbolBytes };
        const missing = Array.from({ length: symbols }, (_, esi) => esi)
          .filter(() => dice.next().value < loss);
        const encoder = new BlockEncoder(block);
        // With 4 more than needed about one block in 10^10 cannot be solved.
        const repair = repairFrom(encoder, symbols + firstRepair, missing.length + 4);
        const damaged = without(block, missing);
        assert.ok(decodeBlock(damaged, missing, repair));
        assert.deepEqual(damaged.bytes, bytes);
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("every row of table 2 up to 2,000 symbols codes and decodes", () => {
  for (let symbols = 1; symbols <= 2000; symbols = codeOf(symbols).sourceSymbols + 1) {
    const block = { bytes: body(symbols * 4), symbolBytes: 4 };
    const missing = Array.from({ length: Math.ceil(symbols / 5) }, (_, at) => at * 5);
    const repair = repairFrom(new BlockEncoder(block), symbols, missing.length + 3);
    const damaged = without(block, missing);
    assert.ok(decodeBlock(damaged, missing, repair), `${symbols} symbols`);
    assert.deepEqual(damaged.bytes, block.bytes, `${symbols} symbols`);
  }
});

Deno.test("the largest block codes and decodes", () => {
  const symbols = 56_403;
  const block = { bytes: body(symbols * 4), symbolBytes: 4 };
  const missing = Array.from({ length: 600 }, (_, at) => at * 94);
  const repair = repairFrom(new BlockEncoder(block), symbols, missing.length + 2);
  const damaged = without(block, missing);
  assert.ok(decodeBlock(damaged, missing, repair));
  assert.deepEqual(damaged.bytes, block.bytes);
  assert.throws(
    () => new BlockEncoder({ bytes: new Uint8Array(symbols + 1), symbolBytes: 1 }),
    /need 1 to 56403 symbols: received 56404/,
  );
});

Deno.test("fewer symbols than a block has are refused, and nothing is written", () => {
  const block = { bytes: body(40 * 8), symbolBytes: 8 };
  const repair = repairFrom(new BlockEncoder(block), 40, 9);
  const missing = Array.from({ length: 10 }, (_, at) => 3 * at);
  const damaged = without(block, missing);
  const before = damaged.bytes.slice();
  assert.equal(decodeBlock(damaged, missing, repair), false);
  assert.deepEqual(damaged.bytes, before);
});

Deno.test("a block of symbols that were picked to be slow is given up: 6,000 of them took 7 s", () => {
  const symbols = 1000;
  const encoder = new BlockEncoder({ bytes: body(symbols), symbolBytes: 1 });
  const code = codeOf(symbols);
  const columns = new Int32Array(maxDegree);
  const picked: number[] = [];
  for (let esi = symbols; picked.length < symbols + 2; esi++) {
    const isi = esi + code.sourceSymbols - symbols;
    if (columnsOf(code, isi, columns) >= maxDegree - 1) picked.push(esi);
  }
  const repair = picked.map((esi) => ({ esi, bytes: encoder.repair(esi) }));
  const missing = Array.from({ length: symbols }, (_, esi) => esi);
  const block = { bytes: new Uint8Array(symbols), symbolBytes: 1 };
  assert.equal(decodeBlock(block, missing, repair), false);
  assert.ok(block.bytes.every((byte) => byte === 0), "nothing is written");
});

Deno.test("as many symbols as the block has are enough 97 times in 100", () => {
  const symbols = 60;
  const block = { bytes: body(symbols), symbolBytes: 1 };
  const encoder = new BlockEncoder(block);
  const missing = Array.from({ length: symbols }, (_, esi) => esi);
  const failures = (extra: number) => {
    let count = 0;
    for (let round = 0; round < 300; round++) {
      const damaged = without(block, missing);
      const repair = repairFrom(encoder, symbols + 100 * round, symbols + extra);
      if (!decodeBlock(damaged, missing, repair)) count++;
      else assert.deepEqual(damaged.bytes, block.bytes);
    }
    return count;
  };
  assert.ok(failures(0) <= 9, "RFC 6330 is known for 1 in 100");
  assert.equal(failures(2), 0, "and for 1 in a million with two more");
});
