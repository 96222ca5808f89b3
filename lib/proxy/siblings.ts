/**
 * Several processes of one node that share its port: the system deals out connections, and each key
 * has one process that fetches it, so that a thousand clients on one object are one request to the
 * next hop whichever process they were dealt to. The others ask the owner, over loopback, as an edge
 * asks a shield, and keep what they get.
 *
 * @module
 */

import { BadValue, formatHostPort, type HostPort, isLoopback } from "#config";
import { rendezvous } from "#topology";
import type { Hop } from "./routed_next_hop.ts";

/** The processes that share a port. */
export interface Siblings {
  /** Where this one is asked by the others. */
  readonly own: HostPort;
  /** All of them as hops, this one too. */
  readonly all: readonly Hop[];
  /** The id of this one. */
  readonly id: string;
}

/**
 * Reads `--siblings`.
 *
 * @param addresses This process's own first.
 * @throws {BadValue} When there are not two or more different loopback addresses.
 */
export function siblingsOf(addresses: readonly HostPort[] | undefined): Siblings | undefined {
  if (addresses === undefined) return undefined;
  const names = addresses.map(formatHostPort);
  const distinct = new Set(names).size === names.length;
  if (names.length < 2 || !distinct || !addresses.every(({ hostname }) => isLoopback(hostname))) {
    throw new BadValue(
      `Cannot use --siblings: need two or more different loopback addresses, this process's own ` +
        `first: received ${names.join(",")}`,
    );
  }
  const all = names.map((name) => ({ id: `sibling ${name}`, url: `http://${name}/` }));
  return { own: addresses[0], all, id: all[0].id };
}

/**
 * Returns the hops of a request target: the sibling that owns it before all others, unless that is
 * this process itself. When the owner is gone, the process fetches for itself.
 *
 * @param hops Where the owner fetches.
 */
export function throughOwner(
  target: string,
  { all, id }: Siblings,
  hops: readonly Hop[],
): readonly Hop[] {
  const [owner] = rendezvous(target, all);
  return owner.id === id ? hops : [owner, ...hops];
}
