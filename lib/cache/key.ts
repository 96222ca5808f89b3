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

/** What names of parameters begin with that are reserved for delivery directives of HLS. */
const directive = "_HLS_";

/**
 * Returns the key of a request under the policy's list of query parameters: those it names, by name,
 * several of one name in the order received; the rest is dropped. The next hop is asked for the same,
 * so that what was dropped cannot change the answer. Delivery directives (`_HLS_msn` and the like,
 * draft-pantos-hls-rfc8216bis §6.2.5) are always kept: without them a player that waits for the next
 * part would be given the last one for ever.
 *
 * @param keepQuery Names in canonical form; `undefined` keeps the query as it is.
 */
export function requestKey(target: string, keepQuery: readonly string[] | undefined): string {
  const key = cacheKey(target);
  const mark = keepQuery === undefined ? -1 : key.indexOf("?");
  if (keepQuery === undefined || mark === -1) return key;
  const kept = key.slice(mark + 1).split("&")
    .map((text) => ({ text, name: text.split("=", 1)[0] }))
    .filter(({ name }) => keepQuery.includes(name) || name.startsWith(directive))
    .sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const path = key.slice(0, mark);
  return kept.length === 0 ? path : `${path}?${kept.map(({ text }) => text).join("&")}`;
}

function encoded(target: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what must not come through
  return target.toWellFormed().replace(/[\x00-\x20\x7f\\]/g, encodeURIComponent);
}
