/**
 * What the front and the app behind it say to each other.
 *
 * @module
 */

import type { Fields, RequestHead } from "#http";

/** What the app learns of an exchange beside its `Request`; Hono's `c.env`. */
export interface ExchangeEnv {
  /** The head as received, with names in lower case; its target is not normalised like a URL. */
  readonly head: RequestHead;
  readonly remote: Deno.NetAddr;
  /** The client speaks TLS with us. */
  readonly secure: boolean;
  /**
   * Sends a 1xx response ahead of the final one (RFC 9110 §15.2). Never throws: it is dropped when
   * the client speaks HTTP/1.0, the final head has been sent, the client is slow to take earlier
   * ones, or `status` is not from 102 to 199 (100 is the front's own); invalid and hop-by-hop
   * fields are left out.
   */
  readonly sendInformational: (status: number, fields: Fields) => void;
}

/** Answers a request; a Hono app's `fetch`. */
export type Handler = (request: Request, env: ExchangeEnv) => Response | Promise<Response>;

/** Writes whose head has not gone out; see {@link JoinedAnswer}. */
export interface Writers {
  unsent: number;
}

/** An answer in one piece, for a connection that goes on. */
export interface JoinedAnswer {
  /** Head, empty line and body. The head may change while `writers.unsent` is 0. */
  readonly bytes: Uint8Array;
  readonly headBytes: number;
  /** The front counts itself here until the head has gone. */
  readonly writers: Writers;
}

/** An answer that needs no `Request` and no `Response`. */
export interface FastAnswer {
  /**
   * Status line and field lines, each with its CRLF, without the empty line. It frames the body
   * (`Content-Length`) and holds no `Connection`; the front adds that, and `Date` unless `dated`.
   */
  readonly head: Uint8Array;
  /** Not written to before `done`. `undefined` for an answer without a body (HEAD, 304). */
  readonly body: Uint8Array | undefined;
  /** `head` has the `Date` of a stored response, which a cache never changes. */
  readonly dated?: boolean;
  /** The same in one piece; only with `dated`. */
  readonly joined?: JoinedAnswer;
  /**
   * Called once, when the front does not need `body` any more: it may be written to then if it was
   * `sent`. Otherwise the system may still be reading it.
   */
  readonly done?: (sent: boolean) => void;
}

/**
 * Looks for an answer that is ready. Called for requests without a body; must not throw.
 *
 * @returns `undefined` to send the request to the {@link Handler}.
 */
export type FastLane = (head: RequestHead, remote: Deno.NetAddr) => FastAnswer | undefined;
