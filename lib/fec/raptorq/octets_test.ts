import assert from "node:assert/strict";
import fc from "fast-check";
import {
  addMultiple,
  addSymbols,
  alphaPower,
  foldSymbol,
  inverse,
  multiply,
  scaleSymbol,
} from "./octets.ts";

const octet = fc.integer({ min: 0, max: 255 });

/** The product by the book: shift and subtract the field's polynomial. */
function slowProduct(a: number, b: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ (product & 0x80 ? 0x11d : 0) ^ ((b >> bit) & 1 ? a : 0);
  }
  return product;
}

/** Symbols of two words each, and their octets one by one. */
function heapOf(symbols: number[][]) {
  const words = new Uint32Array(Uint8Array.from(symbols.flat()).buffer);
  const octets = () => {
    const bytes = [...new Uint8Array(words.buffer)];
    return symbols.map((_, at) => bytes.slice(8 * at, 8 * at + 8));
  };
  return { heap: { words, length: 2 }, octets };
}

const symbol = fc.array(octet, { minLength: 8, maxLength: 8 });

Deno.test("products are those of the field, and have inverses", () => {
  for (let a = 0; a < 256; a++) {
    for (let b = 0; b < 256; b++) assert.equal(multiply(a, b), slowProduct(a, b));
    if (a > 0) assert.equal(multiply(a, inverse(a)), 1);
  }
  assert.deepEqual([0, 1, 8, 255].map(alphaPower), [1, 2, 0x1d, 1]);
});

Deno.test("multiples are added and scaled octet by octet", () => {
  fc.assert(fc.property(symbol, symbol, octet, (to, from, factor) => {
    const { heap, octets } = heapOf([to, from]);
    addMultiple(heap, 0, 1, factor);
    const sum = to.map((value, at) => value ^ multiply(factor, from[at]));
    assert.deepEqual(octets(), [sum, from]);
    scaleSymbol(heap, 0, factor);
    assert.deepEqual(octets()[0], sum.map((value) => multiply(factor, value)));
  }));
});

Deno.test("any number of symbols is added", () => {
  fc.assert(fc.property(fc.array(symbol, { minLength: 1, maxLength: 12 }), (symbols) => {
    const { heap, octets } = heapOf(symbols);
    const sources = Int32Array.from(symbols, (_, at) => at).subarray(1);
    addSymbols(heap, 0, sources, 0, sources.length);
    const sum = symbols[0].map((_, at) => symbols.reduce((xor, one) => xor ^ one[at], 0));
    assert.deepEqual(octets(), [sum, ...symbols.slice(1)]);
  }));
});

Deno.test("a fold is alpha times the sum so far and the next symbol, added to two rows", () => {
  fc.assert(fc.property(symbol, symbol, symbol, symbol, (sum, next, a, b) => {
    const { heap, octets } = heapOf([sum, next, a, b]);
    foldSymbol(heap, 0, 1, 2, 3);
    const folded = sum.map((value, at) => multiply(2, value) ^ next[at]);
    const plus = (row: number[]) => row.map((value, at) => value ^ folded[at]);
    assert.deepEqual(octets(), [folded, next, plus(a), plus(b)]);
  }));
});
