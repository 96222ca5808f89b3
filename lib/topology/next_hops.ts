/**
 * Which caches a node fetches from: its own group's, then its parents, then what stands in for them,
 * each group in rendezvous order. Pure.
 *
 * @module
 */

import type { DeliveryService } from "./declared.ts";
import { rendezvous } from "./rendezvous.ts";
import type { CacheNode, TopologySnapshot } from "./snapshot.ts";

/** Who asks, and for what. */
export interface HopQuestion {
  /** Path and query. */
  readonly target: string;
  /** The service that the target belongs to. */
  readonly service: DeliveryService | undefined;
  readonly tier: "edge" | "shield";
  /** Name of the node that asks: it is never its own next hop. */
  readonly node: string;
  readonly cacheGroup: string | undefined;
}

/**
 * Returns the shields in the order in which they should be asked.
 *
 * An edge asks the shields of its own group, of its parents in order, of the fallbacks of those in
 * order, and last those that belong to no declared group. Where that leads to none at all, it asks all
 * shields. A shield asks only the shields of its parents and their fallbacks: without parents it
 * stands before the origin.
 */
export function parentCaches(question: HopQuestion, topology: TopologySnapshot): CacheNode[] {
  const { target, tier, node, cacheGroup } = question;
  const key = pathOf(target);
  const shields = topology.shields.filter(({ id }) => id !== node);
  const chain = groupChain(question, topology);
  if (tier === "edge" && cacheGroup !== undefined) chain.unshift(cacheGroup);
  const found = unique(chain).flatMap((group) =>
    rendezvous(key, shields.filter((shield) => shield.cacheGroup === group))
  );
  if (tier === "shield") return found;
  if (found.length === 0) return rendezvous(key, shields);
  const declared = new Set(topology.cacheGroups.map(({ id }) => id));
  const loose = shields.filter(({ cacheGroup: group }) =>
    group === undefined || (!declared.has(group) && group !== cacheGroup)
  );
  return [...found, ...rendezvous(key, loose)];
}

/** Moves what is not available to the end: when nothing else answers, asking is better than failing. */
export function availableFirst<Node extends { readonly id: string }>(
  nodes: readonly Node[],
  unavailable: ReadonlySet<string>,
): Node[] {
  const away = nodes.filter(({ id }) => unavailable.has(id));
  return away.length === 0
    ? [...nodes]
    : [...nodes.filter(({ id }) => !unavailable.has(id)), ...away];
}

/** The groups above a group: the parents in order, then what stands in for them, in order. */
function groupChain(
  { service, cacheGroup }: HopQuestion,
  { topologies, cacheGroups }: TopologySnapshot,
): string[] {
  const groups = new Map(cacheGroups.map((group) => [group.id, group]));
  const graph = topologies.find(({ id }) => id === service?.topology);
  const node = graph?.nodes.find((node) => node.cacheGroup === cacheGroup);
  const parents = (node ?? groups.get(cacheGroup ?? ""))?.parents ?? [];
  return [...parents, ...parents.flatMap((id) => groups.get(id)?.fallbacks ?? [])];
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}

/** What content is kept under among nodes: the path, so that tokens in a query spread nothing. */
export function pathOf(target: string): string {
  const mark = target.indexOf("?");
  return mark === -1 ? target : target.slice(0, mark);
}
