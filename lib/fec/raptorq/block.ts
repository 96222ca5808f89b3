/**
 * Coding of one source block (RFC 6330 §5.3, §5.4): repair symbols from source symbols, and source
 * symbols back from any symbols that are enough.
 *
 * @module
 */

import type { RepairSource, RepairSymbol, SourceBlock } from "../erasure_code.ts";
import { type Code, codeOf, columnsOf, maxDegree } from "./code.ts";
import { addSymbols, type SymbolHeap } from "./octets.ts";
import { type Plan, planOf } from "./plan.ts";
import { replay } from "./replay.ts";

/** Plans to encode, the newest last: senders use a few block sizes again and again. */
const plans = new Map<number, Plan>();
const mostPlans = 8;

/** Makes the repair symbols of one source block. */
export class BlockEncoder implements RepairSource {
  /** K, its source symbols. */
  readonly symbols: number;
  readonly #symbolBytes: number;
  readonly #code: Code;
  readonly #heap: SymbolHeap;
  readonly #columns = new Int32Array(maxDegree);

  /**
   * Finds the intermediate symbols; this is the work, the repair symbols are cheap.
   *
   * @throws {RangeError} When a block cannot have so many symbols.
   */
  constructor({ bytes, symbolBytes }: SourceBlock) {
    this.symbols = Math.ceil(bytes.length / symbolBytes);
    this.#symbolBytes = symbolBytes;
    this.#code = codeOf(this.symbols);
    const plan = encodingPlan(this.#code);
    this.#heap = heapFor(plan, symbolBytes);
    for (let symbol = 0; symbol < this.symbols; symbol++) {
      const start = symbol * symbolBytes;
      const from = bytes.subarray(start, start + symbolBytes);
      put(this.#heap, this.#code.intermediateSymbols + symbol, from);
    }
    replay(plan, this.#heap);
  }

  /** Returns the repair symbol with an ESI from K to 2^24-1, T bytes. */
  repair(esi: number): Uint8Array {
    const isi = esi + this.#code.sourceSymbols - this.symbols;
    const place = this.#code.intermediateSymbols; // the source symbols are not needed any more
    return encode(this.#code, isi, { heap: this.#heap, place, columns: this.#columns })
      .slice(0, this.#symbolBytes);
  }
}

/**
 * Fills in the source symbols that are missing.
 *
 * @param block Its bytes are written to.
 * @param missing ESIs of the source symbols that are not there.
 * @param repair Repair symbols, each ESI once.
 * @returns Whether it worked; otherwise it takes more symbols.
 */
export function decodeBlock(
  { bytes, symbolBytes }: SourceBlock,
  missing: readonly number[],
  repair: readonly RepairSymbol[],
): boolean {
  if (missing.length === 0) return true;
  if (repair.length < missing.length) return false;
  const symbols = Math.ceil(bytes.length / symbolBytes);
  const code = codeOf(symbols);
  const lost = new Set(missing);
  const padding = code.sourceSymbols - symbols;
  const isis: number[] = [];
  for (let isi = 0; isi < code.sourceSymbols; isi++) if (!lost.has(isi)) isis.push(isi);
  for (const { esi } of repair) isis.push(esi + padding);
  const plan = planOf(code, Int32Array.from(isis), mostPutAside(code));
  if (plan === undefined) return false;
  const heap = heapFor(plan, symbolBytes);
  for (const [at, isi] of isis.slice(0, isis.length - repair.length).entries()) {
    if (isi >= symbols) break; // padding is zero
    const start = isi * symbolBytes;
    put(heap, code.intermediateSymbols + at, bytes.subarray(start, start + symbolBytes));
  }
  const firstRepair = code.intermediateSymbols + isis.length - repair.length;
  for (const [at, symbol] of repair.entries()) put(heap, firstRepair + at, symbol.bytes);
  replay(plan, heap);
  const work = { heap, place: code.intermediateSymbols, columns: new Int32Array(maxDegree) };
  for (const esi of missing) {
    const start = esi * symbolBytes;
    bytes.set(
      encode(code, esi, work).subarray(0, Math.min(symbolBytes, bytes.length - start)),
      start,
    );
  }
  return true;
}

/**
 * So many symbols are put aside at most to decode. Of symbols that come as they like it is P and a few
 * (of 4,000 symbols 148, of 20,000 291, where P is 100 and 224); a sender who picks ESIs of the highest
 * degree brings it to three of four, and decoding to hours.
 */
function mostPutAside({ inactiveSymbols }: Code): number {
  return 2 * inactiveSymbols + 48;
}

function encodingPlan(code: Code): Plan {
  const known = plans.get(code.sourceSymbols);
  const isis = () => Int32Array.from({ length: code.sourceSymbols }, (_, isi) => isi);
  const plan = known ?? planOf(code, isis());
  if (plan === undefined) {
    throw new Error(`Cannot code a RaptorQ block: need table 2 to hold: received K' ${code}`);
  }
  plans.delete(code.sourceSymbols);
  plans.set(code.sourceSymbols, plan);
  if (plans.size > mostPlans) plans.delete(plans.keys().next().value as number);
  return plan;
}

function heapFor(plan: Plan, symbolBytes: number): SymbolHeap {
  const length = Math.ceil(symbolBytes / 4);
  return { words: new Uint32Array(plan.places * length), length };
}

function put({ words, length }: SymbolHeap, place: number, bytes: Uint8Array): void {
  new Uint8Array(words.buffer, place * length * 4, length * 4).set(bytes);
}

/** Adds up an encoding symbol at a place of the heap, and returns its bytes there. */
function encode(
  code: Code,
  isi: number,
  { heap, place, columns }: { heap: SymbolHeap; place: number; columns: Int32Array },
): Uint8Array {
  const { words, length } = heap;
  const count = columnsOf(code, isi, columns);
  words.fill(0, place * length, (place + 1) * length);
  addSymbols(heap, place, columns, 0, count);
  return new Uint8Array(words.buffer, place * length * 4, length * 4);
}
