/**
 * What an ordered purge log must do. The embedded log of control and others keep this one
 * interface; one suite runs over all of them.
 *
 * @module
 */

import type { LogEntry, NewPurge, PurgeRecord } from "./record.ts";

/** An ordered, durable log of purge records. */
export interface PurgeLog {
  /** Identity of this log; another one means that its sequence numbers tell nothing about ours. */
  readonly logId: string;
  /** The oldest number still held; `lastSeq + 1` when none is. */
  readonly firstSeq: number;
  /** The newest number given, 0 before any. */
  readonly lastSeq: number;
  /** Whether this is a copy of a log that nodes may know more of than is here yet. */
  readonly copies: boolean;
  /**
   * Adds records in the order given, without others in between. When the promise resolves they are
   * on disk and survive a kill or a loss of power; when it rejects none of them was added.
   */
  append(purges: readonly NewPurge[]): Promise<readonly PurgeRecord[]>;
  /** Entries after `after` in order, at most `limit`. Empty when there are none yet. */
  read(after: number, limit: number): readonly LogEntry[];
  /** Resolves when there is an entry after `after`, or when `signal` aborts. */
  waitBeyond(after: number, signal: AbortSignal): Promise<void>;
  /** The records of one order, in order; empty when there is none or retention took it. */
  order(id: string): readonly PurgeRecord[];
  /** The newest records, newest first. */
  newest(limit: number): readonly PurgeRecord[];
  /**
   * Makes sure that no number up to `seq` will be given to a new record: a node has applied up to
   * there. Resolves with whether the log was behind; rejects with a `RangeError` what is too far.
   */
  skipTo(seq: number): Promise<boolean>;
  /** Drops what is older than retention allows; returns how many numbers went. */
  trim(): number;
  /** Keeps what still waits, then lets go of what it holds. */
  close(): void | Promise<void>;
}
