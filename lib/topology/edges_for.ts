/**
 * Which edges a client should use: those of its region, then what stands in for them. Pure.
 *
 * @module
 */

import type { DeliveryService } from "./declared.ts";
import { regionOfGroup } from "./lookup.ts";
import { pathOf } from "./next_hops.ts";
import { rendezvous } from "./rendezvous.ts";
import type { CacheNode, TopologySnapshot } from "./snapshot.ts";

/** Who asks, and for what. */
export interface EdgeQuestion {
  /** Path and query: one object comes from one edge of a region. */
  readonly target: string;
  readonly region: string | undefined;
  readonly service?: DeliveryService;
}

/**
 * Returns the edges in the order in which a client should use them: those of its region, of the
 * fallbacks of that region's groups, of the region's fallbacks, then all others; each of these in
 * rendezvous order. A service with a topology is served by the edges in it alone.
 */
export function edgesFor(question: EdgeQuestion, topology: TopologySnapshot): CacheNode[] {
  const key = pathOf(question.target);
  return edgeTiers(question, topology).flatMap((tier) => rendezvous(key, tier));
}

/** Returns the edges of {@link edgesFor} before a path orders them: equals together, the best first. */
export function edgeTiers(
  { region, service }: Omit<EdgeQuestion, "target">,
  topology: TopologySnapshot,
): readonly (readonly CacheNode[])[] {
  const { cacheGroups, regions, topologies } = topology;
  const graph = topologies.find(({ id }) => id === service?.topology);
  const serving = graph && new Set(graph.nodes.map(({ cacheGroup }) => cacheGroup));
  let left = topology.edges.filter(({ cacheGroup = "" }) => serving?.has(cacheGroup) ?? true);
  const tiers: CacheNode[][] = [];
  const take = (belongs: (edge: CacheNode) => boolean) => {
    const taken = left.filter(belongs);
    if (taken.length === 0) return;
    tiers.push(taken);
    left = left.filter((edge) => !belongs(edge));
  };
  const here = regions.find(({ id }) => id === region);
  if (here !== undefined) {
    const regionOf = new Map(cacheGroups.map(({ id }) => [id, regionOfGroup(topology, id)]));
    const inRegion = (id: string) => (edge: CacheNode) =>
      regionOf.get(edge.cacheGroup ?? "") === id;
    take(inRegion(here.id));
    for (const { id, fallbacks } of cacheGroups) {
      if (regionOf.get(id) !== here.id) continue;
      for (const group of fallbacks) take((edge) => edge.cacheGroup === group);
    }
    for (const id of here.fallbacks) take(inRegion(id));
  }
  take(() => true);
  return tiers;
}
