/**
 * Which objects the system probably still holds in its page cache, so that reading them waits for no
 * disk: then a read at once costs a tenth of one by a thread.
 *
 * @module
 */

import type { DiskObject } from "./disk_object.ts";

/** What passed through the page cache since, at most, in bytes. */
const windowBytes = 2 ** 30;
/** A read that took longer than so many milliseconds came from the disk. */
const slowMs = 4;
/** After one the guess is not trusted for so long, in milliseconds. */
const distrustMs = 10_000;

/** Guesses from what was read and written lately, and from how long such reads take. */
export class DiskWarmth {
  /** Bytes read and written so far. */
  #clockBytes = 0;
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
    if (ms > slowMs) this.#distrustedUntilMs = nowMs + distrustMs;
  }
}
