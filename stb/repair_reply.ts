/**
 * What a repair server answered, judged by its head against what was asked: three forms are right,
 * everything else is a word (ETSI TS 103 769 clause 9.2.5, RFC 9110 §15.3.7).
 *
 * @module
 */

import {
  type ByteRange,
  fieldValue,
  parseContentRange,
  parseEntityTag,
  type ResponseHead,
  strongMatch,
} from "#http";
import { byteRangesBoundary } from "./multipart_ranges.ts";

/** What we know of the object that is being repaired. */
export interface Expectation {
  /** Size of the representation; `undefined` when only its digest is known. */
  readonly bytes: number | undefined;
  /** Entity tag as in HTTP, quotes included. */
  readonly etag: string | undefined;
}

/** Why an answer cannot be used; the words are metric labels. */
export type ReplyRejection =
  /** Neither 200 nor 206. */
  | "bad_status"
  /** The server has other bytes under this name. */
  | "other_version"
  | "wrong_length"
  /** A content coding that nobody asked for. */
  | "encoded"
  /** 206 to a request without ranges, or a range far from those asked for. */
  | "not_asked"
  | "bad_content_range";

/** How to read the body of an answer. */
export type ReplyReading =
  | { readonly kind: "whole" }
  | { readonly kind: "range"; readonly range: ByteRange }
  | { readonly kind: "multipart"; readonly boundary: string }
  | { readonly kind: "rejected"; readonly why: ReplyRejection };

/**
 * Judges the head of an answer.
 *
 * @param asked The ranges of the request; none when the whole was asked for.
 */
export function readReply(
  head: ResponseHead,
  asked: readonly ByteRange[],
  expected: Expectation,
): ReplyReading {
  const rejected = (why: ReplyRejection) => ({ kind: "rejected", why }) as const;
  if (head.status !== 200 && head.status !== 206) return rejected("bad_status");
  const etag = fieldValue(head.fields, "etag");
  if (differs(etag, expected.etag)) return rejected("other_version");
  const coding = fieldValue(head.fields, "content-encoding") ?? "identity";
  if (coding.toLowerCase() !== "identity") return rejected("encoded");
  const length = fieldValue(head.fields, "content-length");
  const announces = (bytes: number | undefined) =>
    length === undefined || bytes === undefined || Number(length) === bytes;
  if (head.status === 200) {
    return announces(expected.bytes) ? { kind: "whole" } : rejected("wrong_length");
  }
  if (asked.length === 0) return rejected("not_asked");
  const boundary = byteRangesBoundary(fieldValue(head.fields, "content-type") ?? "");
  if (boundary !== undefined) return { kind: "multipart", boundary };
  const said = parseContentRange(fieldValue(head.fields, "content-range") ?? "");
  if (said?.range === undefined) return rejected("bad_content_range");
  if (!announces(said.range[1] - said.range[0])) return rejected("wrong_length");
  const why = judgeRange(said.range, said.completeBytes, asked, expected);
  return why === undefined ? { kind: "range", range: said.range } : rejected(why);
}

/**
 * Judges one range of an answer: it must lie in an object of the right size and touch what was asked
 * for. Servers may join ranges, so it need not be one of them.
 */
export function judgeRange(
  [start, end]: ByteRange,
  completeBytes: number | undefined,
  asked: readonly ByteRange[],
  expected: Expectation,
): ReplyRejection | undefined {
  const bytes = expected.bytes ?? Infinity;
  if (completeBytes !== undefined && expected.bytes !== undefined && completeBytes !== bytes) {
    return "wrong_length";
  }
  if (end > bytes) return "bad_content_range";
  const touches = asked.some(([from, to]) => start < to && from < end);
  return touches ? undefined : "not_asked";
}

/** Whether two strong tags differ; weak or absent ones prove nothing. */
function differs(one: string | undefined, other: string | undefined): boolean {
  const a = one === undefined ? undefined : parseEntityTag(one);
  const b = other === undefined ? undefined : parseEntityTag(other);
  if (a === undefined || b === undefined || a.weak || b.weak) return false;
  return !strongMatch(a, b);
}

/** Returns the tag when it may stand in `If-Range`: only a strong one (RFC 9110 §13.1.5). */
export function strongTag(etag: string | undefined): string | undefined {
  const tag = etag === undefined ? undefined : parseEntityTag(etag);
  return tag === undefined || tag.weak ? undefined : etag;
}
