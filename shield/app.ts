/**
 * What a shield decides: its next hop is an origin, in the order given, the same for every target.
 *
 * @module
 */

import type { Hop } from "#proxy";

/** Returns the origins as hops; `Host` of an origin request is the origin's own authority. */
export function originHops(origins: readonly URL[]): readonly Hop[] {
  return origins.map(({ href }) => ({ id: href, url: href }));
}
