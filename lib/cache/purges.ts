/**
 * What the cache asks about purges. How they travel is none of its business.
 *
 * @module
 */

/** What a purge record is matched against. */
export interface PurgeSubject {
  /** Primary cache key: the canonical path and query. */
  readonly key: string;
  /** Surrogate keys; `*` stands for keys that were not told, which any purge by tag takes. */
  readonly tags: readonly string[];
  /** The sequence applied when the object's upstream request was sent. */
  readonly fillSeq: number;
}

/** `stale` after a soft purge: usable while it is revalidated; `gone` after a hard one: never. */
export type PurgeVerdict = "valid" | "stale" | "gone";

/** The purges that this node has applied. */
export interface Purges {
  /** The highest sequence number applied, 0 before any. */
  readonly appliedSeq: number;
  /** Whether a record after `subject.fillSeq` matches the subject. O(tags + path depth). */
  verdict(subject: PurgeSubject): PurgeVerdict;
}

/** A node without a purge log: nothing is ever purged. */
export const noPurges: Purges = { appliedSeq: 0, verdict: () => "valid" };
