/**
 * The sender's clock as its packets tell it (EXT_TIME): what decides whether an FDT has expired,
 * for a receiver's own clock may be wrong.
 *
 * @module
 */

import { serialDifference, toNtp } from "#lct";

/** A larger step has to be confirmed. */
const suspiciousSeconds = 3600;

/** Packets that must agree before a suspicious step is believed. */
const confirmations = 3;

/** Follows the clock of one session. */
export class SenderClock {
  /** Sender's clock minus ours, in seconds; our own counts until the sender tells. */
  #offsetSeconds = 0;
  #told = false;
  #candidateSeconds = 0;
  #agreeing = 0;

  /** @param ntpSeconds Sender current time of an EXT_TIME that came at `nowMs`. */
  observe(ntpSeconds: number, nowMs: number): void {
    const offset = serialDifference(ntpSeconds, toNtp(nowMs).seconds);
    const trusted = !this.#told || Math.abs(offset - this.#offsetSeconds) <= suspiciousSeconds;
    if (trusted || this.#confirmed(offset)) {
      this.#offsetSeconds = offset;
      this.#told = true;
      this.#agreeing = 0;
    }
  }

  /** The sender's time at `nowMs` in NTP seconds modulo 2^32. */
  ntpSeconds(nowMs: number): number {
    return toNtp(nowMs + this.#offsetSeconds * 1000).seconds;
  }

  #confirmed(offset: number): boolean {
    if (Math.abs(offset - this.#candidateSeconds) > 2) this.#agreeing = 0;
    this.#candidateSeconds = offset;
    this.#agreeing++;
    return this.#agreeing >= confirmations;
  }
}
