/**
 * What the answer to a HEAD says of a stored GET (RFC 9111 §4.3.5).
 *
 * @module
 */

import { fieldValue, type ResponseHead } from "#http";
import { freshen, type Revalidation } from "./conditional.ts";
import type { Exchange } from "./exchange.ts";
import { factsOf } from "./facts.ts";
import { isVariantFor } from "./lookup.ts";
import type { Purges } from "./purges.ts";
import { slicedObject } from "./slices.ts";
import { forbidsStoring } from "./storable.ts";
import type { Store, StoredEntry, StoredResponse } from "./store.ts";

/**
 * Gives stored responses the head that the next hop sent for a HEAD, where it describes the same
 * representation; removes those that it shows to be out of date. Only a 200 says anything.
 */
export async function updateFromHead(
  { key, forwarded }: Pick<Exchange, "key" | "forwarded">,
  head: ResponseHead,
  { store, purges, times }: { store: Store; purges: Purges; times: Revalidation },
): Promise<void> {
  if (head.status !== 200) return;
  for (const entry of [...store.find(key)]) {
    const { response } = entry;
    const held = slicedObject(entry) ?? entry;
    if (!isVariantFor(held.response, () => forwarded)) continue;
    if (purges.verdict(response) === "gone") continue;
    if (response.requestSentMs > times.requestSentMs) continue;
    const updated = describes(head, held) ? freshen(response, head, times) : undefined;
    if (updated === undefined || !mayStay(updated, purges)) store.remove(entry);
    else await store.update(entry, updated);
  }
}

/** Whether the size in the head, if there is one, is that of what is stored. */
function describes(
  { fields }: ResponseHead,
  { response, bodyBytes }: Pick<StoredEntry, "response" | "bodyBytes">,
): boolean {
  const length = fieldValue(fields, "content-length");
  return response.status === 200 && (length === undefined || length === String(bodyBytes));
}

function mayStay(updated: StoredResponse, purges: Purges): boolean {
  return !forbidsStoring(factsOf(updated)) && purges.verdict(updated) !== "gone";
}
