/**
 * What the fields of a request say about its body and its connection (RFC 9112 §6, §9).
 *
 * @module
 */

import {
  type Authority,
  connectionOptions,
  type Fields,
  parseAuthority,
  sameAuthority,
} from "#http";
import type { Http1Limits } from "./limits.ts";
import type { Http1Rejection } from "./rejection.ts";
import type { RequestLine } from "./request_line.ts";

/** How long the body of a request is (RFC 9112 §6.3). */
export type BodyFraming =
  | { readonly kind: "none" }
  | { readonly kind: "fixed"; readonly bytes: number }
  | { readonly kind: "chunked" };

/** What a request head says about the message and the connection. */
export interface Framing {
  readonly body: BodyFraming;
  /** The client wants (or, in HTTP/1.0, asked) to go on with this connection. */
  readonly keepAlive: boolean;
  /** The client waits for 100 before it sends the body (RFC 9110 §10.1.1). */
  readonly expectsContinue: boolean;
  /** Value of `Host`; `undefined` only in HTTP/1.0. */
  readonly host: string | undefined;
}

const noBody: BodyFraming = { kind: "none" };

/** Decides how a request is framed, or why it must be refused. */
export function frameRequest(
  line: RequestLine,
  fields: Fields,
  limits: Http1Limits,
): Framing | Http1Rejection {
  const hosts: string[] = [];
  const lengths: string[] = [];
  const codings: string[] = [];
  let expectation: string | undefined;
  let hasConnection = false;
  for (const [name, value] of fields) {
    if (name === "host") hosts.push(value);
    else if (name === "content-length") lengths.push(value);
    else if (name === "transfer-encoding") codings.push(value);
    else if (name === "expect") expectation = expectation === undefined ? value : "";
    else if (name === "connection") hasConnection = true;
  }
  const fault = hostFault(line, hosts);
  if (fault) return fault;
  const body = bodyFraming(line, lengths, codings, limits);
  if (typeof body === "string") return body;
  if (expectation !== undefined && expectation.toLowerCase() !== "100-continue") {
    return "expectation_unknown";
  }
  return {
    body,
    keepAlive: hasConnection ? wantsKeepAlive(line, fields) : line.minorVersion === 1,
    // RFC 9110 §10.1.1: ignored from HTTP/1.0 clients, and pointless without a body.
    expectsContinue: expectation !== undefined && line.minorVersion === 1 && body.kind !== "none",
    host: hosts[0],
  };
}

function wantsKeepAlive(line: RequestLine, fields: Fields): boolean {
  const options = connectionOptions(fields);
  return !options.has("close") && (line.minorVersion === 1 || options.has("keep-alive"));
}

/** `Host` must be there once, be valid, and agree with an absolute target (RFC 9112 §3.2). */
function hostFault(line: RequestLine, hosts: readonly string[]): Http1Rejection | undefined {
  if (hosts.length > 1) return "host_repeated";
  if (hosts.length === 0) return line.minorVersion === 1 ? "host_missing" : undefined;
  const authority = authorityOf(hosts[0]);
  if (!authority) return "host_invalid";
  const wanted = line.authority;
  if (wanted && !sameAuthority(authority, wanted, wanted.defaultPort)) return "host_mismatch";
  return undefined;
}

/** Clients of a node say the same host again and again. */
let lastHost: { readonly text: string; readonly authority: Authority | undefined } | undefined;

function authorityOf(text: string): Authority | undefined {
  if (lastHost?.text !== text) lastHost = { text, authority: parseAuthority(text) };
  return lastHost.authority;
}

function bodyFraming(
  line: RequestLine,
  lengths: readonly string[],
  codings: readonly string[],
  limits: Http1Limits,
): BodyFraming | Http1Rejection {
  if (codings.length > 0) {
    if (lengths.length > 0) return "length_with_coding";
    if (line.minorVersion === 0) return "coding_on_http10";
    if (codings.length > 1) return "coding_repeated";
    return codings[0].toLowerCase() === "chunked" ? { kind: "chunked" } : "coding_unknown";
  }
  if (lengths.length === 0) return noBody;
  if (lengths.length > 1) return "length_repeated";
  if (!/^[0-9]{1,15}$/.test(lengths[0])) return "length_invalid";
  const bytes = Number(lengths[0]);
  if (bytes > limits.maxBodyBytes) return "body_too_large";
  return bytes === 0 ? noBody : { kind: "fixed", bytes };
}
