/**
 * Keys that sign and check notices: Ed25519 (RFC 8032). A public key is written as the 32 bytes of it
 * in base64; a private key is a PKCS #8 file in PEM (RFC 8410).
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

const algorithm = "Ed25519";

/** A key that others know by its id. */
export interface PublicKey {
  /** The first 16 hexadecimal digits of the SHA-256 of the key. */
  readonly id: string;
  /** 32 bytes. */
  readonly raw: Uint8Array;
}

/** What signs. */
export interface Signer {
  readonly publicKey: PublicKey;
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

/** Reads a public key in base64; `undefined` when it is none. */
export function parsePublicKey(text: string): PublicKey | undefined {
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text.trim())) return undefined;
  const raw = new Uint8Array(Buffer.from(text.trim(), "base64"));
  return { id: createHash("sha256").update(raw).digest("hex").slice(0, 16), raw };
}

/** Writes a public key as {@link parsePublicKey} reads it. */
export function formatPublicKey({ raw }: PublicKey): string {
  return Buffer.from(raw).toString("base64");
}

/** Makes a pair: the private key as a PEM file, the public one in base64. */
export async function generateKeys(): Promise<{ privatePem: string; publicKey: string }> {
  const pair = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const { privateKey, publicKey } = pair as CryptoKeyPair;
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey("pkcs8", privateKey));
  const raw = Buffer.from(await crypto.subtle.exportKey("raw", publicKey));
  const lines = pkcs8.toString("base64").match(/.{1,64}/g) ?? [];
  const privatePem = `-----BEGIN PRIVATE KEY-----\n${
    lines.join("\n")
  }\n-----END PRIVATE KEY-----\n`;
  return { privatePem, publicKey: raw.toString("base64") };
}

/** Reads a private key; `undefined` when it is no Ed25519 key in PEM. */
export async function readSigner(privatePem: string): Promise<Signer | undefined> {
  const body = /-----BEGIN PRIVATE KEY-----([\s\S]+?)-----END PRIVATE KEY-----/.exec(privatePem);
  if (body === null) return undefined;
  try {
    const pkcs8 = new Uint8Array(Buffer.from(body[1].replace(/\s/g, ""), "base64"));
    const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, true, ["sign"]);
    const { x } = await crypto.subtle.exportKey("jwk", privateKey);
    const publicKey = parsePublicKey(Buffer.from(x ?? "", "base64url").toString("base64"));
    if (publicKey === undefined) return undefined;
    return {
      publicKey,
      sign: async (bytes) =>
        new Uint8Array(await crypto.subtle.sign(algorithm, privateKey, bytes.slice())),
    };
  } catch {
    return undefined; // another kind of key, or none
  }
}

/** Whether a signature is that of a key. */
export async function verifies(
  { raw }: PublicKey,
  { bytes, signature }: { readonly bytes: Uint8Array; readonly signature: Uint8Array },
): Promise<boolean> {
  const key = await crypto.subtle.importKey("raw", raw.slice(), algorithm, false, ["verify"]);
  return await crypto.subtle.verify(algorithm, key, signature.slice(), bytes.slice());
}
