/**
 * The set-top box's own account of its bytes.
 *
 * @module
 */

import { getJson } from "../http_json.ts";

/** Bytes by the road that they came. */
export interface RoadBytes {
  readonly satellite: number;
  readonly repair: number;
  readonly internet: number;
}

/** The part of `/api/status` that is looked at. */
export interface BoxStatus {
  readonly name: string;
  readonly bytes: RoadBytes;
  readonly media: RoadBytes;
  readonly packets: { readonly received: number; readonly expected: number; readonly lost: number };
  readonly objects: {
    readonly complete: number;
    readonly repaired: number;
    readonly failed: number;
  };
  /** What repair fetched, which is more than what was missing. */
  readonly repairs?: { readonly bytes: number };
  /** The objects that were finished last, newest last. */
  readonly recent: readonly {
    readonly path: string;
    readonly bytes: number;
    readonly satellite: number;
  }[];
  readonly services: readonly { readonly live?: string }[];
}

/** Asks the box at `url`. */
export function boxStatus(url: string): Promise<BoxStatus> {
  return getJson(`${url}/api/status`);
}

/** What came between two moments. */
export function difference(later: RoadBytes, earlier: RoadBytes): RoadBytes {
  return {
    satellite: later.satellite - earlier.satellite,
    repair: later.repair - earlier.repair,
    internet: later.internet - earlier.internet,
  };
}

/** The sum of all roads. */
export function total({ satellite, repair, internet }: RoadBytes): number {
  return satellite + repair + internet;
}

/**
 * Reads the road counts out of the last `detail` of a `Cache-Status` (RFC 9211 §2.8): the last
 * member is the cache nearest to the client, the box.
 */
export function roadsOf(cacheStatus: string): RoadBytes {
  const detail = [...cacheStatus.matchAll(/detail="([^"]*)"/g)].at(-1)?.[1] ?? "";
  const count = (road: string) => Number(new RegExp(`${road}=(\\d+)`).exec(detail)?.[1] ?? 0);
  return { satellite: count("satellite"), repair: count("repair"), internet: count("internet") };
}
