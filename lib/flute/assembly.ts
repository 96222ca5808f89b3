/**
 * One object being put together from symbols that come in any order, more than once, or not at all.
 *
 * @module
 */

import { type Partition, symbolIndex } from "#fec";

/** What a symbol was good for. */
export type PutOutcome = "stored" | "duplicate" | "bad_payload_id" | "bad_payload_length";

/**
 * Ends of unfinished repairs that are remembered: more parallel range requests than anybody makes.
 */
const mostTails = 256;

/** The bytes of one object, and which of its symbols are there. Each byte is written once. */
export class Assembly {
  readonly cut: Partition;
  /** All of the object, zero where bytes are missing. */
  readonly body: Uint8Array;
  /** One bit a symbol, lowest first. */
  readonly #have: Uint32Array;
  #missing: number;
  /** The first missing symbol. */
  #front = 0;
  #receivedBytes = 0;
  /**
   * Where a repair stopped inside a symbol, by where it stopped: the start of what it has of that
   * symbol.
   */
  readonly #tails = new Map<number, number>();

  /** @throws RangeError when the machine has no memory for it. */
  constructor(cut: Partition) {
    this.cut = cut;
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
    if (index < 0) return "bad_payload_id";
    const start = index * cut.symbolBytes;
    const bytes = packet.length - offset;
    const wanted = Math.min(cut.symbolBytes, cut.bytes - start);
    const padded = bytes === cut.symbolBytes && bytes > wanted; // some senders pad the last one
    if (bytes === wanted || padded) {
      return this.#store(index, packet, offset) ? "stored" : "duplicate";
    }
    const whole = bytes % cut.symbolBytes === 0 || start + bytes === cut.bytes;
    if (bytes < wanted || !whole || start + bytes > cut.bytes) return "bad_payload_length";
    let stored = false;
    for (let at = 0; at < bytes; at += cut.symbolBytes) {
      stored = this.#store(index + at / cut.symbolBytes, packet, offset + at) || stored;
    }
    return stored ? "stored" : "duplicate";
  }

  /**
   * Writes bytes that came another way into the holes they cover.
   *
   * @returns How many bytes are now counted as received that were not before.
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
    return this.#receivedBytes - before;
  }

  /** Missing ranges `[start, end)` in bytes, in order. */
  holes(): [start: number, end: number][] {
    const { symbols, symbolBytes, bytes } = this.cut;
    const holes: [number, number][] = [];
    for (let index = this.#next(this.#front, false); index < symbols;) {
      const end = this.#next(index, true);
      holes.push([index * symbolBytes, Math.min(end * symbolBytes, bytes)]);
      index = this.#next(end, false);
    }
    return holes;
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
