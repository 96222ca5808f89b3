/**
 * What a purge follower is told and what it tells.
 *
 * @module
 */

import type { LogSource } from "./log_source.ts";
import type { PurgeIndex } from "./purge_index.ts";
import type { StateKeeper } from "./state_file.ts";
import type { LogEntry } from "./record.ts";

/** Where a follower stands; the words are metric labels. */
export type FollowerState =
  /** Not started, or reading its own state from disk. */
  | "starting"
  /** Connected, but not yet at the log's end as it was at the connect. */
  | "catching_up"
  /** Connected and at the end: a record is applied as it comes. */
  | "following"
  /** Not connected; tries again for ever. */
  | "away"
  /** The log knows less than this node has applied, and does not mend that: all is `gone`. */
  | "log_behind"
  | "stopped";

/** What the state on disk was at the start. */
export type StateFound = "resumed" | "new" | "corrupt";

/** Why everything older was given up; the words are metric labels. */
export type GapReason = "retention" | "log_changed" | "log_behind" | "corrupt_state";

/** Why a connection ended or a state could not be kept; the words are metric labels. */
export type FollowerFault =
  | "refused"
  | "unauthorized"
  | "bad_answer"
  | "ended"
  | "stalled"
  | "bad_line"
  | "gap"
  | "state_write";

/** What a {@link PurgeFollower} needs. Times are in milliseconds. */
export interface PurgeFollowerOptions {
  /** Where the log is read. */
  readonly source: LogSource;
  /** File for the applied records, best in the folder of the store that they protect; or a keeper. */
  readonly file: string | StateKeeper;
  readonly index: PurgeIndex;
  /** Called after entries were applied and kept on disk, in order. */
  readonly onApplied?: (entries: readonly LogEntry[]) => void;
  /**
   * Called when everything older was given up, while the index still answers `gone` to all of it. It
   * is waited for: sweeping the store here leaves nothing whose age could be mistaken later.
   */
  readonly onGap?: (reason: GapReason) => void | Promise<void>;
  readonly onState?: (state: FollowerState) => void;
  readonly onFault?: (fault: FollowerFault, detail: string) => void;
  /**
   * Silence of the log after which the index answers `gone` to all, until the log was heard and its
   * end reached again; for ever by default.
   */
  readonly silenceMs?: number;
  /** Called when that begins, and when it ends. */
  readonly onSilence?: (silent: boolean) => void;
  /** Silence after which a connection is given up; 10 000 by default. */
  readonly stallMs?: number;
  /** Shortest and longest wait before the next try; 100 and 5000 by default, with jitter. */
  readonly retryMs?: { readonly first: number; readonly last: number };
  /** Random number in [0, 1), for jitter. */
  readonly random?: () => number;
}
