/**
 * Symbols as words, and the field of 256 elements that a few of their sums are over (RFC 6330 §5.7:
 * x^8 + x^4 + x^3 + x^2 + 1, alpha = 2).
 *
 * All symbols of a block lie one behind the other in one array, so a symbol is a number of words from
 * its start. Words are in the machine's byte order; no operation here mixes the bytes of a word.
 *
 * @module
 */

/** alpha^i at i, twice over, so that the sum of two logarithms needs no modulo. */
const exponentials = new Uint8Array(510);
const logarithms = new Uint8Array(256);
for (let power = 0, value = 1; power < 255; power++) {
  exponentials[power] = exponentials[power + 255] = value;
  logarithms[value] = power;
  value = (value << 1) ^ (value & 0x80 ? 0x11d : 0);
}

/** alpha^power, for 0 to 509. */
export function alphaPower(power: number): number {
  return exponentials[power];
}

/** The product of two octets (RFC 6330 §5.7.2). */
export function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : exponentials[logarithms[a] + logarithms[b]];
}

/** The octet that gives 1 with `a`, which is not 0. */
export function inverse(a: number): number {
  return exponentials[255 - logarithms[a]];
}

/** `product[a << 8 | b]` of two octets: a row for each factor. */
const products = new Uint8Array(65_536);
for (let a = 0; a < 256; a++) {
  for (let b = 0; b < 256; b++) products[(a << 8) | b] = multiply(a, b);
}

/** Where symbols lie: `length` words each. */
export interface SymbolHeap {
  readonly words: Uint32Array;
  /** Words of a symbol. */
  readonly length: number;
}

/** Symbol `to` += the `count` symbols named in `sources` from `first` on. */
export function addSymbols(
  { words, length }: SymbolHeap,
  to: number,
  sources: Int32Array,
  first: number,
  count: number,
): void {
  const start = to * length;
  const end = first + count;
  let at = first;
  for (; at + 4 <= end; at += 4) {
    const a = sources[at] * length, b = sources[at + 1] * length;
    const c = sources[at + 2] * length, d = sources[at + 3] * length;
    for (let word = 0; word < length; word++) {
      words[start + word] ^= words[a + word] ^ words[b + word] ^ words[c + word] ^
        words[d + word];
    }
  }
  if (at + 2 <= end) {
    const a = sources[at] * length, b = sources[at + 1] * length;
    for (let word = 0; word < length; word++) {
      words[start + word] ^= words[a + word] ^ words[b + word];
    }
    at += 2;
  }
  if (at < end) {
    const a = sources[at] * length;
    for (let word = 0; word < length; word++) words[start + word] ^= words[a + word];
  }
}

/** Symbol `to` = alpha times itself + symbol `from`, and adds that to the symbols `a` and `b`. */
export function foldSymbol(
  { words, length }: SymbolHeap,
  to: number,
  from: number,
  a: number,
  b: number,
): void {
  const start = to * length, other = from * length, first = a * length, second = b * length;
  for (let at = 0; at < length; at++) {
    const word = words[start + at];
    const doubled = ((word << 1) & 0xfefefefe) ^ Math.imul((word >>> 7) & 0x01010101, 0x1d);
    const sum = doubled ^ words[other + at];
    words[start + at] = sum;
    words[first + at] ^= sum;
    words[second + at] ^= sum;
  }
}

/** Symbol `to` += `factor` times symbol `from`. */
export function addMultiple(
  { words, length }: SymbolHeap,
  to: number,
  from: number,
  factor: number,
): void {
  const start = to * length, other = from * length, row = factor << 8;
  for (let at = 0; at < length; at++) {
    const word = words[other + at];
    words[start + at] ^= products[row | (word & 255)] |
      (products[row | ((word >>> 8) & 255)] << 8) |
      (products[row | ((word >>> 16) & 255)] << 16) |
      (products[row | (word >>> 24)] << 24);
  }
}

/** Symbol `to` = `factor` times itself; `factor` is not 0. */
export function scaleSymbol({ words, length }: SymbolHeap, to: number, factor: number): void {
  const start = to * length, row = factor << 8;
  for (let at = start; at < start + length; at++) {
    const word = words[at];
    words[at] = products[row | (word & 255)] | (products[row | ((word >>> 8) & 255)] << 8) |
      (products[row | ((word >>> 16) & 255)] << 16) | (products[row | (word >>> 24)] << 24);
  }
}
