/**
 * Buckets of many subjects in a fixed amount of memory.
 *
 * A table of places in sets of eight. A subject that has none takes over the place with the lowest
 * level of its set, **and that level with it**. An empty bucket is worth as much as none, so taking
 * over one costs nobody anything. When none of the eight is empty, the newcomer starts with the least
 * that one of them owes: a subject that was pushed out owes at least as much when it comes back as if
 * it had stayed, since all levels of a table drain alike and the lowest of a set was its own or lower.
 * So nobody gets a new burst by pushing himself out with other addresses, and what all subjects of a
 * set take together is never more than eight buckets' worth.
 *
 * @module
 */

import type { Buckets, Subject } from "./bucket.ts";
import { drained, type Limit, roomFor, waitUs } from "./gcra.ts";

const ways = 8;

/** Buckets in this node alone. */
export class BucketTable implements Buckets {
  readonly #limit: Limit;
  readonly #sets: number;
  /** Two words of hash a place. */
  readonly #hashes: Int32Array;
  /** Level and its time, a place. */
  readonly #levels: Float64Array;

  /**
   * @param places How many subjects have a bucket of their own at least; rounded up to a power of
   * two, 8 or more. A place takes 24 bytes.
   */
  constructor(limit: Limit, places: number) {
    this.#limit = limit;
    this.#sets = 2 ** Math.max(0, Math.ceil(Math.log2(places / ways)));
    this.#hashes = new Int32Array(2 * ways * this.#sets);
    this.#levels = new Float64Array(2 * ways * this.#sets);
  }

  take({ hash }: Subject, tokens: number, nowUs: number): boolean {
    const { tokenUnits, capacityUnits } = this.#limit;
    const at = this.#placeOf(hash.low, hash.high, nowUs);
    const level = this.#levelAt(at, nowUs);
    const raised = level + tokens * tokenUnits;
    if (raised > capacityUnits) return false;
    this.#set(at, raised, nowUs);
    return true;
  }

  charge({ hash }: Subject, tokens: number, nowUs: number): void {
    const at = this.#placeOf(hash.low, hash.high, nowUs);
    const level = this.#levelAt(at, nowUs) + tokens * this.#limit.tokenUnits;
    this.#set(at, Math.min(level, 2 ** 52), nowUs);
  }

  refund({ hash }: Subject, tokens: number, nowUs: number): void {
    const at = this.#placeOf(hash.low, hash.high, nowUs);
    const level = this.#levelAt(at, nowUs) - tokens * this.#limit.tokenUnits;
    this.#set(at, Math.max(0, level), nowUs);
  }

  waitUs({ hash }: Subject, tokens: number, nowUs: number): number {
    const at = this.#placeOf(hash.low, hash.high, nowUs);
    return waitUs(this.#levelAt(at, nowUs), tokens, this.#limit);
  }

  /** Whole tokens that a subject has left. */
  left({ hash }: Subject, nowUs: number): number {
    const at = this.#placeOf(hash.low, hash.high, nowUs);
    return roomFor(this.#levelAt(at, nowUs), this.#limit);
  }

  count(nowUs: number): number {
    let count = 0;
    for (let at = 0; at < this.#levels.length; at += 2) {
      if (this.#levels[at] > 0 && this.#levelAt(at, nowUs) > 0) count++;
    }
    return count;
  }

  /** Returns where a subject's level is; gives it a place when it has none. */
  #placeOf(low: number, high: number, nowUs: number): number {
    const hashes = this.#hashes;
    const first = (low & (this.#sets - 1)) * 2 * ways;
    const end = first + 2 * ways;
    for (let at = first; at < end; at += 2) {
      if (hashes[at] === low && hashes[at + 1] === high) return at;
    }
    let lowest = first;
    let least = Infinity;
    for (let at = first; at < end && least > 0; at += 2) {
      const level = this.#levelAt(at, nowUs);
      if (level < least) [lowest, least] = [at, level];
    }
    hashes[lowest] = low;
    hashes[lowest + 1] = high;
    return lowest;
  }

  #levelAt(at: number, nowUs: number): number {
    return drained(this.#levels[at], this.#limit, { atUs: this.#levels[at + 1], nowUs });
  }

  #set(at: number, level: number, nowUs: number): void {
    this.#levels[at] = level;
    this.#levels[at + 1] = nowUs;
  }
}
