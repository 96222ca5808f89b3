/**
 * Whether a body that has arrived may still be stored: the world went on while it did.
 *
 * @module
 */

import type { Purges } from "./purges.ts";
import type { Store, StoredResponse } from "./store.ts";

/** `superseded`: what is stored was asked for later. */
export type CommitRefusal = "purged" | "superseded";

/** Returns why a response must not be committed now, or `undefined` when it may be. */
export function refusalOf(
  response: StoredResponse,
  { store, purges }: { store: Store; purges: Purges },
): CommitRefusal | undefined {
  if (purges.verdict(response) === "gone") return "purged";
  const newer = store.find(response.key).some(({ response: other }) =>
    other.variant === response.variant && other.requestSentMs > response.requestSentMs &&
    purges.verdict(other) !== "gone"
  );
  return newer ? "superseded" : undefined;
}
