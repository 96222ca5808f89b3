/**
 * Response heads from octets (RFC 9112 §4, §5, §6.3). Pure.
 *
 * @module
 */

import { type Field, type Fields, fieldValue, isFieldName, isFieldValue } from "#http";

/** How the end of a body is known. */
export type BodyEnd =
  | { readonly kind: "none" }
  | { readonly kind: "fixed"; readonly bytes: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "close" };

/** A whole response head. */
export interface ParsedResponse {
  readonly status: number;
  readonly fields: Fields;
  readonly end: BodyEnd;
  /** The connection may carry another exchange after this one. */
  readonly keepAlive: boolean;
  /** How many octets the head took. */
  readonly headBytes: number;
}

/** What a next hop may make us keep of a head. */
const maxHeadBytes = 64 * 1024;
const maxFields = 200;

const latin1 = new TextDecoder("latin1");

/**
 * Reads a response head at the start of `octets`.
 *
 * @param method Method of the request; it decides whether there is a body.
 * @returns `need_more` until the head is whole, `malformed` when it cannot be one.
 */
export function parseResponseHead(
  octets: Uint8Array,
  method: string,
): ParsedResponse | "need_more" | "malformed" {
  if (octets.length > 0 && octets[0] !== 0x48 /* H */) return "malformed";
  const headBytes = endOfHead(octets);
  if (headBytes === -1) return octets.length > maxHeadBytes ? "malformed" : "need_more";
  const [statusLine, ...lines] = latin1.decode(octets.subarray(0, headBytes - 4)).split("\r\n");
  const [, version, code] = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: |$)/.exec(statusLine) ?? [];
  const fields = parseFields(lines);
  if (code === undefined || fields === undefined) return "malformed";
  const status = Number(code);
  const end = bodyEnd(status, method, version, fields);
  if (end === undefined) return "malformed";
  return {
    status,
    fields,
    end,
    keepAlive: isKept(version, fields) && end.kind !== "close",
    headBytes,
  };
}

/** Offset behind the empty line, or -1. */
function endOfHead(octets: Uint8Array): number {
  for (let at = octets.indexOf(0x0a); at !== -1; at = octets.indexOf(0x0a, at + 1)) {
    const isEmptyLine = octets[at - 1] === 0x0d && octets[at - 2] === 0x0a &&
      octets[at - 3] === 0x0d;
    if (isEmptyLine) return at + 1;
  }
  return -1;
}

function parseFields(lines: readonly string[]): Fields | undefined {
  const fields: Field[] = [];
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "");
    if (!isFieldName(name) || !isFieldValue(value) || fields.length === maxFields) return undefined;
    fields.push([name, value]);
  }
  return fields;
}

/** RFC 9112 §6.3; what is ambiguous is malformed, for a wrong guess would poison the cache. */
function bodyEnd(
  status: number,
  method: string,
  version: string,
  fields: Fields,
): BodyEnd | undefined {
  const coding = fieldValue(fields, "transfer-encoding");
  const length = fieldValue(fields, "content-length");
  if (coding !== undefined) {
    const sound = version === "1" && coding.toLowerCase() === "chunked" && length === undefined;
    if (!sound) return undefined;
  }
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return undefined;
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) {
    return { kind: "none" };
  }
  if (coding !== undefined) return { kind: "chunked" };
  return length === undefined ? { kind: "close" } : { kind: "fixed", bytes: Number(length) };
}

function isKept(version: string, fields: Fields): boolean {
  const options = fieldValue(fields, "connection")?.toLowerCase().split(",").map((one) =>
    one.trim()
  );
  return version === "1" && !options?.includes("close");
}
