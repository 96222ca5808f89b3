/**
 * One object being put together from symbols that come in any order, more than once, or not at all.
 *
 * @module
 */

import { blockOf, blockSymbols, type ErasureCode, type Partition, symbolIndex } from "#fec";
import { RepairSymbols } from "./repair_symbols.ts";

/** What a symbol was good for. */
export type PutOutcome =
  | "stored"
  | "duplicate"
  /** A repair symbol of a block that is whole. */
  | "surplus"
  | "bad_payload_id"
  | "bad_payload_length";

/**
 * Ends of unfinished repairs that are remembered: more parallel range requests than anybody makes.
 */
const mostTails = 256;

/** How an object with an erasure code is mended. */
interface Mending {
  /** Missing symbols of each block. */
  readonly missing: Int32Array;
  readonly repair: RepairSymbols;
  /** Whether a block of so many symbols that lacks so many may be decoded now. */
  readonly mayDecode: (symbols: number, missing: number) => boolean;
  /** Blocks that could be decoded, and must wait until they may. */
  readonly waiting: Set<number>;
}

const always = () => true;

/** The bytes of one object, and which of its symbols are there. Each byte is written once. */
export class Assembly {
  readonly cut: Partition;
  /** All of the object, zero where bytes are missing. */
  readonly body: Uint8Array;
  /** One bit a symbol, lowest first. */
  readonly #have: Uint32Array;
  #missing: number;
  /** Absent without an erasure code. */
  readonly #mending: Mending | undefined;
  /** The first missing symbol. */
  #front = 0;
  #receivedBytes = 0;
  /**
   * Where a repair stopped inside a symbol, by where it stopped: the start of what it has of that
   * symbol.
   */
  readonly #tails = new Map<number, number>();

  /**
   * @param code What its repair symbols are made by, if there are any.
   * @param mayWork Asked before each block is decoded, with what that costs at worst; a block that may
   * not be decoded waits for {@link mendWaiting}.
   * @throws RangeError when the machine has no memory for it.
   */
  constructor(cut: Partition, code?: ErasureCode, mayWork: (octets: number) => boolean = always) {
    this.cut = cut;
    this.#mending = code && {
      missing: Int32Array.from({ length: cut.blocks }, (_, sbn) => blockSymbols(cut, sbn)),
      repair: new RepairSymbols(code, cut),
      mayDecode: (symbols, missing) => mayWork(code.decodeWork(symbols, cut.symbolBytes, missing)),
      waiting: new Set(),
    };
    this.body = new Uint8Array(cut.bytes);
    this.#have = new Uint32Array(Math.ceil(cut.symbols / 32));
    this.#missing = cut.symbols;
  }

  get complete(): boolean {
    return this.#missing === 0;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Bytes from the start without a hole. */
  get contiguousBytes(): number {
    return Math.min(this.#front * this.cut.symbolBytes, this.cut.bytes);
  }

  /**
   * Takes the payload of a packet: the symbol that its payload ID names, or several from there on.
   *
   * @param offset Where the payload begins in `packet`.
   */
  put(sbn: number, esi: number, packet: Uint8Array, offset: number): PutOutcome {
    const { cut } = this;
    const index = symbolIndex(cut, sbn, esi);
    if (index < 0) return this.#keep(sbn, esi, packet.subarray(offset));
    const start = index * cut.symbolBytes;
    const bytes = packet.length - offset;
    const wanted = Math.min(cut.symbolBytes, cut.bytes - start);
    const padded = bytes === cut.symbolBytes && bytes > wanted; // some senders pad the last one
    if (bytes === wanted || padded) {
      if (!this.#store(index, packet, offset)) return "duplicate";
      if (this.#mending !== undefined) this.#mend(sbn);
      return "stored";
    }
    const whole = bytes % cut.symbolBytes === 0 || start + bytes === cut.bytes;
    if (bytes < wanted || !whole || start + bytes > cut.bytes) return "bad_payload_length";
    let stored = false;
    for (let at = 0; at < bytes; at += cut.symbolBytes) {
      stored = this.#store(index + at / cut.symbolBytes, packet, offset + at) || stored;
    }
    if (this.#mending !== undefined) this.#mend(sbn);
    return stored ? "stored" : "duplicate";
  }

  /**
   * Writes bytes that came another way into the holes they cover.
   *
   * @returns How many of these bytes are now counted as received that were not before.
   */
  fill(start: number, bytes: Uint8Array): number {
    const { symbolBytes } = this.cut;
    const before = this.#receivedBytes;
    const end = start + bytes.length;
    const known = this.#tails.get(start) ?? start;
    this.#tails.delete(start);
    for (let at = start; at < end;) {
      const index = Math.floor(at / symbolBytes);
      const symbolStart = index * symbolBytes;
      const symbolEnd = Math.min(symbolStart + symbolBytes, this.cut.bytes);
      const until = Math.min(end, symbolEnd);
      if (!this.#has(index)) {
        this.body.set(bytes.subarray(at - start, until - start), at);
        const from = at === start ? known : at;
        if (from <= symbolStart && until === symbolEnd) this.#mark(index);
        else if (until === end && until < symbolEnd) this.#leaveTail(until, from);
      }
      at = until;
    }
    const added = this.#receivedBytes - before;
    this.#mendBetween(start, end);
    return added;
  }

  /**
   * Ranges `[start, end)` in bytes that complete the object, in order: what is missing, less what the
   * repair symbols at hand make up for.
   */
  holes(): [start: number, end: number][] {
    const { symbols, symbolBytes, bytes } = this.cut;
    const holes: [number, number][] = [];
    for (let index = this.#next(this.#front, false); index < symbols;) {
      const end = this.#next(index, true);
      holes.push([index * symbolBytes, Math.min(end * symbolBytes, bytes)]);
      index = this.#next(end, false);
    }
    return this.#mending === undefined ? holes : this.#needed(holes);
  }

  /** Decodes what had to wait, as far as it may now. */
  mendWaiting(): void {
    for (const sbn of [...this.#mending?.waiting ?? []]) this.#mend(sbn);
  }

  /** Leaves out the last holes of each block, as many as its repair symbols fill. */
  #needed(holes: readonly (readonly [start: number, end: number])[]): [number, number][] {
    const { symbolBytes, bytes } = this.cut;
    const { missing, repair } = this.#mending!;
    const wanted = missing.map((count, sbn) => Math.max(0, count - repair.worth(sbn)));
    const needed: [number, number][] = [];
    for (const [from, to] of holes) {
      for (let start = from; start < to; start += symbolBytes) {
        const { sbn } = blockOf(this.cut, start / symbolBytes);
        if (wanted[sbn] === 0) continue;
        wanted[sbn]--;
        const end = Math.min(start + symbolBytes, bytes);
        const last = needed.at(-1);
        if (last?.[1] === start) last[1] = end;
        else needed.push([start, end]);
      }
    }
    return needed;
  }

  /** What came another way may leave few enough holes. */
  #mendBetween(start: number, end: number): void {
    const { symbolBytes, bytes } = this.cut;
    if (this.#mending === undefined || start >= Math.min(end, bytes)) return;
    const first = blockOf(this.cut, Math.floor(start / symbolBytes)).sbn;
    const last = blockOf(this.cut, Math.floor((Math.min(end, bytes) - 1) / symbolBytes)).sbn;
    for (let sbn = first; sbn <= last; sbn++) this.#mend(sbn);
  }

  /** Takes repair symbols: one, or several from an ESI on. */
  #keep(sbn: number, esi: number, payload: Uint8Array): PutOutcome {
    const { symbolBytes, blocks } = this.cut;
    if (this.#mending === undefined || sbn >= blocks) return "bad_payload_id";
    if (payload.length === 0 || payload.length % symbolBytes !== 0) return "bad_payload_length";
    const { missing, repair } = this.#mending;
    let outcome: PutOutcome = missing[sbn] === 0 ? "surplus" : "duplicate";
    for (let at = 0; at < payload.length && missing[sbn] > 0; at += symbolBytes) {
      const symbol = payload.subarray(at, at + symbolBytes);
      const kept = repair.keep(sbn, esi + at / symbolBytes, symbol, missing[sbn]);
      if (kept === "stored") outcome = "stored";
      this.#mend(sbn);
    }
    return outcome;
  }

  /** Lets the code fill the holes of a block, if there are symbols enough. */
  #mend(sbn: number): void {
    const { missing, repair, mayDecode, waiting } = this.#mending!;
    waiting.delete(sbn);
    if (missing[sbn] === 0) return repair.forget(sbn);
    if (!repair.enough(sbn, missing[sbn])) return;
    if (!mayDecode(blockSymbols(this.cut, sbn), missing[sbn])) {
      waiting.add(sbn);
      return;
    }
    const first = symbolIndex(this.cut, sbn, 0);
    const holes = Array.from({ length: blockSymbols(this.cut, sbn) }, (_, esi) => esi)
      .filter((esi) => !this.#has(first + esi));
    if (!repair.decode(sbn, holes, this.body)) return;
    for (const esi of holes) this.#mark(first + esi);
  }

  #has(index: number): boolean {
    return (this.#have[index >>> 5] & (1 << (index & 31))) !== 0;
  }

  #store(index: number, packet: Uint8Array, offset: number): boolean {
    if (this.#has(index)) return false;
    const start = index * this.cut.symbolBytes;
    const bytes = Math.min(this.cut.symbolBytes, this.cut.bytes - start);
    this.body.set(packet.subarray(offset, offset + bytes), start);
    this.#mark(index);
    return true;
  }

  #mark(index: number): void {
    this.#have[index >>> 5] |= 1 << (index & 31);
    this.#missing--;
    this.#receivedBytes += Math.min(
      this.cut.symbolBytes,
      this.cut.bytes - index * this.cut.symbolBytes,
    );
    if (index === this.#front) this.#front = this.#next(index, false);
    if (this.#mending === undefined) return;
    const { sbn } = blockOf(this.cut, index);
    this.#mending.missing[sbn]--;
  }

  #leaveTail(end: number, start: number): void {
    if (this.#tails.size < mostTails) this.#tails.set(end, start);
  }

  /**
   * The first symbol at or after `index` that is there, or that is missing; `symbols` when none is.
   */
  #next(index: number, there: boolean): number {
    const { symbols } = this.cut;
    while (index < symbols) {
      const word = (there ? this.#have[index >>> 5] : ~this.#have[index >>> 5]) >>> (index & 31);
      if (word !== 0) return Math.min(symbols, index + lowestBit(word));
      index = (index | 31) + 1;
    }
    return symbols;
  }
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
