/**
 * What a set-top box tells control of itself: how reception is, never what is watched. Pure.
 *
 * @module
 */

import type { BoxFigures } from "#topology";
import type { Status } from "./status.ts";

/** Returns the figures in a status; bytes are of objects, by the road they came. */
export function receptionFigures(
  { nowMs, startedMs, packets, repairs, bytes }: Pick<
    Status,
    "nowMs" | "startedMs" | "packets" | "repairs" | "bytes"
  >,
): BoxFigures {
  return {
    uptimeSeconds: Math.max(0, Math.round((nowMs - startedMs) / 1000)),
    packetsExpected: packets.expected,
    packetsLost: packets.lost,
    repairRequests: repairs.requests,
    repairBytes: repairs.bytes,
    bytesByRoad: { ...bytes },
  };
}
