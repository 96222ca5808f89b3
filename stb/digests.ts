/**
 * Whether bytes that were fetched whole are those that an FDT names.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { FdtFile } from "#flute";
import { strongTag } from "./repair_reply.ts";

/**
 * Whether the decoded bytes of a file match what its FDT entry says of them: length and the best
 * digest it has. An entry without any digest vouches for nothing beyond the length.
 */
export function matchesFile(
  file: Pick<FdtFile, "digests" | "contentLength" | "transferLength" | "contentEncoding">,
  bytes: Uint8Array,
): boolean {
  const plain = file.contentEncoding === undefined;
  const length = file.contentLength ?? (plain ? file.transferLength : undefined);
  if (length !== undefined && length !== bytes.length) return false;
  const { md5, contentSha256, reprSha256 } = file.digests;
  const sha256 = reprSha256 ?? (plain ? contentSha256 : undefined);
  if (sha256 !== undefined) return hexDigest("sha256", bytes) === sha256;
  return md5 === undefined || hexDigest("md5", bytes) === md5;
}

/**
 * Whether an entry tells its bytes from those of every other version: by a digest of them, or by a
 * strong entity tag, which a server must match before it sends a part.
 */
export function namesOneVersion({ digests, etag }: Pick<FdtFile, "digests" | "etag">): boolean {
  const { md5, contentSha256, reprSha256 } = digests;
  return (md5 ?? contentSha256 ?? reprSha256 ?? strongTag(etag)) !== undefined;
}

function hexDigest(algorithm: "sha256" | "md5", bytes: Uint8Array): string {
  return createHash(algorithm).update(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
    .digest("hex");
}
