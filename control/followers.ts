/**
 * Everybody that follows the purge log: caches, headends and set-top boxes, as purge progress counts
 * them.
 *
 * @module
 */

import type { Fleet } from "./fleet.ts";
import type { Membership } from "./nodes.ts";
import type { ProgressNode } from "./purge_progress.ts";

/** All of them, nodes in order of `id`, then the boxes. */
export function followers(
  { membership, fleet }: { membership: Membership; fleet: Fleet },
  nowMs: number,
): ProgressNode[] {
  const nodes = membership.list().map((member): ProgressNode => ({
    id: member.record.id,
    role: member.record.role,
    appliedSeq: member.appliedSeq,
    lastSeenMs: member.lastSeenMs,
    late: membership.isLate(member, nowMs),
  }));
  for (const box of fleet.boxes()) {
    const { id, appliedSeq, lastSeenMs } = box;
    nodes.push({ id, role: "stb", appliedSeq, lastSeenMs, late: fleet.isLate(box, nowMs) });
  }
  return nodes;
}
