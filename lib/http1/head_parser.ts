/**
 * Request heads from octets (RFC 9112 §2 to §5), strictly, however the octets arrive.
 *
 * @module
 */

import type { Field, RequestHead } from "#http";
import { knownFieldName } from "./field_names.ts";
import { frameRequest, type Framing } from "./framing.ts";
import { LastHead } from "./last_head.ts";
import type { Http1Limits } from "./limits.ts";
import { decodeOctets, octetClass, TOKEN, VALUE } from "./octets.ts";
import type { Http1Rejection } from "./rejection.ts";
import { parseRequestLine, type RequestLine } from "./request_line.ts";

/** A whole head. */
export interface ParsedHead extends Framing {
  readonly head: RequestHead;
  readonly minorVersion: 0 | 1;
  /** How many octets it took, with the empty line at its end. */
  readonly headBytes: number;
}

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const COLON = 0x3a;

/** What a request line may hold beside its target: method, two spaces, version. */
const lineOverheadBytes = 48;

/**
 * Reads one head at a time. The outcome depends on the octets alone, never on how they were split:
 * each line is judged when it is complete, or when it is past its limit.
 */
export class HeadParser {
  readonly #limits: Http1Limits;
  readonly #last: LastHead;
  #line: RequestLine | undefined;
  /** Offsets of each field: name start, name end, value start, value end. */
  #offsets: number[] = [];
  /** Where the next line starts, and up to where it was searched for its end. */
  #lineStart = 0;
  #searched = 0;
  #skippedEmptyLine = false;

  constructor(limits: Http1Limits) {
    this.#limits = limits;
    this.#last = new LastHead(limits);
  }

  /** The method, once its line has been read. */
  get method(): string | undefined {
    return this.#line?.method;
  }

  /** Forgets the last head. */
  reset(): void {
    this.#line = undefined;
    this.#offsets.length = 0;
    this.#lineStart = 0;
    this.#searched = 0;
    this.#skippedEmptyLine = false;
  }

  /**
   * Goes on with the head that starts at `octets[0]`.
   *
   * @param octets All octets since the head's start, as they were before and more.
   */
  parse(octets: Uint8Array): ParsedHead | Http1Rejection | "need_more" {
    const known = this.#searched === 0 ? this.#last.recall(octets) : undefined;
    if (known) {
      this.#line = known.line;
      return known.parsed;
    }
    while (true) {
      const end = octets.indexOf(LF, this.#searched);
      // Without its end, a line's last octet may be the CR that is no part of it.
      const overlong = this.#overlong((end === -1 ? octets.length : end) - 1);
      if (overlong) return overlong;
      this.#searched = octets.length;
      if (end === -1) return "need_more";
      if (octets[end - 1] !== CR) return "bare_lf";
      const outcome = this.#takeLine(octets, end - 1);
      if (outcome !== undefined) return outcome;
      this.#lineStart = this.#searched = end + 1;
    }
  }

  /** Whether a line that reaches to `end` is past a limit; the nearest limit decides. */
  #overlong(end: number): Http1Rejection | undefined {
    const { maxTargetBytes, maxFieldLineBytes, maxHeadBytes } = this.#limits;
    const maxLineBytes = this.#line ? maxFieldLineBytes : maxTargetBytes + lineOverheadBytes;
    const lineLimit = this.#lineStart + maxLineBytes;
    if (end <= Math.min(lineLimit, maxHeadBytes)) return undefined;
    if (!this.#line) return "target_too_long";
    return lineLimit < maxHeadBytes ? "field_too_large" : "head_too_large";
  }

  /** Reads the line that ends before `end`; `undefined` to go on. */
  #takeLine(octets: Uint8Array, end: number): ParsedHead | Http1Rejection | undefined {
    const start = this.#lineStart;
    if (this.#line) {
      return start === end ? this.#finish(octets, end + 2) : this.#takeField(octets, start, end);
    }
    if (start === end) {
      // RFC 9112 §2.2: one empty line before the request line is ignored.
      if (this.#skippedEmptyLine) return "bad_request_line";
      this.#skippedEmptyLine = true;
      return undefined;
    }
    const line = parseRequestLine(octets, start, end, this.#limits);
    if (typeof line === "string") return line;
    this.#line = line;
    return undefined;
  }

  #takeField(octets: Uint8Array, start: number, end: number): Http1Rejection | undefined {
    if (octets[start] === SPACE || octets[start] === TAB) return "obs_fold";
    let nameEnd = start;
    while ((octetClass[octets[nameEnd]] & TOKEN) !== 0) nameEnd++;
    if (octets[nameEnd] !== COLON || nameEnd === start) return nameFault(octets, nameEnd, end);
    let valueStart = nameEnd + 1;
    while (valueStart < end && isBlank(octets[valueStart])) valueStart++;
    for (let at = valueStart; at < end; at++) {
      const octet = octets[at];
      if ((octetClass[octet] & VALUE) === 0) return octet === CR ? "bare_cr" : "bad_field_value";
    }
    let valueEnd = end;
    while (valueEnd > valueStart && isBlank(octets[valueEnd - 1])) valueEnd--;
    this.#offsets.push(start, nameEnd, valueStart, valueEnd);
    return this.#offsets.length > 4 * this.#limits.maxFields ? "too_many_fields" : undefined;
  }

  #finish(octets: Uint8Array, headBytes: number): ParsedHead | Http1Rejection {
    const line = this.#line!;
    const text = decodeOctets(octets, 0, headBytes);
    const fields: Field[] = [];
    const offsets = this.#offsets;
    for (let i = 0; i < offsets.length; i += 4) {
      const [start, end] = [offsets[i], offsets[i + 1]];
      const name = knownFieldName(octets, start, end) ?? text.slice(start, end).toLowerCase();
      fields.push([name, text.slice(offsets[i + 2], offsets[i + 3])]);
    }
    const framing = frameRequest(line, fields, this.#limits);
    if (typeof framing === "string") return framing;
    const { method, target, minorVersion } = line;
    const parsed = { head: { method, target, fields }, minorVersion, headBytes, ...framing };
    this.#last.keep(octets, { line, parsed });
    return parsed;
  }
}

function isBlank(octet: number): boolean {
  return octet === SPACE || octet === TAB;
}

/** Names why the octet at `at` cannot stand in or after a field name. */
function nameFault(octets: Uint8Array, at: number, end: number): Http1Rejection {
  if (octets[at] === CR && at < end) return "bare_cr";
  if (!isBlank(octets[at])) return "bad_field_name";
  while (at < end && isBlank(octets[at])) at++;
  return octets[at] === COLON ? "space_before_colon" : "bad_field_name";
}
