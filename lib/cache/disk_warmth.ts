/**
 * Which objects the system probably still holds in its page cache, so that reading them waits for no
 * disk: then a read at once costs a tenth of one by a thread.
 *
 * @module
 */

import type { DiskObject } from "./disk_object.ts";

/** What passed through the page cache since, at most, in bytes. */
const windowBytes = 2 ** 30;
/** A read that took longer than so many milliseconds probably waited for the disk. */
const slowMs = 2;
/** So many slow reads are borne, and one more for each twenty others: a busy processor has some, too. */
const borneReads = 5;
const quickWorth = 1 / 20;
/** Then the guess is not trusted for so long, in milliseconds. */
const distrustMs = 5_000;

/** Guesses from what was read and written lately, and from how long such reads take. */
export class DiskWarmth {
  /** Bytes read and written so far. */
  #clockBytes = 0;
  #borne = borneReads;
  #distrustedUntilMs = -Infinity;

  /** Whether `object` can be read at once. */
  has(object: DiskObject, nowMs: number): boolean {
    return object.seenAtBytes > this.#clockBytes - windowBytes && nowMs >= this.#distrustedUntilMs;
  }

  /** So many bytes of an object were read or written: it is in the page cache now. */
  saw(object: DiskObject, bytes: number): void {
    this.#clockBytes += bytes;
    object.seenAtBytes = this.#clockBytes;
  }

  /** A read at once took so long. */
  took(ms: number, nowMs: number): void {
    this.#borne = ms > slowMs ? this.#borne - 1 : Math.min(borneReads, this.#borne + quickWorth);
    if (this.#borne > 0) return;
    this.#borne = borneReads;
    this.#distrustedUntilMs = nowMs + distrustMs;
  }
}
