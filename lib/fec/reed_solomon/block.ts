/**
 * Coding of one source block by Reed-Solomon (RFC 5510 §8).
 *
 * @module
 */

import type { RepairSource, RepairSymbol, SourceBlock } from "../erasure_code.ts";
import type { SymbolHeap } from "../raptorq/octets.ts";
import { type Coefficients, coefficientsOf, maxSymbols } from "./coefficients.ts";
import { invert } from "./matrix.ts";
import { weightedSum } from "./weighted_sum.ts";

/** Makes the repair symbols of one source block. */
export class BlockEncoder implements RepairSource {
  /** k, its source symbols. */
  readonly symbols: number;
  readonly #symbolBytes: number;
  readonly #coefficients: Coefficients;
  readonly #heap: SymbolHeap;

  /** @throws {RangeError} When a block cannot have so many symbols. */
  constructor(block: SourceBlock) {
    this.symbols = symbolsOf(block);
    this.#symbolBytes = block.symbolBytes;
    this.#coefficients = coefficientsOf(this.symbols);
    this.#heap = heapOf(block, 1);
  }

  /**
   * Returns the repair symbol with an ESI from k to 254.
   *
   * @throws {RangeError} For another one.
   */
  repair(esi: number): Uint8Array {
    if (!isRepair(esi, this.symbols)) {
      throw new RangeError(
        `Cannot code by Reed-Solomon: need an ESI from ${this.symbols} to 254: received ${esi}`,
      );
    }
    weightedSum(this.#heap, this.symbols, 0, this.#coefficients.row(esi));
    return bytesAt(this.#heap, this.symbols).slice(0, this.#symbolBytes);
  }
}

/**
 * Fills in the source symbols that are missing; as many repair symbols are always enough.
 *
 * @param block Its bytes are written to.
 * @param missing ESIs of the source symbols that are not there.
 * @param repair Repair symbols, each ESI once; those that the code does not have are passed over.
 * @returns Whether it worked; otherwise it takes more symbols.
 */
export function decodeBlock(
  block: SourceBlock,
  missing: readonly number[],
  repair: readonly RepairSymbol[],
): boolean {
  const symbols = symbolsOf(block);
  const used = repair.filter(({ esi }) => isRepair(esi, symbols)).slice(0, missing.length);
  if (used.length < missing.length) return false;
  if (missing.length === 0) return true;
  const coefficients = coefficientsOf(symbols);
  const rows = used.map(({ esi }) => coefficients.row(esi));
  const solution = invert(rows.map((row) => Uint8Array.from(missing, (esi) => row[esi])));
  if (solution === undefined) return false;
  // Source symbols, what is left of each repair symbol without them, and room for one result.
  const heap = heapOf(block, used.length + 1);
  for (const esi of missing) bytesAt(heap, esi).fill(0);
  for (const [at, { bytes }] of used.entries()) {
    weightedSum(heap, symbols + at, 0, rows[at]);
    addBytes(bytesAt(heap, symbols + at), bytes);
  }
  const place = symbols + used.length;
  for (const [at, esi] of missing.entries()) {
    weightedSum(heap, place, symbols, solution[at]);
    const start = esi * block.symbolBytes;
    const end = Math.min(start + block.symbolBytes, block.bytes.length);
    block.bytes.set(bytesAt(heap, place).subarray(0, end - start), start);
  }
  return true;
}

function symbolsOf({ bytes, symbolBytes }: SourceBlock): number {
  return Math.ceil(bytes.length / symbolBytes);
}

function isRepair(esi: number, symbols: number): boolean {
  return esi >= symbols && esi < maxSymbols;
}

/** The symbols of a block as words, the last with zeros behind it, and room for `more`. */
function heapOf({ bytes, symbolBytes }: SourceBlock, more: number): SymbolHeap {
  const length = Math.ceil(symbolBytes / 4);
  const symbols = Math.ceil(bytes.length / symbolBytes);
  const heap = { words: new Uint32Array((symbols + more) * length), length };
  for (let symbol = 0; symbol < symbols; symbol++) {
    const start = symbol * symbolBytes;
    bytesAt(heap, symbol).set(bytes.subarray(start, start + symbolBytes));
  }
  return heap;
}

function bytesAt({ words, length }: SymbolHeap, place: number): Uint8Array {
  return new Uint8Array(words.buffer, place * length * 4, length * 4);
}

function addBytes(to: Uint8Array, from: Uint8Array): void {
  for (let at = 0; at < from.length; at++) to[at] ^= from[at];
}
