/**
 * Classes of octets, and text of one character an octet.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** Octet class: `tchar` (RFC 9110 §5.6.2). */
export const TOKEN = 1;
/** Octet class: what a field value may hold: HTAB, SP, VCHAR, obs-text (RFC 9110 §5.5). */
export const VALUE = 2;
/**
 * Octet class: what we accept in a request target. More than RFC 3986 allows, because browsers send
 * `|`, `^`, `[`, `{` and the like; never a space, control, quote, angle bracket, `#`, non-ASCII, or
 * `\`, which URL parsers turn into `/`.
 */
export const TARGET = 4;

/** The classes of each octet, to be masked with the constants above. */
export const octetClass: Uint8Array = classify();

function classify(): Uint8Array {
  const classes = new Uint8Array(256);
  for (let octet = 0; octet < 256; octet++) {
    const character = String.fromCharCode(octet);
    if (/[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(character)) classes[octet] |= TOKEN;
    if (/[\t -~\x80-\xff]/.test(character)) classes[octet] |= VALUE;
    if (/[!-~]/.test(character) && !/["#<>\\]/.test(character)) classes[octet] |= TARGET;
  }
  return classes;
}

/** What `Buffer` does for itself works on any octets, without making a `Buffer` of them. */
const { latin1Slice } = Buffer.prototype as unknown as {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
};

/** Decodes octets `[start, end)` one to one (ISO 8859-1), as HTTP/1.1 heads are read. */
export function decodeOctets(octets: Uint8Array, start = 0, end = octets.length): string {
  return latin1Slice.call(octets, start, end);
}

/** Encodes text one to one; no character may be above U+00FF. */
export function encodeOctets(text: string): Uint8Array {
  const octets = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) octets[i] = text.charCodeAt(i);
  return octets;
}
