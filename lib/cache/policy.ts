/**
 * What an operator may choose about a cache, apart from what the RFCs fix.
 *
 * @module
 */

/** The choices, each with its default in {@link defaultPolicy}. */
export interface CachePolicy {
  /** Store responses with `Set-Cookie` when they are storable otherwise. */
  readonly storeSetCookie: boolean;
  /** Obey `Cache-Control` and `Pragma` of requests (RFC 9111 §5.2.1) and pass them on. */
  readonly honourRequestDirectives: boolean;
  /**
   * How long after its freshness ended a response may stand in for a next hop that fails, in
   * milliseconds, where the response itself neither grants nor forbids it (RFC 9111 §4.2.4).
   */
  readonly staleOnErrorMs: number;
  /**
   * By status: how long such a response is fresh where it does not say so itself, and at most if it
   * does, in milliseconds. For errors at the live edge, which must not outlive the segment's arrival.
   */
  readonly negativeTtlMs: Readonly<Record<number, number>>;
  /**
   * Whether playlists and manifests that go on are fresh for a target duration at most, and for half
   * of one where they do not say.
   */
  readonly manifestLife: boolean;
  /**
   * Names of the query parameters that are part of the key and go to the next hop, in canonical
   * form; all others are dropped. `undefined` keeps the query as it is.
   */
  readonly keepQuery: readonly string[] | undefined;
  /**
   * Whether parts (206) that pass are stored too, to answer ranges within them and to be completed
   * (RFC 9111 §3.3, §3.4). `find` of the store then returns them beside whole responses.
   */
  readonly keepParts: boolean;
  /**
   * Size of the slices that large objects are fetched and kept in, in bytes; 0 keeps every object in
   * one piece.
   */
  readonly sliceBytes: number;
  /**
   * Largest object that is kept in one piece when it is asked for whole, in bytes; one that is asked for
   * in ranges first is in slices when it is larger than one.
   */
  readonly wholeBytes: number;
  /** How long a failed revalidation keeps others from trying, in milliseconds. */
  readonly retryAfterErrorMs: number;
  /** How long a key is remembered as not shareable (hit-for-miss) or not to be cut, in milliseconds. */
  readonly unsharedMs: number;
  /** How many keys are remembered as each. */
  readonly unsharedKeys: number;
  /** Names of request fields, in lower case, that go to the next hop besides the built-in ones. */
  readonly forwardFields: readonly string[];
  /** Names of response fields, in lower case, that are kept but never shown to a client. */
  readonly hideFields: readonly string[];
  /**
   * Most parts of one multipart/byteranges answer; more are answered with the whole body. Parts never
   * hold more bytes together than the body: the bound is on framing. A set-top box that repairs a
   * segment asks for a part a hole.
   */
  readonly maxRangeParts: number;
  /**
   * How far ahead of the bytes that arrived a range may start and still wait for them, in bytes;
   * beyond it the range is asked of the next hop by itself.
   */
  readonly rangeWaitBytes: number;
  /** How much of one body that is arriving is kept for readers who come later, in bytes. */
  readonly fillWindowBytes: number;
  /** Memory for all bodies that are arriving, in bytes; each may keep 1 MiB even when it is used up. */
  readonly fillBudgetBytes: number;
  /** How long a reader may hold up the others of a large body before it is dropped, in milliseconds. */
  readonly stalledReaderMs: number;
  /** Largest rest of a storable body that is fetched to the end without any client, in bytes. */
  readonly backgroundBytes: number;
  /** How long that may take, in milliseconds. */
  readonly backgroundMs: number;
}

/** The defaults. */
export const defaultPolicy: CachePolicy = {
  storeSetCookie: false,
  honourRequestDirectives: true,
  staleOnErrorMs: 60e3,
  negativeTtlMs: {},
  manifestLife: true,
  keepQuery: undefined,
  keepParts: false,
  sliceBytes: 0,
  wholeBytes: 32 * 2 ** 20,
  retryAfterErrorMs: 1e3,
  unsharedMs: 10e3,
  unsharedKeys: 10_000,
  forwardFields: [],
  hideFields: [],
  maxRangeParts: 32,
  rangeWaitBytes: 8 * 2 ** 20,
  fillWindowBytes: 64 * 2 ** 20,
  fillBudgetBytes: 256 * 2 ** 20,
  stalledReaderMs: 10e3,
  backgroundBytes: 256 * 2 ** 20,
  backgroundMs: 60e3,
};
