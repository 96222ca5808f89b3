/**
 * Which part of a stored body a request wants, and how parts are written (RFC 9110 §14, §15.3.7).
 *
 * @module
 */

import {
  type ByteRange,
  type Fields,
  fieldValue,
  formatContentRange,
  parseEntityTag,
  parseHttpDate,
  parseRange,
  type RequestHead,
  strongMatch,
} from "#http";
import type { ResponseFacts } from "./facts.ts";
import { isDateStrong } from "./validator.ts";

/** The ranges to answer with, `"unsatisfiable"` for 416, `undefined` for the whole body. */
export type RangeSelection = readonly ByteRange[] | "unsatisfiable" | undefined;

/** The request, and the response whose body is asked for. */
export interface RangeInput {
  readonly request: Pick<RequestHead, "method" | "fields">;
  readonly status: number;
  readonly facts: ResponseFacts;
  readonly bodyBytes: number;
  /** More ranges than this are answered with the whole body. */
  readonly maxParts: number;
}

/** Evaluates `Range` and `If-Range` against a whole response of known size. */
export function selectRanges(input: RangeInput): RangeSelection {
  const { request, status, facts, bodyBytes, maxParts } = input;
  if (request.method !== "GET" || status !== 200) return undefined;
  const range = fieldValue(request.fields, "range");
  if (range === undefined || !rangeStillApplies(request.fields, facts)) return undefined;
  const ranges = parseRange(range, bodyBytes);
  return ranges === "unsatisfiable" || ranges === undefined || ranges.length <= maxParts
    ? ranges
    : undefined;
}

/** `If-Range` holds only by strong comparison (RFC 9110 §13.1.5). */
function rangeStillApplies(requestFields: Fields, facts: ResponseFacts): boolean {
  const value = fieldValue(requestFields, "if-range");
  if (value === undefined) return true;
  const etag = parseEntityTag(value);
  if (etag !== undefined) return facts.etag !== undefined && strongMatch(etag, facts.etag);
  const { lastModifiedMs, times: { receivedMs } } = facts;
  return isDateStrong(facts) && parseHttpDate(value, receivedMs) === lastModifiedMs;
}

/** How several ranges are framed in one body (RFC 9110 §14.6). */
export interface MultipartFraming {
  readonly contentType: string;
  readonly contentLength: number;
  /** What goes before each part, in order. */
  readonly openings: readonly Uint8Array[];
  /** What goes after the last part. */
  readonly closing: Uint8Array;
}

/**
 * Frames `ranges` as multipart/byteranges.
 *
 * @param boundary Must not occur in the body: unguessable for whoever makes it.
 */
export function frameParts(
  ranges: readonly ByteRange[],
  options: { bodyBytes: number; contentType: string | undefined; boundary: string },
): MultipartFraming {
  const { bodyBytes, contentType, boundary } = options;
  const encoder = new TextEncoder();
  const type = contentType === undefined ? "" : `Content-Type: ${contentType}\r\n`;
  const openings = ranges.map((range, i) =>
    encoder.encode(
      `${i === 0 ? "" : "\r\n"}--${boundary}\r\n${type}` +
        `Content-Range: ${formatContentRange(range, bodyBytes)}\r\n\r\n`,
    )
  );
  const closing = encoder.encode(`\r\n--${boundary}--\r\n`);
  let contentLength = closing.length;
  for (const [i, [start, end]] of ranges.entries()) {
    contentLength += openings[i].length + end - start;
  }
  return {
    contentType: `multipart/byteranges; boundary=${boundary}`,
    contentLength,
    openings,
    closing,
  };
}
