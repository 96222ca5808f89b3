/**
 * From the internal symbol IDs at hand to the sums that give the intermediate symbols (RFC 6330
 * §5.4.2). A plan depends on the IDs alone, so the plan of a block size is made once to encode.
 *
 * Symbols are named by their place: the L intermediate ones first, then one for each encoding symbol in
 * the order of the IDs, then what is needed on the way.
 *
 * @module
 */

import { alphaPower, inverse, multiply } from "./octets.ts";
import { type Code } from "./code.ts";
import { peel, type Peeling } from "./peeling.ts";
import { rand } from "./random.ts";
import { type Rows, rowsOf } from "./rows.ts";

/** What one operation does; the numbers that follow it in a plan are in brackets. */
export const operations = {
  /** [to, count, sources...]: to = sum of the sources. */
  set: 0,
  /** [to, count, sources...]: to += sum of the sources. */
  add: 1,
  /** [to, from, a, b]: to = alpha * to + from; a += to; b += to. */
  fold: 2,
  /** [to, from, factor]: to += factor * from. */
  addMultiple: 3,
  /** [to, factor]: to = factor * to. */
  scale: 4,
} as const;

/** Operations on symbols, one after the other. */
export interface Plan {
  readonly code: Code;
  readonly steps: Int32Array;
  /** How many places there are. */
  readonly places: number;
}

/**
 * Plans how to get the intermediate symbols.
 *
 * @param isis Internal symbol IDs, each once.
 * @param mostInactive Most symbols that may be put aside; what is left then grows with their cube.
 * @returns `undefined` when they are not enough: there are many solutions, or it is too much work.
 */
export function planOf(code: Code, isis: Int32Array, mostInactive?: number): Plan | undefined {
  const rows = rowsOf(code, isis);
  if (rows.count + code.hdpcSymbols < code.intermediateSymbols) return undefined;
  const peeling = peel(code, rows, mostInactive);
  return peeling && new Planner(code, rows, peeling).run();
}

/** A spare row that was reduced: it gives one inactive symbol from those that stay free. */
interface Reduced {
  readonly place: number;
  readonly pivot: number;
  readonly bits: Uint32Array;
}

class Planner {
  readonly #code: Code;
  readonly #rows: Rows;
  readonly #peeling: Peeling;
  readonly #steps = new Steps();
  /** Number of an inactive column among the inactive; -1 for others. */
  readonly #inactiveIndex: Int32Array;
  /** Words of the bits of one column. */
  readonly #stride: number;
  /** For each column: which inactive symbols have to be added to what peeling gives. */
  readonly #bits: Uint32Array;
  /** Spare rows that give an inactive symbol, by the symbol's number. */
  readonly #reduced = new Map<number, Reduced>();
  #places: number;

  constructor(code: Code, rows: Rows, peeling: Peeling) {
    this.#code = code;
    this.#rows = rows;
    this.#peeling = peeling;
    const { inactive } = this.#peeling;
    this.#inactiveIndex = new Int32Array(code.intermediateSymbols).fill(-1);
    this.#stride = Math.ceil(inactive.length / 32);
    this.#bits = new Uint32Array(code.intermediateSymbols * this.#stride);
    for (const [index, column] of inactive.entries()) {
      this.#inactiveIndex[column] = index;
      this.#bits[column * this.#stride + (index >>> 5)] = 1 << (index & 31);
    }
    this.#places = code.intermediateSymbols + rows.count - code.ldpcSymbols;
  }

  run(): Plan | undefined {
    this.#forward();
    this.#reduceSpareRows();
    if (!this.#solveFree()) return undefined;
    this.#backward();
    return { code: this.#code, steps: this.#steps.done(), places: this.#places };
  }

  /** Each pivot column from those before it, as if inactive symbols were zero. */
  #forward(): void {
    const { pivotRows, pivotColumns, inactive } = this.#peeling;
    for (const column of inactive) this.#steps.sum(operations.set, column, []);
    for (let at = 0; at < pivotRows.length; at++) {
      const column = pivotColumns[at];
      this.#steps.sum(operations.set, column, this.#sources(pivotRows[at], column));
      this.#addRowBits(pivotRows[at], this.#bitsOf(column), column);
    }
  }

  /** The known symbols of a row: its encoding symbol and its pivot columns but one. */
  #sources(row: number, but: number, withInactive = false): number[] {
    const { intermediateSymbols, ldpcSymbols } = this.#code;
    const { start, columns } = this.#rows;
    const sources = row < ldpcSymbols ? [] : [intermediateSymbols + row - ldpcSymbols];
    for (let at = start[row]; at < start[row + 1]; at++) {
      const column = columns[at];
      if (column !== but && (withInactive || this.#inactiveIndex[column] < 0)) sources.push(column);
    }
    return sources;
  }

  #bitsOf(column: number): Uint32Array {
    return this.#bits.subarray(column * this.#stride, (column + 1) * this.#stride);
  }

  /** Adds the bits of all columns of a row but one. */
  #addRowBits(row: number, into: Uint32Array, but = -1): void {
    const { start, columns } = this.#rows;
    for (let at = start[row]; at < start[row + 1]; at++) {
      if (columns[at] === but) continue;
      const from = columns[at] * this.#stride;
      for (let word = 0; word < this.#stride; word++) into[word] ^= this.#bits[from + word];
    }
  }

  /** Spare rows have inactive symbols only: brings them to reduced echelon form. */
  #reduceSpareRows(): void {
    for (const row of this.#peeling.spareRows) {
      if (this.#reduced.size === this.#peeling.inactive.length) return;
      const bits = new Uint32Array(this.#stride);
      this.#addRowBits(row, bits);
      const used: number[] = [];
      for (const { place, pivot, bits: others } of this.#reduced.values()) {
        if (!hasBit(bits, pivot)) continue;
        used.push(place);
        addBits(bits, others);
      }
      const pivot = firstBit(bits);
      if (pivot < 0) continue; // says nothing new
      const place = this.#places++;
      this.#steps.sum(operations.set, place, [...this.#sources(row, -1), ...used]);
      for (const other of this.#reduced.values()) {
        if (!hasBit(other.bits, pivot)) continue;
        addBits(other.bits, bits);
        this.#steps.sum(operations.add, other.place, [place]);
      }
      this.#reduced.set(pivot, { place, pivot, bits });
    }
  }

  /** Finds the inactive symbols that no binary row gave, from the HDPC rows; then the others. */
  #solveFree(): boolean {
    const { inactive } = this.#peeling;
    const free: number[] = [];
    for (let index = 0; index < inactive.length; index++) {
      if (!this.#reduced.has(index)) free.push(index);
    }
    if (free.length > this.#code.hdpcSymbols) return false;
    const places = free.length === 0 ? [] : this.#solveHdpc(free);
    if (places === undefined) return false;
    for (const [at, index] of free.entries()) {
      this.#steps.sum(operations.set, inactive[index], [places[at]]);
    }
    for (const { place, pivot, bits } of this.#reduced.values()) {
      const sources = free.filter((index) => hasBit(bits, index)).map((index) => inactive[index]);
      this.#steps.sum(operations.set, inactive[pivot], [place, ...sources]);
    }
    return true;
  }

  /**
   * Solves the HDPC equations for the free symbols.
   *
   * @returns Where each of them is; `undefined` when the equations are not enough.
   */
  #solveHdpc(free: readonly number[]): readonly number[] | undefined {
    const first = this.#foldHdpc();
    const rows = this.#hdpcRows();
    const solved: {
      readonly place: number;
      readonly pivot: number;
      readonly factors: Uint8Array;
    }[] = [];
    for (const [at, factors] of rows.entries()) {
      if (solved.length === free.length) break;
      const before = this.#steps.mark();
      const place = first + at;
      for (const { place: from, pivot, bits } of this.#reduced.values()) {
        const factor = factors[pivot];
        if (factor === 0) continue;
        this.#steps.write(operations.addMultiple, place, from, factor);
        for (const index of free) if (hasBit(bits, index)) factors[index] ^= factor;
      }
      for (const other of solved) this.#eliminate({ place, factors }, other, free);
      const pivot = free.find((index) => factors[index] !== 0);
      if (pivot === undefined) {
        this.#steps.rewind(before);
        continue;
      }
      const factor = inverse(factors[pivot]);
      this.#steps.write(operations.scale, place, factor);
      for (const index of free) factors[index] = multiply(factor, factors[index]);
      const row = { place, pivot, factors };
      for (const other of solved) this.#eliminate(other, row, free);
      solved.push(row);
    }
    if (solved.length < free.length) return undefined;
    return free.map((index) => solved.find(({ pivot }) => pivot === index)!.place);
  }

  /** Takes the pivot of one row out of another. */
  #eliminate(
    row: { readonly place: number; readonly factors: Uint8Array },
    by: { readonly place: number; readonly factors: Uint8Array; readonly pivot: number },
    free: readonly number[],
  ): void {
    const factor = row.factors[by.pivot];
    if (factor === 0) return;
    this.#steps.write(operations.addMultiple, row.place, by.place, factor);
    for (const index of free) row.factors[index] ^= multiply(factor, by.factors[index]);
  }

  /**
   * The symbols of the HDPC rows, as far as peeling knows them. The matrix GAMMA of RFC 6330 §5.3.3.3 is
   * a running sum: each column is added to alpha times the sum so far.
   *
   * @returns Place of the first row; the others follow.
   */
  #foldHdpc(): number {
    const { hdpcSymbols } = this.#code;
    const first = this.#places;
    const sum = first + hdpcSymbols;
    this.#places += hdpcSymbols + 1;
    for (let place = first; place <= sum; place++) this.#steps.sum(operations.set, place, []);
    const last = this.#hdpcColumns - 1;
    for (let column = 0; column < last; column++) {
      const [a, b] = hdpcPair(column, hdpcSymbols);
      this.#steps.write(operations.fold, sum, column, first + a, first + b);
    }
    // To the same row twice is not at all.
    this.#steps.write(operations.fold, sum, last, first, first);
    for (let row = 0; row < hdpcSymbols; row++) {
      this.#steps.write(operations.addMultiple, first + row, sum, alphaPower(row));
    }
    return first;
  }

  get #hdpcColumns(): number {
    return this.#code.intermediateSymbols - this.#code.hdpcSymbols;
  }

  /** The factors of the inactive symbols in each HDPC row, by the same running sum. */
  #hdpcRows(): Uint8Array[] {
    const { hdpcSymbols } = this.#code;
    const width = this.#peeling.inactive.length;
    const rows = Array.from({ length: hdpcSymbols }, () => new Uint8Array(width));
    const sum = new Uint8Array(width);
    const last = this.#hdpcColumns - 1;
    for (let column = 0; column <= last; column++) {
      const bits = this.#bitsOf(column);
      for (let at = 0; at < width; at++) {
        const doubled = (sum[at] << 1) ^ (sum[at] & 0x80 ? 0x11d : 0);
        sum[at] = doubled ^ ((bits[at >>> 5] >>> (at & 31)) & 1);
      }
      if (column === last) break;
      const [a, b] = hdpcPair(column, hdpcSymbols).map((row) => rows[row]);
      for (let at = 0; at < width; at++) {
        a[at] ^= sum[at];
        b[at] ^= sum[at];
      }
    }
    for (const [row, factors] of rows.entries()) {
      const power = alphaPower(row);
      for (let at = 0; at < width; at++) factors[at] ^= multiply(power, sum[at]);
      factors[this.#inactiveIndex[last + 1 + row]] ^= 1; // the identity matrix beside it
    }
    return rows;
  }

  /** Adds the inactive symbols to the pivot columns, the shorter way for each. */
  #backward(): void {
    const { pivotRows, pivotColumns, inactive } = this.#peeling;
    for (let at = 0; at < pivotRows.length; at++) {
      const column = pivotColumns[at];
      const again = this.#sources(pivotRows[at], column, true);
      const bits = this.#bitsOf(column);
      if (countBits(bits) > again.length) {
        this.#steps.sum(operations.set, column, again);
        continue;
      }
      const sources: number[] = [];
      for (let index = 0; index < inactive.length; index++) {
        if (hasBit(bits, index)) sources.push(inactive[index]);
      }
      if (sources.length > 0) this.#steps.sum(operations.add, column, sources);
    }
  }
}

/** The two HDPC rows that a column is in by the matrix MT (RFC 6330 §5.3.3.3). */
function hdpcPair(column: number, hdpcSymbols: number): [number, number] {
  const a = rand(column + 1, 6, hdpcSymbols);
  return [a, (a + rand(column + 1, 7, hdpcSymbols - 1) + 1) % hdpcSymbols];
}

/** A list of numbers that grows. */
class Steps {
  #words = new Int32Array(4096);
  #used = 0;

  /** Writes an operation with a list of sources. */
  sum(operation: number, to: number, sources: readonly number[]): void {
    this.write(operation, to, sources.length, ...sources);
  }

  write(...words: readonly number[]): void {
    if (this.#used + words.length > this.#words.length) {
      const larger = new Int32Array(2 * (this.#words.length + words.length));
      larger.set(this.#words);
      this.#words = larger;
    }
    this.#words.set(words, this.#used);
    this.#used += words.length;
  }

  mark(): number {
    return this.#used;
  }

  /** Forgets what was written after a mark. */
  rewind(mark: number): void {
    this.#used = mark;
  }

  done(): Int32Array {
    return this.#words.slice(0, this.#used);
  }
}

function hasBit(bits: Uint32Array, at: number): boolean {
  return ((bits[at >>> 5] >>> (at & 31)) & 1) === 1;
}

function addBits(to: Uint32Array, from: Uint32Array): void {
  for (let word = 0; word < to.length; word++) to[word] ^= from[word];
}

function firstBit(bits: Uint32Array): number {
  const word = bits.findIndex((value) => value !== 0);
  return word < 0 ? -1 : word * 32 + 31 - Math.clz32(bits[word] & -bits[word]);
}

function countBits(bits: Uint32Array): number {
  let count = 0;
  for (let word of bits) {
    for (; word !== 0; word &= word - 1) count++;
  }
  return count;
}
