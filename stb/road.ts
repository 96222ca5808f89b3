/**
 * The roads that an object's bytes took into the home, as they are counted and as each stored
 * object remembers them.
 *
 * @module
 */

/** Satellite multicast; HTTP ranges for its holes; whole objects from the internet. */
export type Road = "satellite" | "repair" | "internet";

/** All roads, cheapest first. */
export const roads: readonly Road[] = ["satellite", "repair", "internet"];

/** Bytes by road. */
export type RoadBytes = Readonly<Record<Road, number>>;

/** No bytes by any road. */
export const noBytes: RoadBytes = { satellite: 0, repair: 0, internet: 0 };

/** Writes bytes by road as a stored object's `source`: `satellite=177000;repair=3224`. */
export function formatRoads(bytes: Partial<RoadBytes>): string {
  return roads.flatMap((road) => bytes[road] ? [`${road}=${bytes[road]}`] : []).join(";");
}

/** Reads what {@link formatRoads} wrote; anything else is no bytes. */
export function parseRoads(source: string | undefined): RoadBytes {
  const bytes = { ...noBytes };
  for (const [, road, count] of source?.matchAll(/(satellite|repair|internet)=(\d{1,15})/g) ?? []) {
    bytes[road as Road] += Number(count);
  }
  return bytes;
}

/**
 * Shares `served` bytes of an object among the roads that its bytes came by; the parts add up to
 * `served` exactly, rounding in favour of the road that brought most.
 */
export function shareOut(served: number, source: RoadBytes): RoadBytes {
  const total = roads.reduce((sum, road) => sum + source[road], 0);
  const most = roads.reduce((best, road) => source[road] > source[best] ? road : best);
  const shares = { ...noBytes };
  if (total === 0) return { ...shares, internet: served };
  let left = served;
  for (const road of roads) {
    if (road === most) continue;
    shares[road] = Math.floor(served * source[road] / total);
    left -= shares[road];
  }
  return { ...shares, [most]: left };
}
