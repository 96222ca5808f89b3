/**
 * The File Delivery Table as data (RFC 6726 §3.4.2, as profiled by 3GPP TS 26.346 and ETSI TS 103
 * 769 Annex F): which transport object carries which file.
 *
 * @module
 */

import type { Toi } from "#lct";
import type { FecOti } from "#fec";

/** What a receiver's cache may do with a file (3GPP `Cache-Control`, namespace of 2007). */
export type FdtCacheControl =
  | { readonly kind: "no_cache" }
  | { readonly kind: "max_stale" }
  /** Fresh until then; `expiresMs` in milliseconds since the Unix epoch, resolution one second. */
  | { readonly kind: "expires"; readonly expiresMs: number };

/** What the FDT says of a file's bytes, in lower-case hexadecimal. */
export interface FdtDigests {
  /** `Content-MD5`: senders differ on whether it is of the decoded or the encoded bytes. */
  readonly md5?: string;
  /** DVB `Content-Digest`, SHA-256 of the bytes on the wire. */
  readonly contentSha256?: string;
  /** DVB `Repr-Digest`, SHA-256 of the decoded bytes. */
  readonly reprSha256?: string;
}

/** What an FDT says of the FEC of one file; what it leaves out may come from EXT_FTI. */
export type FdtOti = Partial<Omit<FecOti, "transferLength">>;

/** One `File` of an FDT instance, with the defaults of its `FDT-Instance` applied. */
export interface FdtFile {
  /** 1 or more. */
  readonly toi: Toi;
  /** Transport object URI. Never use it as a path of a file system. */
  readonly contentLocation: string;
  readonly contentType?: string;
  /** In lower case; absent for `identity`. */
  readonly contentEncoding?: string;
  /** Bytes after decoding. */
  readonly contentLength?: number;
  /** Bytes on the wire. */
  readonly transferLength?: number;
  readonly digests: FdtDigests;
  readonly etag?: string;
  readonly cacheControl?: FdtCacheControl;
  /** Sequence number of the last purge that the sender's bytes have seen (our own attribute). */
  readonly purgeSeq?: number;
  /** Surrogate keys (our own attribute). */
  readonly tags: readonly string[];
  readonly oti: FdtOti;
}

/** One FDT instance document. */
export interface FdtInstance {
  /** `Expires`: NTP seconds, 32 bits, wraps in 2036; compare with serial arithmetic only. */
  readonly expiresNtp: number;
  /** No file will be added in later instances. */
  readonly complete: boolean;
  /** Lists every live file (3GPP `FullFDT`). */
  readonly full: boolean;
  /** At least one. */
  readonly files: readonly FdtFile[];
  /** `File` elements left out because they lack a location or a TOI, or name TOI 0. */
  readonly skippedFiles: number;
}

/**
 * Whether two entries describe the same bytes at the same place, so that what was received under
 * one is good under the other. Cache expiry, tags and purge numbers may differ.
 */
export function sameFile(a: FdtFile, b: FdtFile): boolean {
  return a.contentLocation === b.contentLocation &&
    a.transferLength === b.transferLength &&
    a.contentLength === b.contentLength &&
    a.contentEncoding === b.contentEncoding &&
    a.etag === b.etag &&
    a.digests.md5 === b.digests.md5 &&
    a.digests.contentSha256 === b.digests.contentSha256 &&
    a.digests.reprSha256 === b.digests.reprSha256 &&
    a.oti.symbolBytes === b.oti.symbolBytes &&
    a.oti.maxSourceBlockSymbols === b.oti.maxSourceBlockSymbols &&
    a.oti.encodingId === b.oti.encodingId &&
    a.oti.maxEncodingSymbols === b.oti.maxEncodingSymbols &&
    String(a.oti.schemeSpecific) === String(b.oti.schemeSpecific);
}
