/**
 * Purge records: facts in an ordered log. A record is never changed and never taken back.
 *
 * @module
 */

import * as v from "valibot";

/** What a purge is matched by. */
export type PurgeKind = "url" | "prefix" | "tag" | "all";

/** The kinds in the order in which they reach further. */
export const purgeKinds: readonly PurgeKind[] = ["url", "prefix", "tag", "all"];

/** One fact of the purge log. */
export interface PurgeRecord {
  /** Place in the log; the first record of a log has 1. */
  readonly seq: number;
  /** The order that it came with; several records may share one. */
  readonly id: string;
  readonly kind: PurgeKind;
  /** Canonical path and query, path prefix, or tag; `""` for `all`. */
  readonly value: string;
  /** Marks stale (usable while it is revalidated) instead of gone. */
  readonly soft: boolean;
  /** Control's wall clock at the append, in milliseconds since the Unix epoch. Only for people. */
  readonly issuedMs: number;
  /** Who asked for it, in the words of control. */
  readonly issuer: string;
}

/**
 * Numbers that will never carry a record: the log jumped over them, because nodes had applied
 * numbers that this log does not know (it was restored from an old copy).
 */
export interface SkippedSeqs {
  readonly kind: "skipped";
  readonly fromSeq: number;
  /** The last number of the hole, inclusive. */
  readonly seq: number;
}

/** What stands in the log at a place. */
export type LogEntry = PurgeRecord | SkippedSeqs;

/** What an `append` brings; the log adds `seq` and `issuedMs`. */
export type NewPurge = Omit<PurgeRecord, "seq" | "issuedMs">;

/** Longest value of any kind, in UTF-16 code units. */
export const maxValueLength = 8192;

const seq = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

const recordSchema = v.object({
  seq,
  id: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  kind: v.pipe(v.string(), v.maxLength(16)),
  value: v.pipe(v.string(), v.maxLength(maxValueLength)),
  soft: v.boolean(),
  issuedMs: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  issuer: v.pipe(v.string(), v.maxLength(128)),
});

const skippedSchema = v.object({ kind: v.literal("skipped"), fromSeq: seq, seq });

/**
 * Reads one entry of a log that came over the network or from disk.
 *
 * A kind that this version does not know is honoured as `all`: a purge may reach too far, never too
 * short.
 *
 * @returns `undefined` when it is no log entry.
 */
export function parseLogEntry(value: unknown): LogEntry | undefined {
  const skipped = v.safeParse(skippedSchema, value);
  if (skipped.success) {
    return skipped.output.fromSeq <= skipped.output.seq ? skipped.output : undefined;
  }
  const record = v.safeParse(recordSchema, value);
  if (!record.success) return undefined;
  const kind = purgeKinds.find((known) => known === record.output.kind);
  return kind ? { ...record.output, kind } : { ...record.output, kind: "all", value: "" };
}
