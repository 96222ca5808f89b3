import assert from "node:assert/strict";
import fc from "fast-check";
import { BlockEncoder, decodeBlock } from "./block.ts";
import { coefficientsOf } from "./coefficients.ts";
import { invert } from "./matrix.ts";

const hex = (bytes: Uint8Array) => [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");

/** A block whose symbol i has the byte (7 i + 13 b) mod 256 at b. */
function pattern(symbols: number, symbolBytes: number) {
  const bytes = Uint8Array.from(
    { length: symbols * symbolBytes },
    (_, at) => (7 * Math.floor(at / symbolBytes) + 13 * (at % symbolBytes)) & 255,
  );
  return { bytes, symbolBytes };
}

// Known parities of this code, which codes with evaluation points 0, 1, 2, ... do not have.
const known = [
  { symbols: 2, rows: [[2, 3], [6, 7]] },
  { symbols: 3, rows: [[8, 14, 7], [56, 34, 27]] },
  { symbols: 4, rows: [[64, 120, 54, 15], [231, 210, 87, 99], [229, 191, 7, 92]] },
];

for (const { symbols, rows } of known) {
  Deno.test(`the coefficients of ${symbols} symbols are those of RFC 5510`, () => {
    for (const [at, row] of rows.entries()) {
      assert.deepEqual([...coefficientsOf(symbols).row(symbols + at)], row);
    }
  });
}

Deno.test("known repair symbols of 10 source symbols", () => {
  const encoder = new BlockEncoder(pattern(10, 8));
  assert.deepEqual([10, 11, 12].map((esi) => hex(encoder.repair(esi))), [
    "3850c10f67d23148",
    "d936e37a5a04fe39",
    "45ac41f4389cf4b4",
  ]);
});

/** Multiplies as the RFC defines it: polynomials modulo x^8 + x^4 + x^3 + x^2 + 1. */
function times(a: number, b: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ (product & 0x80 ? 0x11d : 0);
    if ((b >> bit) & 1) product ^= a;
  }
  return product & 255;
}

const power = (exponent: number) => {
  let value = 1;
  for (let n = 0; n < exponent; n++) value = times(value, 2);
  return value;
};

Deno.test("the generator matrix is Vkk^-1 times Vkn, as RFC 5510 §8 writes it", () => {
  for (const k of [1, 2, 7, 33]) {
    const n = Math.min(255, 2 * k + 3);
    const v = Array.from(
      { length: k },
      (_, i) => Uint8Array.from({ length: n }, (_, j) => power((i * j) % 255)),
    );
    const left = invert(v.map((row) => row.slice(0, k)))!;
    for (let esi = k; esi < n; esi++) {
      const column = left.map((row) =>
        row.reduce((sum, value, i) => sum ^ times(value, v[i][esi]), 0)
      );
      assert.deepEqual([...coefficientsOf(k).row(esi)], column, `k ${k}, ESI ${esi}`);
    }
  }
});

Deno.test("any k symbols make the block, also with a short last symbol", () => {
  const blocks = fc.record({
    symbols: fc.integer({ min: 1, max: 60 }),
    symbolBytes: fc.integer({ min: 1, max: 13 }),
    short: fc.nat(12),
    seed: fc.infiniteStream(fc.nat()),
  });
  fc.assert(fc.property(blocks, ({ symbols, symbolBytes, short, seed }) => {
    const length = symbols * symbolBytes - Math.min(short, symbolBytes - 1);
    const random = () => seed.next().value as number;
    const bytes = Uint8Array.from({ length }, () => random() & 255);
    const encoder = new BlockEncoder({ bytes, symbolBytes });
    const lost = Array.from({ length: symbols }, (_, esi) => esi).filter(() => random() % 3 === 0);
    const esis = new Set<number>();
    while (esis.size < lost.length) esis.add(symbols + random() % (255 - symbols));
    const repair = [...esis].map((esi) => ({ esi, bytes: encoder.repair(esi) }));
    const damaged = bytes.slice();
    for (const esi of lost) damaged.fill(0xee, esi * symbolBytes, (esi + 1) * symbolBytes);
    const block = { bytes: damaged, symbolBytes };
    if (lost.length > 0) assert.equal(decodeBlock(block, lost, repair.slice(1)), false);
    assert.equal(decodeBlock(block, lost, repair), true);
    assert.deepEqual(damaged, bytes);
  }));
});

Deno.test("the largest block: 127 of 254 symbols lost", () => {
  const { bytes, symbolBytes } = pattern(128, 20);
  const encoder = new BlockEncoder({ bytes, symbolBytes });
  const lost = Array.from({ length: 127 }, (_, esi) => esi);
  const repair = lost.map((esi) => ({ esi: 128 + esi, bytes: encoder.repair(128 + esi) }));
  const damaged = bytes.slice();
  damaged.fill(0, 0, 127 * symbolBytes);
  assert.equal(decodeBlock({ bytes: damaged, symbolBytes }, lost, repair), true);
  assert.deepEqual(damaged, bytes);
});

Deno.test("repair symbols that the code does not have are passed over, and never throw", () => {
  const { bytes, symbolBytes } = pattern(3, 8);
  const encoder = new BlockEncoder({ bytes, symbolBytes });
  const real = { esi: 9, bytes: encoder.repair(9) };
  const false1 = [255, 256, 2 ** 24, 2, -1].map((esi) => ({ esi, bytes: new Uint8Array(8) }));
  assert.equal(decodeBlock({ bytes: bytes.slice(), symbolBytes }, [1], false1), false);
  const damaged = bytes.slice();
  damaged.fill(0, 8, 16);
  assert.equal(decodeBlock({ bytes: damaged, symbolBytes }, [1], [...false1, real]), true);
  assert.deepEqual(damaged, bytes);
  assert.throws(() => encoder.repair(255), /^RangeError: Cannot code .*: received 255$/);
});
