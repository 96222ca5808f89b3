/**
 * What one client may make the front keep, and how long it may take.
 *
 * @module
 */

/** Bounds of the HTTP/1.1 front. Every one has a default in {@link defaultLimits}. */
export interface Http1Limits {
  /** Request line and field lines with their ends, in bytes; more is 431. */
  readonly maxHeadBytes: number;
  /** Request target as received, in bytes; more is 414. */
  readonly maxTargetBytes: number;
  /** One field line without its end, in bytes; more is 431. */
  readonly maxFieldLineBytes: number;
  /** Number of field lines; more is 431. */
  readonly maxFields: number;
  /** Request body after decoding, in bytes; more is 413. */
  readonly maxBodyBytes: number;
  /** Request body that nobody reads (GET, HEAD, unread rest): drained up to this, else closed. */
  readonly maxDrainBytes: number;
  /**
   * Connections at once. One more takes the place of the one that has been idle for longest; when
   * none is idle it is answered 503 (over TLS: it waits to be accepted).
   */
  readonly maxConnections: number;
  /** Connections of one client at once, see `clientOf`; one more is answered 503. */
  readonly maxConnectionsPerClient: number;
  /** Requests on one connection, after which it is closed. */
  readonly maxRequestsPerConnection: number;
  /** From accept to the end of the TLS handshake. */
  readonly handshakeTimeoutMs: number;
  /** From accept or handshake (or the first byte of a later request) to the end of the head: else 408. */
  readonly headTimeoutMs: number;
  /** Quiet time between two requests on a connection before it is closed. */
  readonly idleTimeoutMs: number;
  /** Waiting for a request body: time in which {@link minBodyBytes} must come, else 408. */
  readonly bodyTimeoutMs: number;
  /** See {@link bodyTimeoutMs}; the end of the body counts, too. */
  readonly minBodyBytes: number;
  /** Time in which a client that reads slowly must take something of what waits for it. */
  readonly writeTimeoutMs: number;
  /**
   * A client that has closed its side counts as gone after this time without taking a byte. Until
   * then it may only have closed its sending half, and wait for the answer.
   */
  readonly halfCloseTimeoutMs: number;
  /** How long a refused client may go on sending before the connection is cut. */
  readonly lingerTimeoutMs: number;
}

/** Bounds that suit an edge on the open internet. */
export const defaultLimits: Http1Limits = {
  maxHeadBytes: 32 * 1024,
  maxTargetBytes: 8 * 1024,
  maxFieldLineBytes: 8 * 1024,
  maxFields: 100,
  maxBodyBytes: 16 * 1024 * 1024,
  maxDrainBytes: 64 * 1024,
  maxConnections: 10_000,
  maxConnectionsPerClient: 1_000, // homes behind one carrier's address share it
  maxRequestsPerConnection: Infinity,
  handshakeTimeoutMs: 5_000,
  headTimeoutMs: 8_000,
  idleTimeoutMs: 60_000,
  bodyTimeoutMs: 10_000,
  minBodyBytes: 1024,
  writeTimeoutMs: 30_000,
  halfCloseTimeoutMs: 500,
  lingerTimeoutMs: 2_000,
};

/**
 * Completes limits with the defaults.
 *
 * @throws {RangeError} When one is not a positive number.
 */
export function completeLimits(limits: Partial<Http1Limits> = {}): Http1Limits {
  const complete = { ...defaultLimits, ...limits };
  for (const [name, value] of Object.entries(complete)) {
    if (!(value > 0)) {
      throw new RangeError(`Cannot use ${name}: need a number above 0: received ${value}`);
    }
  }
  return complete;
}
