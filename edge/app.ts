/**
 * What an edge decides: which shield a request goes to.
 *
 * @module
 */

import { deliveryHops, type Hop, type HopContext } from "#proxy";

/**
 * Returns the next hops of a request target: the shields of the topology as cache groups say, the
 * owner first; the origin, where the delivery service lets an edge go there; then those given by flag.
 *
 * @param upstream The hops given by `--upstream`, in order.
 */
export function nextHops(
  target: string,
  context: HopContext,
  upstream: readonly Hop[],
): readonly Hop[] {
  const { caches, origin, goDirect } = deliveryHops("edge", target, context);
  const declared = goDirect && origin ? [...caches, origin] : caches;
  const known = new Set(declared.map(({ url }) => withoutSlash(url)));
  return [...declared, ...upstream.filter((hop) => !known.has(withoutSlash(hop.url)))];
}

function withoutSlash(url: string): string {
  return url.replace(/\/$/, "");
}
