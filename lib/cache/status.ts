/**
 * What this cache says of its own part in an answer (RFC 9211).
 *
 * @module
 */

import type { CacheStatus } from "#http";
import type { StoredResponse } from "./store.ts";

/** The member for an answer from the store; `detail` is how the object came here. */
export function statusOfHit(
  cache: string,
  { source }: StoredResponse,
  ttlSeconds: number,
): CacheStatus {
  return { cache, hit: true, ttlSeconds, detail: source };
}
