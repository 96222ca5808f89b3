/**
 * Digests of files: SHA-256 for DVB (RFC 9530 syntax), MD5 for FLUTE v1 receivers.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

/** Bytes hashed in one go before other work gets a turn: about 2 ms. */
const sliceBytes = 1 << 20;

/** The digest in hexadecimal. */
export function hexDigest(algorithm: "md5" | "sha256", bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest("hex");
}

/** The digest in hexadecimal, of bytes that may be many: the event loop turns between slices. */
export async function hexDigestInTurns(
  algorithm: "md5" | "sha256",
  bytes: Uint8Array,
): Promise<string> {
  const hash = createHash(algorithm);
  for (let start = 0; start < bytes.length; start += sliceBytes) {
    if (start > 0) await new Promise((resolve) => setTimeout(resolve, 0));
    hash.update(bytes.subarray(start, start + sliceBytes));
  }
  return hash.digest("hex");
}

/** Base64 of a hexadecimal digest, as `Content-MD5` has it. */
export function hexToBase64(hex: string): string {
  return Buffer.from(hex, "hex").toString("base64");
}

/** @returns Hexadecimal, or `undefined` unless `base64` decodes to exactly `bytes` bytes. */
export function base64ToHex(base64: string, bytes: number): string | undefined {
  const decoded = Buffer.from(base64, "base64");
  return decoded.length === bytes ? decoded.toString("hex") : undefined;
}

/** Writes `sha-256=:BASE64:` (RFC 9530 §2). */
export function formatSha256Field(hex: string): string {
  return `sha-256=:${hexToBase64(hex)}:`;
}

/** Reads the SHA-256 of a digest field, which may list other algorithms too. */
export function parseSha256Field(value: string): string | undefined {
  const found = /(?:^|[\s,])sha-256=:([A-Za-z0-9+/=]+):/.exec(value);
  return found ? base64ToHex(found[1], 32) : undefined;
}
