/**
 * Byte ranges of a request and of a partial response (RFC 9110 §14).
 *
 * @module
 */

import { listMembers, trimWhitespace } from "./field.ts";

/** A part of a body: from `start` up to but not including `end`, in bytes. */
export type ByteRange = readonly [start: number, end: number];

/** How many ranges one request may name before we answer with the whole body. */
const maxRanges = 16;

/**
 * Reads a `Range` value against a body of a known size.
 *
 * Ignored, so that the answer is the whole body: a unit other than `bytes`, a malformed set, more
 * than 16 ranges, and sets that ask for more bytes than there are (RFC 9110 §14.2 lets a server
 * refuse such), and any suffix of an empty body, for which no `Content-Range` can be written.
 *
 * @param bodyBytes Size of the selected representation.
 * @returns The satisfiable ranges in the order asked, at least one and none empty;
 * `"unsatisfiable"` for 416; `undefined` to ignore the field.
 */
export function parseRange(
  value: string,
  bodyBytes: number,
): readonly ByteRange[] | "unsatisfiable" | undefined {
  const set = /^bytes=(.*)$/i.exec(value)?.[1];
  if (set === undefined) return undefined;
  const members = set.includes(",") ? listMembers(set) : [trimWhitespace(set)];
  if (members.length === 0 || members.length > maxRanges) return undefined;
  const ranges: ByteRange[] = [];
  let totalBytes = 0;
  for (const member of members) {
    const range = parseRangeSpec(member, bodyBytes);
    if (range === undefined) return undefined;
    if (range === "unsatisfiable") continue;
    ranges.push(range);
    totalBytes += range[1] - range[0];
  }
  if (ranges.length === 0) return "unsatisfiable";
  return totalBytes > bodyBytes || totalBytes === 0 ? undefined : ranges;
}

function parseRangeSpec(
  text: string,
  bodyBytes: number,
): ByteRange | "unsatisfiable" | undefined {
  const parts = /^(\d*)-(\d*)$/.exec(text);
  if (!parts) return undefined;
  const [, first, last] = parts;
  if (first === "") {
    if (last === "") return undefined;
    const suffixBytes = Number(last);
    return suffixBytes === 0 ? "unsatisfiable" : [Math.max(0, bodyBytes - suffixBytes), bodyBytes];
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= bodyBytes) return "unsatisfiable";
  return [start, last === "" ? bodyBytes : Math.min(Number(last) + 1, bodyBytes)];
}

/** Writes the `Content-Range` of a 206 (RFC 9110 §14.4); `[start, end)` must not be empty. */
export function formatContentRange([start, end]: ByteRange, completeBytes: number): string {
  if (!(0 <= start && start < end && end <= completeBytes)) {
    throw new RangeError(
      `Cannot format Content-Range: need a range within ${completeBytes} bytes: ` +
        `received ${start} to ${end}`,
    );
  }
  return `bytes ${start}-${end - 1}/${completeBytes}`;
}

/** Writes the `Content-Range` of a 416 (RFC 9110 §15.5.17). */
export function formatUnsatisfiedRange(completeBytes: number): string {
  return `bytes */${completeBytes}`;
}

/** What a `Content-Range` says. */
export interface ContentRange {
  /** `undefined` in a 416. */
  readonly range: ByteRange | undefined;
  /** Size of the whole representation; `undefined` when the sender did not know it (`*`). */
  readonly completeBytes: number | undefined;
}

/** Reads a `Content-Range` value; `undefined` when it is invalid or not in bytes. */
export function parseContentRange(value: string): ContentRange | undefined {
  const parts = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/i.exec(value);
  if (!parts) return undefined;
  const [, first, last, complete] = parts;
  const completeBytes = complete === "*" ? undefined : Number(complete);
  if (completeBytes !== undefined && !Number.isSafeInteger(completeBytes)) return undefined;
  if (first === undefined) {
    return completeBytes === undefined ? undefined : { range: undefined, completeBytes };
  }
  const range: ByteRange = [Number(first), Number(last) + 1];
  const valid = range[0] < range[1] && Number.isSafeInteger(range[1]) &&
    (completeBytes === undefined || range[1] <= completeBytes);
  return valid ? { range, completeBytes } : undefined;
}
