/**
 * From transfer bytes to the file: content decoding with a bound, and digests.
 *
 * @module
 */

import { gunzipSync, inflateRawSync, inflateSync } from "node:zlib";
import { contentEncodings } from "#lct";
import type { ContentRejection } from "./events.ts";
import type { FdtFile } from "./fdt.ts";
import { hexDigestInTurns } from "./digests.ts";

/**
 * A small document must not unpack to more than about 32 MB, even where the cap below is not
 * honoured.
 */
const mostPackedFdtBytes = 32 * 1024;

/**
 * Decodes and checks a file.
 *
 * @param body All transfer bytes.
 * @param maxBytes Most decoded bytes, when the FDT gives no Content-Length.
 * @returns The file, `body` itself when it was not encoded.
 */
export async function openContent(
  file: FdtFile,
  body: Uint8Array,
  maxBytes: number,
): Promise<Uint8Array | ContentRejection> {
  const { digests, contentEncoding, contentLength = maxBytes } = file;
  const transferred = digests.contentSha256 ?? (contentEncoding ? undefined : digests.reprSha256);
  if (!await matches("sha256", transferred, body)) return "digest_mismatch";
  if (contentEncoding === undefined) {
    if (file.contentLength !== undefined && file.contentLength !== body.length) {
      return "length_mismatch";
    }
    return await md5Holds(file, body, body) ? body : "digest_mismatch";
  }
  const decoded = await decode(contentEncoding, body, Math.min(contentLength, maxBytes));
  if (typeof decoded === "string") return decoded;
  if (decoded.length !== (file.contentLength ?? decoded.length)) return "length_mismatch";
  if (!await matches("sha256", digests.reprSha256, decoded)) return "digest_mismatch";
  return await md5Holds(file, body, decoded) ? decoded : "digest_mismatch";
}

/** MD5 counts only without the better digest. */
async function md5Holds(file: FdtFile, body: Uint8Array, decoded: Uint8Array): Promise<boolean> {
  const { md5, contentSha256, reprSha256 } = file.digests;
  if (contentSha256 ?? reprSha256) return true;
  if (await matches("md5", md5, decoded)) return true;
  return body !== decoded && await matches("md5", md5, body);
}

async function matches(algorithm: "md5" | "sha256", want: string | undefined, bytes: Uint8Array) {
  return want === undefined || await hexDigestInTurns(algorithm, bytes) === want;
}

async function decode(
  encoding: string,
  body: Uint8Array,
  maxBytes: number,
): Promise<Uint8Array | ContentRejection> {
  if (encoding === "gzip" || encoding === "x-gzip") return await inflate("gzip", body, maxBytes);
  if (encoding !== "deflate" && encoding !== "zlib") return "unknown_encoding";
  // HTTP means the zlib wrapping by "deflate", but many senders write it bare.
  const wrapped = body.length > 1 && (body[0] * 256 + body[1]) % 31 === 0 && (body[0] & 15) === 8;
  return await inflate(wrapped ? "deflate" : "deflate-raw", body, maxBytes);
}

async function inflate(
  format: CompressionFormat,
  body: Uint8Array,
  maxBytes: number,
): Promise<Uint8Array | ContentRejection> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    const packed = new Blob([body as Uint8Array<ArrayBuffer>]).stream();
    for await (const chunk of packed.pipeThrough(new DecompressionStream(format))) {
      bytes += chunk.length;
      if (bytes > maxBytes) return "too_large";
      chunks.push(chunk);
    }
  } catch {
    return "bad_encoding";
  }
  const decoded = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    decoded.set(chunk, at);
    at += chunk.length;
  }
  return decoded;
}

/**
 * Decodes an FDT instance, which is small, in one go.
 *
 * @param algorithm Of EXT_CENC.
 * @returns `undefined` when it cannot be decoded within `maxBytes`.
 */
export function openFdt(
  algorithm: number,
  document: Uint8Array,
  maxBytes: number,
): Uint8Array | undefined {
  if (algorithm === contentEncodings.none) return document;
  const unpack = {
    [contentEncodings.zlib]: inflateSync,
    [contentEncodings.deflate]: inflateRawSync,
    [contentEncodings.gzip]: gunzipSync,
  }[algorithm];
  if (!unpack || document.length > mostPackedFdtBytes) return undefined;
  try {
    const plain = unpack(document, { maxOutputLength: maxBytes });
    return plain.length <= maxBytes ? plain : undefined;
  } catch {
    return undefined; // not what EXT_CENC says, or larger than allowed
  }
}
