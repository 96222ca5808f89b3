/**
 * Where the cache sends what it cannot answer.
 *
 * @module
 */

import type { Fields, RequestHead, ResponseHead } from "#http";

/** A request on its way to the next hop. */
export interface NextHopRequest extends RequestHead {
  readonly body?: ReadableStream<Uint8Array>;
  /** Aborts the exchange. */
  readonly signal?: AbortSignal;
  /** The purge sequence applied when this request was decided: the fence (`Purge-Seq`). */
  readonly appliedSeq: number;
  /** Called for each 1xx response but 100 and 101 (RFC 9110 §15.2). */
  readonly onInformational?: (status: number, fields: Fields) => void;
}

/** What the next hop answered; `body` errors when it ends before it is whole. */
export interface NextHopResponse extends ResponseHead {
  readonly body: ReadableStream<Uint8Array>;
  /**
   * The purge sequence that the answer holds for, when a cache of ours says so (`Purge-Seq`). Absent
   * from an origin, whose answer holds for every purge that was applied before the request.
   */
  readonly validSeq?: number;
}

/** Why no usable response came; the words are metric labels. */
export type NextHopFailure =
  | "refused"
  | "timeout"
  | "reset"
  | "malformed"
  | "aborted"
  | "no_hop"
  /** A cache of ours answered, but may not have heard of a purge that we have applied. */
  | "behind";

/** The next hop gave no response that can be used. */
export class NextHopError extends Error {
  override name = "NextHopError";
  constructor(readonly reason: NextHopFailure, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** The next hop: a shield, an origin, or a list of them. */
export interface NextHop {
  /** @throws {NextHopError} when no response head came. */
  fetch(request: NextHopRequest): Promise<NextHopResponse>;
}
