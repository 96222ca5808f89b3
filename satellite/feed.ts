/**
 * What all feeds share: where objects come from, where they go, and what happens when they do not come.
 *
 * @module
 */

import type { FluteObject } from "#flute";
import type { PurgeSubject, PurgeVerdict } from "#purge";
import type { Broadcast } from "./broadcast.ts";
import type { Complaints } from "./complaints.ts";
import type { HeadendCounters } from "./counters.ts";
import { transportUri } from "./object_key.ts";
import type { FetchedObject, FetchOptions, FetchOutcome, Origin } from "./origin.ts";

/** What a feed works with. */
export interface FeedContext {
  readonly origin: Pick<Origin, "fetch">;
  readonly broadcast: Broadcast;
  readonly purges: { verdict(subject: PurgeSubject): PurgeVerdict };
  readonly counters: HeadendCounters;
  readonly complaints: Complaints;
  /** A clock that does not step, in milliseconds. */
  readonly nowMs: () => number;
}

/** Returns what purges say of an object that was fetched. */
export function verdictOf({ purges }: FeedContext, object: FetchedObject): PurgeVerdict {
  const { key, tags, purgeSeq } = object;
  return purges.verdict({ key, tags, fillSeq: purgeSeq });
}

/** Returns an object as it is carried. */
export function carriedObject(object: FetchedObject, maxAgeSeconds: number): FluteObject {
  const { key, body, contentType, etag, purgeSeq, tags } = object;
  return {
    contentLocation: transportUri(key),
    body,
    contentType,
    etag,
    maxAgeSeconds,
    purgeSeq,
    tags,
  };
}

/** Fetches and counts what goes wrong; an object that was purged meanwhile counts as not there. */
export async function fetchValid(
  context: FeedContext,
  key: string,
  options: FetchOptions,
): Promise<FetchOutcome | { readonly kind: "purged" }> {
  const outcome = await context.origin.fetch(key, options);
  if (outcome.kind === "failed" && outcome.reason !== "aborted") {
    context.counters.fetchFailures.add(outcome.reason);
  }
  if (outcome.kind === "object" && verdictOf(context, outcome.object) !== "valid") {
    return { kind: "purged" };
  }
  return outcome;
}

/** Whether two fetches brought the same bytes. */
export function sameBytes(a: FetchedObject, b: FetchedObject): boolean {
  return a.body.length === b.body.length && a.body.every((byte, at) => byte === b.body[at]);
}
