/**
 * From the object that a program hands over to what the FDT says of it.
 *
 * @module
 */

import { gzipSync } from "node:zlib";
import { hexDigest } from "./digests.ts";
import type { FdtFile, FdtOti } from "./fdt.ts";
import type { FluteObject } from "./object.ts";

/** What the session adds. */
export interface Listing {
  readonly toi: number;
  /** How an object of so many transfer bytes is cut. */
  readonly otiOf: (bytes: number) => FdtOti;
  readonly nowMs: number;
}

/**
 * Computes digests and lengths, and encodes the body when asked to.
 *
 * @throws RangeError for a location or tag that the FDT cannot carry.
 */
export function listedFile(
  object: FluteObject,
  { toi, otiOf, nowMs }: Listing,
): { file: FdtFile; body: Uint8Array } {
  const { contentLocation, contentEncoding, maxAgeSeconds, tags = [] } = object;
  if (contentLocation === "" || contentLocation.length > 2048) {
    throw refusal("contentLocation must have 1 to 2048 characters", contentLocation.length);
  }
  const broken = tags.find((tag) => !/^[^\s]{1,256}$/.test(tag));
  if (broken !== undefined) throw refusal("a tag must have no white space", JSON.stringify(broken));
  const body = contentEncoding === "gzip" ? gzipSync(object.body) : object.body;
  const file: FdtFile = {
    toi,
    contentLocation,
    contentType: object.contentType,
    contentEncoding,
    contentLength: object.body.length,
    transferLength: body.length,
    digests: {
      md5: hexDigest("md5", object.body),
      contentSha256: contentEncoding === undefined ? undefined : hexDigest("sha256", body),
      reprSha256: hexDigest("sha256", object.body),
    },
    etag: object.etag,
    cacheControl: maxAgeSeconds === undefined
      ? undefined
      : { kind: "expires", expiresMs: nowMs + maxAgeSeconds * 1000 },
    purgeSeq: object.purgeSeq,
    tags,
    oti: otiOf(body.length),
  };
  return { file, body };
}

function refusal(need: string, received: unknown): RangeError {
  return new RangeError(`Cannot add FLUTE object: ${need}: received ${received}`);
}
