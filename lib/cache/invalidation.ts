/**
 * What a request that changes a resource makes invalid (RFC 9111 §4.4).
 *
 * @module
 */

import { fieldValue, type RequestHead, type ResponseHead } from "#http";
import type { Fills } from "./fills.ts";
import { requestKey } from "./key.ts";
import type { CachePolicy } from "./policy.ts";
import type { Store } from "./store.ts";

/** Methods that change nothing (RFC 9110 §9.2.1). */
const safe: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/**
 * Returns the keys that an exchange made invalid: none for a safe method or an error; else the
 * target's, and those that `Location` and `Content-Location` name on the same host.
 */
export function invalidatedBy(
  request: RequestHead,
  response: ResponseHead,
  { keepQuery }: Pick<CachePolicy, "keepQuery">,
): Set<string> {
  const keys = new Set<string>();
  if (safe.has(request.method) || response.status >= 400) return keys;
  keys.add(requestKey(request.target, keepQuery));
  const host = fieldValue(request.fields, "host") ?? "unknown.invalid";
  const base = `http://${host}${request.target}`;
  for (const name of ["location", "content-location"]) {
    const value = fieldValue(response.fields, name);
    if (value === undefined || !URL.canParse(value, base) || !URL.canParse(base)) continue;
    const url = new URL(value, base);
    if (url.host === new URL(base).host) keys.add(requestKey(url.pathname + url.search, keepQuery));
  }
  return keys;
}

/** Removes what is stored under a key, and keeps what is arriving from being stored or joined. */
export function invalidate(key: string, { store, fills }: { store: Store; fills: Fills }): void {
  for (const entry of [...store.find(key)]) store.remove(entry);
  fills.invalidate(key);
}
