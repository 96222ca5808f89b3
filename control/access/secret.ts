/**
 * Secrets that are handed out: a public id to look it up by, and 256 random bits of which only the
 * SHA-256 is kept. A fast hash is enough for what nobody can guess.
 *
 * @module
 */

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** A new secret: `text` is for its owner, the rest for the database. */
export interface NewSecret {
  readonly id: string;
  readonly text: string;
  readonly hash: Uint8Array;
}

/** Makes a secret of the form `<prefix>_<id>_<secret>`. */
export function makeSecret(prefix: string): NewSecret {
  const id = randomBytes(6).toString("hex");
  const secret = randomBytes(32).toString("base64url");
  return { id, text: `${prefix}_${id}_${secret}`, hash: digest(secret) };
}

/** Takes a secret apart; `undefined` when it has another form. */
export function readSecret(
  prefix: string,
  text: string,
): { readonly id: string; readonly hash: Uint8Array } | undefined {
  const [, found, id, secret] = /^([a-z]+)_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/.exec(text) ?? [];
  return found === prefix ? { id, hash: digest(secret) } : undefined;
}

/** Compares two hashes without telling by its time how much was right. */
export function sameHash(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/** Compares two secrets of any length, in the same way. */
export function sameSecret(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
