/**
 * What a sender is given to carry.
 *
 * @module
 */

/** One file for the multicast session: its bytes and what receivers should know of it. */
export interface FluteObject {
  /**
   * Transport object URI, absolute (RFC 6726 §3.4.2 `Content-Location`): the receivers' cache key.
   */
  readonly contentLocation: string;
  /**
   * The decoded bytes. The sender keeps a reference: never write to them while the object is
   * listed.
   */
  readonly body: Uint8Array;
  readonly contentType?: string;
  /**
   * `gzip` makes the sender compress the body for the wire. Not for media: it forbids range repair.
   */
  readonly contentEncoding?: "gzip";
  /** Entity tag as in HTTP, quotes included (3GPP `File-ETag`). */
  readonly etag?: string;
  /**
   * How long from `add()` receivers may serve it without asking (3GPP `Cache-Control`/`Expires`).
   */
  readonly maxAgeSeconds?: number;
  /** The purge sequence number the origin's node had applied when these bytes were fetched. */
  readonly purgeSeq?: number;
  /** Surrogate keys, each without white space. */
  readonly tags?: readonly string[];
}
