/**
 * Age of a stored response (RFC 9111 §4.2.3). Pure: the caller brings the clock.
 *
 * @module
 */

import type { Fields } from "#http";
import { maxDeltaSeconds } from "./cache_control.ts";

/** When an exchange happened, and what its response said of its own age. */
export interface StoredTimes {
  /** When the request was sent, in milliseconds since the Unix epoch. */
  readonly requestSentMs: number;
  /** When the response head arrived, in milliseconds since the Unix epoch. */
  readonly receivedMs: number;
  /** The response's `Date`, in milliseconds since the Unix epoch. */
  readonly dateMs?: number;
  /** The response's `Age`; 0 without one. */
  readonly ageSeconds: number;
}

/**
 * Returns how old a stored response is at `nowMs`.
 *
 * The origin's `Date` is believed only when it makes the response older, so a wrong origin clock
 * can cost a hit but can never stretch freshness.
 *
 * @param stored When the exchange happened, and the `Date` and `Age` it carried.
 * @param nowMs This node's wall clock, in milliseconds since the Unix epoch.
 * @returns The age in milliseconds, at least 0.
 */
export function currentAge(stored: StoredTimes, nowMs: number): number {
  const { requestSentMs, receivedMs, dateMs = receivedMs, ageSeconds } = stored;
  const delayMs = Math.max(0, receivedMs - requestSentMs); // our clock may step back
  // Date has whole seconds: the part below one would cost half the life of max-age=1.
  const apparentMs = Math.max(0, Math.floor((receivedMs - dateMs) / 1000) * 1000);
  const correctedMs = ageSeconds * 1000 + delayMs;
  const residentMs = Math.max(0, nowMs - receivedMs);
  return Math.max(apparentMs, correctedMs) + residentMs;
}

/**
 * Reads `Age`: the first member of the first line (RFC 9111 §5.1). What is not a whole number of
 * seconds is ignored; what does not fit saturates, and so makes the response stale.
 *
 * @returns Seconds, 0 without a usable value.
 */
export function parseAge(fields: Fields): number {
  const line = fields.find(([name]) => name === "age")?.[1];
  const first = line?.split(",", 1)[0].trim() ?? "";
  return /^\d+$/.test(first) ? Math.min(Number(first), maxDeltaSeconds) : 0;
}
