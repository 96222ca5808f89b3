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
  if (safe.has(request.method) || response.status >= 400) return new Set();
  return new Set([
    requestKey(request.target, keepQuery),
    ...namedKeys(request, response, "location", { keepQuery }),
    ...namedKeys(request, response, "content-location", { keepQuery }),
  ]);
}

/** Returns the key that a field of the response names on the host that was asked, if it does. */
export function namedKeys(
  { target, fields }: RequestHead,
  response: ResponseHead,
  name: "location" | "content-location",
  { keepQuery }: Pick<CachePolicy, "keepQuery">,
): string[] {
  const host = fieldValue(fields, "host") ?? "unknown.invalid";
  const base = `http://${host}${target}`;
  const value = fieldValue(response.fields, name);
  if (value === undefined || !URL.canParse(value, base) || !URL.canParse(base)) return [];
  const url = new URL(value, base);
  if (url.host !== new URL(base).host) return [];
  return [requestKey(url.pathname + url.search, keepQuery)];
}

/** Removes what is stored under a key, and keeps what is arriving from being stored or joined. */
export function invalidate(key: string, { store, fills }: { store: Store; fills: Fills }): void {
  for (const entry of [...store.find(key)]) store.remove(entry);
  store.forget?.(key);
  fills.invalidate(key);
}
