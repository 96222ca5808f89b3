/**
 * Where a follower reads the log from: control, or the log's own broker.
 *
 * @module
 */

import type { FollowerFault } from "./follower_types.ts";
import type { LogEntry } from "./record.ts";
import type { LogHead } from "./stream.ts";

/** A connection ended, and why. */
export class ConnectionFault extends Error {
  override name = "ConnectionFault";

  constructor(readonly fault: FollowerFault, detail: string) {
    super(detail);
  }
}

/** From where on to read, and how long silence may last. */
export interface LogPlace {
  /** The newest number that the follower has applied. */
  readonly afterSeq: number;
  /** The log that `afterSeq` belongs to; `undefined` before any was heard. */
  readonly logId: string | undefined;
  /** The order of the record at `afterSeq`, when it is known: another one there is another log. */
  readonly lastId: string | undefined;
  /** Silence after which the connection is given up, in milliseconds. */
  readonly stallMs: number;
  /** Ends the connection. */
  readonly signal: AbortSignal;
}

/** The stream, or that `afterSeq` is no place of the log. */
export type OpenedLog = OpenStream | { readonly kind: "no_such_place"; readonly head: LogHead };

/** A stream; who opened it closes it, also after its entries have failed. */
export interface OpenStream {
  readonly kind: "stream";
  readonly head: LogHead;
  readonly batches: AsyncIterable<LogEntry[]>;
  close(): Promise<void>;
}

/** A purge log as a follower reads it. */
export interface LogSource {
  /**
   * Opens the log at a place and reads what it is.
   *
   * @param onHeard Called for each sign of life.
   * @throws {ConnectionFault} also out of `batches`, whose end is a fault too.
   */
  open(place: LogPlace, onHeard: () => void): Promise<OpenedLog>;
}
