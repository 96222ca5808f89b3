/**
 * Whether the answer of a next hop that is a cache of ours holds for all purges that this node and
 * its client have applied.
 *
 * @module
 */

import { NextHopError, type NextHopResponse } from "./next_hop.ts";
import type { Purges } from "./purges.ts";
import { tagsOf } from "./tags.ts";

/** The tag that stands for tags which a cache did not tell: any purge by tag takes the object. */
export const untoldTag = "*";

/** What was asked. */
export interface VouchedRequest {
  readonly key: string;
  /** The sequence that the request carried. */
  readonly fence: number;
  /** The sequence that this node had applied then. */
  readonly fillSeq: number;
}

/**
 * Returns the sequence that the answer holds for: that of the request, unless the next hop is behind
 * it. A next hop that is behind may hold what was purged since; then its answer is good only when no
 * purge that we know takes it.
 *
 * @throws {NextHopError} `behind`, when the answer may be from before a purge.
 */
export async function vouchedSeq(
  response: NextHopResponse,
  { key, fence, fillSeq }: VouchedRequest,
  purges: Purges,
): Promise<number> {
  const { validSeq = Infinity } = response;
  if (validSeq >= fence) return fillSeq;
  const seq = Math.min(fillSeq, validSeq);
  const told = tagsOf(response.fields);
  const tags = told === "over_limit" ? [untoldTag] : told;
  // What lies between our own number and the fence is not known here: no verdict can tell.
  const unknown = fence > purges.appliedSeq;
  if (!unknown && purges.verdict({ key, tags, fillSeq: seq }) !== "gone") return seq;
  await response.body.cancel().catch(() => {});
  const need = `need an answer that holds for purge ${fence}`;
  throw new NextHopError(
    "behind",
    `Cannot use the answer of the next hop: ${need}: received ${validSeq}`,
  );
}
