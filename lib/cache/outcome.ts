/**
 * What became of a request, an upstream exchange, a body: told to whoever counts.
 *
 * @module
 */

import type { CommitRefusal } from "./admission.ts";
import type { NextHopFailure } from "./next_hop.ts";
import type { NotStorable } from "./storable.ts";

/**
 * How a request was answered; the words are metric labels.
 *
 * - `hit`: from the store, fresh.
 * - `stale`: from the store, stale while it is revalidated or because the client takes stale.
 * - `stale_if_error`: from the store, because the next hop failed.
 * - `partial`: the beginning or more of it from the store, the rest from the next hop.
 * - `revalidated`: from the store, after the next hop confirmed it.
 * - `miss`: from the next hop.
 * - `collapsed`: from what another request was fetching.
 * - `bypass`: from the next hop, past a store that may hold purged bytes.
 * - `pass`: from the next hop and by its nature never stored (method, range, condition).
 * - `only_if_cached`: 504, the client wanted no forwarding.
 * - `error`: no next hop answered.
 * - `aborted`: the client left before an answer.
 */
export type AnswerResult =
  | "hit"
  | "stale"
  | "stale_if_error"
  | "partial"
  | "revalidated"
  | "miss"
  | "collapsed"
  | "bypass"
  | "pass"
  | "only_if_cached"
  | "error"
  | "aborted";

/** Where the bytes of an answer came from; `slices` may be in memory, on the disk, or arriving. */
export type ByteRoad = "memory" | "disk" | "slices" | "fill" | "next_hop";

/** One thing that happened. */
export type CacheOutcome =
  | {
    readonly kind: "answered";
    readonly result: AnswerResult;
    readonly status: number;
    /** The stored object's own word of how it came here. */
    readonly source?: string;
    /** Why there was no better answer. */
    readonly reason?: NextHopFailure;
  }
  /** Body bytes handed to a client, told when its body ended or was given up. */
  | {
    readonly kind: "served";
    readonly road: ByteRoad;
    readonly bytes: number;
    readonly source?: string;
  }
  /** An exchange with the next hop (or an opened fill) ended. */
  | {
    readonly kind: "fetched";
    readonly result: "stored" | "not_stored" | "not_modified" | "failed";
    /** Why it was not stored, or why it failed. */
    readonly reason?: NotStorable | NextHopFailure | CommitRefusal | "not_admitted" | "truncated";
    readonly bytes: number;
  };
