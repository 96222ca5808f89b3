/**
 * The primary cache key: the canonical path and query, which is also what the next hop is asked for,
 * so that key and request can never disagree.
 *
 * @module
 */

import { canonicalTarget } from "#http";

/** Targets that are their own key: nothing escaped, no dot segment, no query that may be empty. */
const plain = /^(?:\/(?!\.)[A-Za-z0-9\-._~!$&'()*+,;=:@]*)+$/;

/**
 * Returns the canonical path and query of a request target (RFC 3986 §6.2.2), the form in which
 * purges name it too. Idempotent.
 *
 * @param target Path and query as received. Blanks, controls and backslashes, which the front
 * refuses, are percent-encoded; what does not start with `/` (as `*`) is its own key.
 */
export function cacheKey(target: string): string {
  if (plain.test(target) || !target.startsWith("/")) return target;
  return canonicalTarget(target) ?? canonicalTarget(encoded(target)) ?? target;
}

function encoded(target: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what must not come through
  return target.toWellFormed().replace(/[\x00-\x20\x7f\\]/g, encodeURIComponent);
}
