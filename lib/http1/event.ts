/**
 * What the front tells those who count.
 *
 * @module
 */

import type { Http1Rejection } from "./rejection.ts";

/** Why a connection ended. The words are metric labels. */
export type CloseReason =
  /** The client closed between two requests. */
  | "client"
  /** The client closed before its head was whole. */
  | "head_cut_off"
  /** The client closed, or the network failed, before its answer was whole. */
  | "client_gone"
  /** After an answer that said `Connection: close`, or HTTP/1.0. */
  | "done"
  /** A request was refused. */
  | "rejected"
  /** A body stream failed or did not fit its `Content-Length`. */
  | "body_failed"
  /** The client and we could not agree on TLS, or it went away before. */
  | "handshake_failed"
  | "handshake_timeout"
  | "idle_timeout"
  | "head_timeout"
  | "body_timeout"
  | "write_timeout"
  /** Idle when a newcomer, or the process, needed its place. */
  | "evicted"
  /** Ended by `drain`. */
  | "drained";

/** Why the body of an answer did not arrive whole. */
export type BodyFailure = "stream_failed" | "too_short" | "too_long";

/** What happened at the front. */
export type Http1Event =
  | { readonly kind: "accepted" }
  /** Over `maxConnections`, and none of them idle: answered 503. */
  | { readonly kind: "refused" }
  /** Over `maxConnectionsPerClient`: answered 503, over TLS closed. */
  | { readonly kind: "client_refused" }
  /** Accepting failed, for example for want of file descriptors; it goes on by itself. */
  | { readonly kind: "accept_failed"; readonly error: unknown }
  | { readonly kind: "rejected"; readonly reason: Http1Rejection; readonly status: number }
  | {
    readonly kind: "answered";
    readonly lane: "fast" | "handler";
    readonly status: number;
    /** Bytes sent for this answer, head included. */
    readonly sentBytes: number;
  }
  /** The handler (or the fast lane) threw; the client got 500. */
  | { readonly kind: "handler_failed"; readonly error: unknown }
  | { readonly kind: "body_failed"; readonly reason: BodyFailure; readonly error?: unknown }
  | {
    readonly kind: "closed";
    readonly reason: CloseReason;
    readonly requests: number;
    readonly receivedBytes: number;
    readonly sentBytes: number;
  };
