/**
 * What an ordered purge log must do. The embedded log of control and others keep this one
 * interface; one suite runs over all of them.
 *
 * @module
 */

import type { LogEntry, NewPurge, PurgeRecord } from "./record.ts";

/** An ordered, durable log of purge records. */
export interface PurgeLog {
  /** Identity of this log; a new one means that all sequence numbers start over. */
  readonly logId: string;
  /** The oldest number still held; `lastSeq + 1` when no record is. */
  readonly firstSeq: number;
  /** The newest number given, 0 before any. */
  readonly lastSeq: number;
  /**
   * Adds records in the order given, without others in between. When the promise resolves they are
   * on disk and survive a kill or a loss of power.
   */
  append(purges: readonly NewPurge[]): Promise<readonly PurgeRecord[]>;
  /** Entries after `after` in order, at most `limit`. Empty when there are none yet. */
  read(after: number, limit: number): readonly LogEntry[];
  /**
   * Entries after `after` for ever, until `signal` aborts. The caller paces it: nothing is queued
   * for one who does not ask. Ends early when retention has overtaken the caller.
   */
  follow(after: number, signal: AbortSignal): AsyncIterable<LogEntry>;
  /**
   * Makes sure that no number up to `seq` will be given to a new record: a node has applied up to
   * there. Returns whether the log was behind.
   */
  skipTo(seq: number): boolean;
  /** Closes files; appends after it are refused. */
  close(): void;
}
