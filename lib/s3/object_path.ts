/**
 * Which object of a bucket a request target names, in the one form in which S3 signs it. Pure.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** A bucket, and what stands before every key in it. */
export interface S3Location {
  readonly bucket: string;
  /** `""`, or a prefix without slashes at its ends. */
  readonly prefix: string;
}

/** An object on the wire. */
export interface S3Target {
  /** Path with the bucket, every byte but unreserved ones and slashes percent-encoded. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
}

/** Reads `s3://BUCKET[/PREFIX]`; `undefined` for what names no bucket. */
export function parseLocation(url: URL): S3Location | undefined {
  const bucket = url.hostname;
  // The rules for new buckets, and dots, which older ones have.
  if (url.protocol !== "s3:" || !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    return undefined;
  }
  return { bucket, prefix: url.pathname.replace(/^\/+|\/+$/g, "") };
}

/**
 * Returns the object of a request target. Of the query only `versionId` counts: anything else could
 * be a subresource (`acl`, `list-type`), which would be signed with our credentials.
 *
 * @param target Path and query in canonical form.
 * @returns `undefined` when no object is named: the bucket itself would be listed.
 */
export function s3Target({ bucket, prefix }: S3Location, target: string): S3Target | undefined {
  const [path, query = ""] = target.split("?", 2);
  if (/%2f/i.test(path)) return undefined; // to S3 a slash: the same object under another name
  const key = encodedKey(`${prefix === "" ? "" : `/${prefix}`}${path}`);
  if (!path.startsWith("/") || path === "/" || hasDotSegment(key)) return undefined;
  const versionId = new URLSearchParams(query).get("versionId");
  return { path: `/${bucket}${key}`, query: versionId === null ? {} : { versionId } };
}

/** Percent-decodes to octets and encodes them strictly: `+`, `(` and the like are data in a key. */
function encodedKey(path: string): string {
  let encoded = "";
  for (const byte of decoded(path)) {
    const character = String.fromCharCode(byte);
    encoded += /[A-Za-z0-9\-._~/]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

function decoded(path: string): Uint8Array {
  const octets = Buffer.from(path);
  const bytes: number[] = [];
  for (let at = 0; at < octets.length; at++) {
    const hex = octets[at] === 0x25 ? octets.subarray(at + 1, at + 3).toString() : "";
    if (/^[0-9A-Fa-f]{2}$/.test(hex)) {
      bytes.push(parseInt(hex, 16));
      at += 2;
    } else bytes.push(octets[at]);
  }
  return Uint8Array.from(bytes);
}

/** Whether proxies on the way could take a segment away, so that another object would be asked for. */
function hasDotSegment(key: string): boolean {
  return key.split("/").some((segment) => segment === "." || segment === "..");
}
