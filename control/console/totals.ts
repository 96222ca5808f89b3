/**
 * What nodes and regions of the fleet have counted, under the names that the console knows them by:
 * `node:edge-1`, `region:north`.
 *
 * @module
 */

import type { NodeFigures } from "#topology";
import type { ControlParts } from "../parts.ts";
import type { Totals } from "./history.ts";

/** Returns the counts of all nodes and regions that have reported some. */
export function totalsOf(
  { membership, fleet, log, nowMs }: Pick<ControlParts, "membership" | "fleet" | "log" | "nowMs">,
): ReadonlyMap<string, Totals> {
  const things = new Map<string, Totals>();
  const now = nowMs();
  for (const { record } of membership.list()) {
    const figures = membership.view(record.id, now)?.figures;
    if (figures !== undefined) things.set(`node:${record.id}`, nodeTotals(figures));
  }
  for (const { id, bytesByRoad } of fleet.regions(log.lastSeq, now)) {
    things.set(`region:${id}`, bytesByRoad);
  }
  return things;
}

function nodeTotals({ requests, hits, misses, bytesByRoad = {} }: NodeFigures): Totals {
  const bytes = Object.values(bytesByRoad).reduce((sum, count) => sum + count, 0);
  return { requests, hits, misses, bytes };
}
