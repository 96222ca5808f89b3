/**
 * An answer made of a response and a body: whole, a part, several parts, or only its head.
 *
 * @module
 */

import {
  type ByteRange,
  type CacheStatus,
  type Field,
  type Fields,
  fieldValue,
  formatCacheStatus,
  formatContentRange,
  formatUnsatisfiedRange,
  type RequestHead,
  type ResponseHead,
} from "#http";
import { type BodySource, counted, multipartBody, type OnServed } from "./body_source.ts";
import { isNotModified, notModifiedFields } from "./conditional.ts";
import type { ResponseFacts } from "./facts.ts";
import { frameParts, selectRanges } from "./ranges.ts";

/** What a client gets. The body is `null` for HEAD, 204, 304, and where there is nothing to say. */
export interface CacheAnswer extends ResponseHead {
  readonly body: Uint8Array | ReadableStream<Uint8Array> | null;
}

/** What an answer is made of. */
export interface AnswerParts {
  readonly request: Pick<RequestHead, "method" | "fields">;
  readonly response: ResponseHead;
  readonly facts: ResponseFacts;
  readonly body: BodySource;
  /** Seconds for `Age`; `undefined` for an answer that is not from a cache. */
  readonly ageSeconds: number | undefined;
  readonly cacheStatus: CacheStatus;
  /** Names of fields, in lower case, that the client does not get. */
  readonly hideFields: readonly string[];
  /** The client is a cache of ours. */
  readonly toOurCache: boolean;
  readonly maxRangeParts: number;
  readonly onServed: OnServed;
}

/** Makes the answer to a GET or HEAD: conditions first, then ranges (RFC 9110 §13.2.2). */
export function makeAnswer(parts: AnswerParts): CacheAnswer {
  const { request, response: { status }, facts, body, maxRangeParts } = parts;
  const fields = shownFields(parts);
  if (status === 200 && isNotModified(request.fields, facts)) {
    body.discard();
    return { status: 304, fields: notModifiedFields(fields, parts), body: null };
  }
  const { bodyBytes } = body;
  const ranges = bodyBytes === undefined || body.ranges === "none"
    ? undefined
    : selectRanges({ request, status, facts, bodyBytes, maxParts: maxRangeParts });
  if (bodyBytes === undefined || ranges === undefined) return wholeAnswer(parts, fields);
  if (ranges === "unsatisfiable") {
    body.discard();
    const set: Field[] = [["content-range", formatUnsatisfiedRange(bodyBytes)]];
    return { status: 416, fields: withLength([...withoutType(fields), ...set], 0), body: null };
  }
  if (ranges.length === 1) return partAnswer(parts, { fields, range: ranges[0], bodyBytes });
  if (body.ranges === "rising" && !isRising(ranges)) return wholeAnswer(parts, fields);
  return multipartAnswer(parts, { fields, ranges, bodyBytes });
}

/**
 * Returns the bytes that the answer to a request holds; `undefined` when it holds none (HEAD, 304, 416).
 */
export function bytesWanted(
  { request, response: { status }, facts, bodyBytes, maxRangeParts }:
    & Pick<AnswerParts, "request" | "response" | "facts" | "maxRangeParts">
    & { readonly bodyBytes: number },
): readonly ByteRange[] | undefined {
  if (request.method === "HEAD" || isNotModified(request.fields, facts)) return undefined;
  const ranges = selectRanges({ request, status, facts, bodyBytes, maxParts: maxRangeParts });
  if (ranges === "unsatisfiable") return undefined;
  return ranges ?? [[0, bodyBytes]];
}

/** The fields of the response without what we write ourselves, with `Age` and `Cache-Status`. */
export function shownFields(
  { response, ageSeconds, cacheStatus, hideFields }: Pick<
    AnswerParts,
    "response" | "ageSeconds" | "cacheStatus" | "hideFields"
  >,
): Field[] {
  const fields = response.fields.filter(([name]) =>
    name !== "age" && name !== "content-length" && !hideFields.includes(name)
  );
  if (ageSeconds !== undefined) fields.push(["age", String(ageSeconds)]);
  fields.push(["cache-status", formatCacheStatus(cacheStatus)]);
  return fields;
}

function wholeAnswer({ request, response, body, onServed }: AnswerParts, fields: Field[]) {
  const { status } = response;
  const bodiless = status === 204 || status === 205 || status === 304;
  const sized = bodiless || body.bodyBytes === undefined
    ? fields
    : withLength(fields, body.bodyBytes);
  if (request.method === "HEAD" || bodiless) {
    body.discard();
    return { status, fields: sized, body: null };
  }
  return { status, fields: sized, body: counted(body.read(0), onServed) };
}

function partAnswer(
  { body, onServed }: AnswerParts,
  { fields, range, bodyBytes }: { fields: Field[]; range: ByteRange; bodyBytes: number },
): CacheAnswer {
  const [start, end] = range;
  const set: Field[] = [["content-range", formatContentRange(range, bodyBytes)]];
  return {
    status: 206,
    fields: withLength([...fields, ...set], end - start),
    body: counted(body.read(start, end), onServed),
  };
}

function multipartAnswer(
  { body, onServed }: AnswerParts,
  { fields, ranges, bodyBytes }: {
    fields: Field[];
    ranges: readonly ByteRange[];
    bodyBytes: number;
  },
): CacheAnswer {
  const contentType = fieldValue(fields, "content-type");
  const boundary = crypto.randomUUID();
  const framing = frameParts(ranges, { bodyBytes, contentType, boundary });
  const set: Field[] = [["content-type", framing.contentType]];
  return {
    status: 206,
    fields: withLength([...withoutType(fields), ...set], framing.contentLength),
    body: counted(multipartBody(body, ranges, framing), onServed),
  };
}

/** Whether each range starts where the one before it ended, or later. */
function isRising(ranges: readonly ByteRange[]): boolean {
  return ranges.every(([start], i) => i === 0 || start >= ranges[i - 1][1]);
}

function withLength(fields: Fields, bytes: number): Field[] {
  return [...fields, ["content-length", String(bytes)]];
}

function withoutType(fields: Fields): Field[] {
  return fields.filter(([name]) => name !== "content-type");
}
