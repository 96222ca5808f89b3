/**
 * What an edge decides: which shield a request goes to.
 *
 * @module
 */

import type { Hop } from "#proxy";
import { rendezvous, type TopologySnapshot } from "#topology";

/**
 * Returns the next hops of a request target: the shields of the topology, owner first, then those
 * given by flag.
 *
 * @param snapshot The topology; `undefined` while control was never heard.
 * @param upstream The hops given by `--upstream`, in order.
 */
export function nextHops(
  target: string,
  snapshot: TopologySnapshot | undefined,
  upstream: readonly Hop[],
): readonly Hop[] {
  const shields = snapshot === undefined ? [] : rendezvous(target, snapshot.shields);
  const known = new Set(shields.map((shield) => withoutSlash(shield.url)));
  return [...shields, ...upstream.filter((hop) => !known.has(withoutSlash(hop.url)))];
}

function withoutSlash(url: string): string {
  return url.replace(/\/$/, "");
}
