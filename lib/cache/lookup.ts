/**
 * Which stored response is for a request.
 *
 * @module
 */

import type { Fields } from "#http";
import { factsOf } from "./facts.ts";
import type { Purges, PurgeVerdict } from "./purges.ts";
import type { Store, StoredEntry, StoredResponse } from "./store.ts";
import { variantKey, variantKeys } from "./vary.ts";

/** What the store has for a request. */
export type LookupResult =
  | {
    readonly kind: "found";
    readonly entry: StoredEntry;
    readonly verdict: Exclude<PurgeVerdict, "gone">;
  }
  /** Nothing, or other variants only (RFC 9211 §2.2). */
  | { readonly kind: "uri-miss" | "vary-miss" };

/** Finds the newest stored response for a request that no purge took (RFC 9111 §4.1). */
export function lookUp(
  { store, purges }: { store: Store; purges: Purges },
  { key, requestFields }: { key: string; requestFields: () => Fields },
): LookupResult {
  const entries = store.find(key);
  const variantFor = variantKeys(requestFields);
  for (const entry of entries) {
    if (!isVariant(entry.response, variantFor)) continue;
    const verdict = purges.verdict(entry.response);
    if (verdict !== "gone") return { kind: "found", entry, verdict };
  }
  return { kind: entries.length === 0 ? "uri-miss" : "vary-miss" };
}

/**
 * Whether a response was chosen by what a request with these fields says too (RFC 9111 §4.1). A part
 * (206) is for nobody here: it answers ranges only.
 */
export function isVariantFor(response: StoredResponse, requestFields: () => Fields): boolean {
  return isVariant(response, (names) => variantKey(names, requestFields()));
}

function isVariant(
  response: StoredResponse,
  variantFor: (names: readonly string[]) => string,
): boolean {
  if (response.status === 206) return false;
  const { vary } = factsOf(response);
  if (vary === "*") return false;
  return vary.length === 0 || variantFor(vary) === response.variant;
}
