/**
 * The request line (RFC 9112 §3), read from octets.
 *
 * @module
 */

import { type Authority, parseAuthority } from "#http";
import type { Http1Limits } from "./limits.ts";
import { decodeOctets, encodeOctets, octetClass, TARGET, TOKEN } from "./octets.ts";
import type { Http1Rejection } from "./rejection.ts";

/** A request line that may be served. */
export interface RequestLine {
  readonly method: string;
  /** In origin-form, or `*`. */
  readonly target: string;
  /** What an absolute-form target named; must agree with `Host`. */
  readonly authority: (Authority & { readonly defaultPort: number }) | undefined;
  /** Minor version of HTTP/1; anything above 1 counts as 1 (RFC 9110 §2.5). */
  readonly minorVersion: 0 | 1;
}

const SPACE = 0x20;
const CR = 0x0d;
const SLASH = 0x2f;

/** What nearly all request lines are made of, beside their target. */
const plainGet = encodeOctets("GET ");
const plainVersion = encodeOctets(" HTTP/1.1");

/** Methods that cannot become a `Request`, and that no part of this CDN serves. */
const unservedMethods = new Set(["CONNECT", "TRACE", "TRACK"]);
const maxMethodBytes = 32;

/** Reads `[start, end)` of `octets`, a line without its CRLF. */
export function parseRequestLine(
  octets: Uint8Array,
  start: number,
  end: number,
  limits: Http1Limits,
): RequestLine | Http1Rejection {
  const methodEnd = skipClass(octets, start, end, TOKEN);
  if (methodEnd === start || octets[methodEnd] !== SPACE) return lineFault(octets, start, end);
  const targetStart = methodEnd + 1;
  const targetEnd = skipClass(octets, targetStart, end, TARGET);
  if (targetEnd - targetStart > limits.maxTargetBytes) return "target_too_long";
  if (targetEnd === end) return "bad_version"; // HTTP/0.9
  if (octets[targetEnd] !== SPACE || targetEnd === targetStart) {
    return octets[targetEnd] === CR ? "bare_cr" : "bad_target";
  }
  if (
    octets[targetStart] === SLASH && holds(octets, start, plainGet) &&
    targetEnd === end - plainVersion.length
  ) {
    if (holds(octets, targetEnd, plainVersion)) {
      const target = decodeOctets(octets, targetStart, targetEnd);
      return { method: "GET", target, authority: undefined, minorVersion: 1 };
    }
  }
  const text = decodeOctets(octets, start, end);
  const minorVersion = parseVersion(text.slice(targetEnd + 1 - start));
  if (typeof minorVersion === "string") return minorVersion;
  const method = text.slice(0, methodEnd - start);
  if (method.length > maxMethodBytes || unservedMethods.has(method) || /[a-z]/.test(method)) {
    // In lower case it is another method (RFC 9110 §9.1), and Request would make it `GET`.
    return "method_not_served";
  }
  const target = canonicalTarget(text.slice(targetStart - start, targetEnd - start), method);
  return typeof target === "string" ? target : { method, minorVersion, ...target };
}

/** Whether octets go on at `at` with all of `text`. */
function holds(octets: Uint8Array, at: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (octets[at + i] !== text[i]) return false;
  return true;
}

function skipClass(octets: Uint8Array, start: number, end: number, mask: number): number {
  let at = start;
  while (at < end && (octetClass[octets[at]] & mask) !== 0) at++;
  return at;
}

function lineFault(octets: Uint8Array, start: number, end: number): Http1Rejection {
  const line = octets.subarray(start, end);
  if (line.includes(CR)) return "bare_cr";
  return line.includes(SPACE) && line[0] !== SPACE ? "bad_method" : "bad_request_line";
}

function parseVersion(text: string): 0 | 1 | Http1Rejection {
  if (text === "HTTP/1.1") return 1;
  if (text === "HTTP/1.0") return 0;
  const parts = /^HTTP\/(\d)\.\d$/.exec(text);
  if (!parts) return text.includes("\r") ? "bare_cr" : spaceInTarget(text);
  return parts[1] === "1" ? 1 : "version_not_supported";
}

/** What follows a second space ends in a version: then the target held a space. */
function spaceInTarget(text: string): Http1Rejection {
  return / HTTP\/\d\.\d$/.test(text) ? "bad_target" : "bad_version";
}

/** Canonicalises the four forms of RFC 9112 §3.2 to origin-form (and `*`). */
function canonicalTarget(
  target: string,
  method: string,
): Pick<RequestLine, "target" | "authority"> | Http1Rejection {
  if (target.startsWith("/")) return { target, authority: undefined };
  if (target === "*" && method === "OPTIONS") return { target, authority: undefined };
  const parts = /^(https?):\/\/([^/?]*)(\/?.*)$/i.exec(target);
  if (!parts) return "bad_target";
  const authority = parseAuthority(parts[2]);
  if (!authority) return "host_invalid";
  const defaultPort = parts[1].toLowerCase() === "http" ? 80 : 443;
  const path = parts[3].startsWith("/") ? parts[3] : `/${parts[3]}`;
  // RFC 9112 §3.2.4: the absolute form of `OPTIONS *` has an empty path and no query.
  const whole = method === "OPTIONS" && parts[3] === "";
  return { target: whole ? "*" : path, authority: { ...authority, defaultPort } };
}
