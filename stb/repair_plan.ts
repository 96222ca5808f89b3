/**
 * What to ask the internet for when the satellite left holes (ETSI TS 103 769 clause 9.2). Pure: the
 * caller brings the randomness and does the asking.
 *
 * @module
 */

import type { ByteRange } from "#http";

/** What is missing of one object. */
export interface Damage {
  /** Missing ranges `[start, end)` in bytes, in order, none touching the next. */
  readonly holes: readonly ByteRange[];
  /** Size of the whole object on the wire. */
  readonly transferBytes: number;
  /** Whether parts make sense: false for content-encoded objects. */
  readonly divisible: boolean;
}

/** How repair weighs requests against bytes. */
export interface PlanPolicy {
  /** Holes this near to each other are asked for as one, in bytes: a range costs its own head. */
  readonly mergeGapBytes: number;
  /** Ranges of one request; servers answer longer lists with the whole object. */
  readonly maxRangesPerRequest: number;
  /** Requests for one object; nearest holes are merged until these suffice. */
  readonly maxRequests: number;
  /** The whole object is asked for when less than this share of it came, 0 to 1. */
  readonly minReceivedShare: number;
}

/**
 * Less than a symbol apart is merged: a part of a multipart answer costs about 150 bytes. Our edges
 * answer more than five ranges with the whole object.
 */
export const defaultPlanPolicy: PlanPolicy = {
  mergeGapBytes: 1024,
  maxRangesPerRequest: 5,
  maxRequests: 6,
  minReceivedShare: 0.2,
};

/** The requests that mend an object: each a list of ranges, or one for the whole. */
export type RepairPlan =
  | { readonly kind: "nothing" }
  | { readonly kind: "whole" }
  | { readonly kind: "ranges"; readonly requests: readonly (readonly ByteRange[])[] };

/** Decides what to ask for; the ranges cover every hole, in order, and never overlap. */
export function planRepair(damage: Damage, policy: PlanPolicy = defaultPlanPolicy): RepairPlan {
  const { holes, transferBytes, divisible } = damage;
  if (holes.length === 0) return { kind: "nothing" };
  const receivedBytes = transferBytes - totalBytes(holes);
  if (!divisible || receivedBytes < policy.minReceivedShare * transferBytes) {
    return { kind: "whole" };
  }
  const near = mergeNear(holes, policy.mergeGapBytes);
  const ranges = mergeNearest(near, policy.maxRangesPerRequest * policy.maxRequests);
  if (totalBytes(ranges) > (1 - policy.minReceivedShare) * transferBytes) return { kind: "whole" };
  return { kind: "ranges", requests: split(ranges, policy.maxRangesPerRequest) };
}

/** Bytes that the ranges span together. */
export function totalBytes(ranges: readonly ByteRange[]): number {
  return ranges.reduce((sum, [start, end]) => sum + end - start, 0);
}

function mergeNear(ranges: readonly ByteRange[], gapBytes: number): ByteRange[] {
  const merged: ByteRange[] = [];
  for (const [start, end] of ranges) {
    const last = merged.at(-1);
    if (last !== undefined && start - last[1] <= gapBytes) {
      merged[merged.length - 1] = [last[0], end];
    } else merged.push([start, end]);
  }
  return merged;
}

/** Closes the smallest gaps until at most `count` ranges are left. */
function mergeNearest(ranges: readonly ByteRange[], count: number): readonly ByteRange[] {
  if (ranges.length <= count) return ranges;
  const gaps = ranges.slice(1).map((range, i) => range[0] - ranges[i][1]);
  const closed = new Set(
    gaps.map((_, i) => i).sort((a, b) => gaps[a] - gaps[b]).slice(0, ranges.length - count),
  );
  const merged: ByteRange[] = [ranges[0]];
  for (let i = 1; i < ranges.length; i++) {
    if (closed.has(i - 1)) merged[merged.length - 1] = [merged[merged.length - 1][0], ranges[i][1]];
    else merged.push(ranges[i]);
  }
  return merged;
}

function split(ranges: readonly ByteRange[], size: number): ByteRange[][] {
  const lists: ByteRange[][] = [];
  for (let i = 0; i < ranges.length; i += size) lists.push(ranges.slice(i, i + size));
  return lists;
}

/** Writes the ranges as a `Range` value (RFC 9110 §14.1.2). */
export function formatRange(ranges: readonly ByteRange[]): string {
  return `bytes=${ranges.map(([start, end]) => `${start}-${end - 1}`).join(",")}`;
}

/**
 * Draws how long one object waits before its repair, so that receivers that lost the same packet do
 * not ask at once (clause 9.2.3).
 *
 * @param random Uniform in [0, 1).
 * @returns Milliseconds.
 */
export function backOffMs(
  periods: { readonly fixedMs: number; readonly randomMs: number },
  random: number,
): number {
  return periods.fixedMs + periods.randomMs * random;
}

/**
 * Draws one of several places in proportion to its weight (clause 9.2.2); weight 0 is turned off.
 *
 * @param random Uniform in [0, 1).
 * @returns `undefined` when none is left.
 */
export function chooseWeighted<Place extends { readonly weight: number }>(
  places: readonly Place[],
  random: number,
): Place | undefined {
  const usable = places.filter(({ weight }) => weight > 0);
  const sum = usable.reduce((sum, { weight }) => sum + weight, 0);
  let left = random * sum;
  for (const place of usable) {
    left -= place.weight;
    if (left < 0) return place;
  }
  return usable.at(-1);
}
