/**
 * What a shield decides: it goes to the shields above it, if the topology has some, then to the
 * origin of the delivery service, or to the origins of its flags.
 *
 * @module
 */

import { deliveryHops, type Hop, type HopContext } from "#proxy";

/** Returns the origins as hops; `Host` of an origin request is the origin's own authority. */
export function originHops(origins: readonly URL[]): readonly Hop[] {
  return origins.map(({ href }) => ({ id: href, url: href, origin: true }));
}

/** Returns the next hops of a request target. */
export function nextHops(
  target: string,
  context: HopContext,
  origins: readonly Hop[],
): readonly Hop[] {
  const { caches, origin } = deliveryHops("shield", target, context);
  return [...caches, ...origin ? [origin] : origins];
}
