/**
 * Validators that tell representations apart byte for byte (RFC 9110 §8.8).
 *
 * @module
 */

import { formatEntityTag } from "#http";
import type { ResponseFacts } from "./facts.ts";

/** Whether `Last-Modified` is a strong validator: the origin's clock had moved on (RFC 9110 §8.8.2.2). */
export function isDateStrong({ lastModifiedMs, times: { dateMs } }: ResponseFacts): boolean {
  return lastModifiedMs !== undefined && dateMs !== undefined && dateMs - lastModifiedMs >= 1000;
}

/**
 * Returns what names the bytes of a representation: its entity tag if that is strong, else its
 * `Last-Modified` if that is.
 *
 * @returns `undefined` when two answers with the same fields may still differ in their bytes.
 */
export function strongValidator(facts: ResponseFacts): string | undefined {
  const { etag, lastModifiedMs } = facts;
  if (etag !== undefined) return etag.weak ? undefined : formatEntityTag(etag);
  return isDateStrong(facts) ? String(lastModifiedMs) : undefined;
}
