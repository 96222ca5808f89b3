/**
 * Response heads as octets (RFC 9112 §4, §6).
 *
 * @module
 */

import { type Field, type Fields, hopByHopFields } from "#http";
import { encodeOctets } from "./octets.ts";

/** How the end of a response body is told. */
export type ResponseFraming =
  /** No body may follow: HEAD, 204, 304. */
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" }
  /** The end of the connection, for HTTP/1.0. */
  | { readonly kind: "close" };

/** What decides how a response is framed. */
export interface ResponsePlanInput {
  readonly status: number;
  /** Fields as the app gave them. */
  readonly fields: Iterable<Field>;
  /** Size of the whole body where it is known; else `Content-Length` in the fields decides. */
  readonly bodyBytes: number | undefined;
  readonly method: string;
  readonly minorVersion: 0 | 1;
  /** The connection could go on after this answer. */
  readonly keepAlive: boolean;
  /** The `Date` value to add where the app gave none. */
  readonly date: string;
}

/** A response head ready to be written. */
export interface ResponsePlan {
  /** With the empty line at its end. */
  readonly head: Uint8Array;
  readonly framing: ResponseFraming;
  /** Whether the connection goes on. */
  readonly keepAlive: boolean;
}

/** Frames a response (RFC 9112 §6.3) and writes its head. */
export function planResponse(input: ResponsePlanInput): ResponsePlan {
  const kept: Field[] = [];
  let declaredBytes: number | undefined;
  let keepAlive = input.keepAlive;
  let dated = false;
  for (const [name, value] of input.fields) {
    if (name === "content-length") declaredBytes = parseLength(value);
    else if (name === "connection") keepAlive &&= !/\bclose\b/i.test(value);
    else if (!hopByHopFields.has(name)) kept.push([name, value]);
    dated ||= name === "date";
  }
  const framing = frameResponse(input, input.bodyBytes ?? declaredBytes);
  if (framing.kind === "close") keepAlive = false;
  const bytes = framing.kind === "length" ? framing.bytes : declaredBytes;
  if (framing.kind === "chunked") kept.push(["transfer-encoding", "chunked"]);
  else if (bytes !== undefined && mayDeclareLength(input.status, framing)) {
    kept.push(["content-length", String(bytes)]);
  }
  if (!dated) kept.push(["date", input.date]);
  const connection = connectionValue(keepAlive, input.minorVersion);
  if (connection) kept.push(["connection", connection]);
  return { head: encodeHead(input.status, kept), framing, keepAlive };
}

/** The `Connection` value an answer needs; `undefined` for HTTP/1.1 that goes on. */
export function connectionValue(keepAlive: boolean, minorVersion: 0 | 1): string | undefined {
  if (!keepAlive) return "close";
  return minorVersion === 0 ? "keep-alive" : undefined;
}

/** Whether a response to this method and with this status has no body (RFC 9110 §6.4.1). */
export function isBodiless(method: string, status: number): boolean {
  return method === "HEAD" || status === 204 || status === 304;
}

/** RFC 9110 §8.6: never in 204; in HEAD and 304 only what the GET would have declared. */
function mayDeclareLength(status: number, framing: ResponseFraming): boolean {
  return status !== 204 && framing.kind !== "close";
}

function frameResponse(
  { status, method, minorVersion }: ResponsePlanInput,
  bytes: number | undefined,
): ResponseFraming {
  if (isBodiless(method, status)) return { kind: "none" };
  if (bytes !== undefined) return { kind: "length", bytes };
  return { kind: minorVersion === 0 ? "close" : "chunked" };
}

/** A `Content-Length` that is none is dropped: the body is then framed without it. */
function parseLength(value: string): number | undefined {
  return /^[0-9]{1,15}$/.test(value) ? Number(value) : undefined;
}

/** Writes a head with the empty line at its end. */
export function encodeHead(status: number, fields: Fields): Uint8Array {
  let text = `HTTP/1.1 ${status} ${reasonPhrases[status] ?? ""}\r\n`;
  for (const [name, value] of fields) text += `${name}: ${value}\r\n`;
  return encodeOctets(text + "\r\n");
}

const reasonPhrases: Readonly<Record<number, string>> = {
  100: "Continue",
  102: "Processing",
  103: "Early Hints",
  200: "OK",
  201: "Created",
  202: "Accepted",
  203: "Non-Authoritative Information",
  204: "No Content",
  205: "Reset Content",
  206: "Partial Content",
  300: "Multiple Choices",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  402: "Payment Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  425: "Too Early",
  426: "Upgrade Required",
  428: "Precondition Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  451: "Unavailable For Legal Reasons",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
};
