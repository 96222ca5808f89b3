/**
 * Whose address counts as the client's when load balancers stand before the router. Pure.
 *
 * @module
 */

import { listMembers } from "#http";
import { NetworkTable } from "#topology";

/** Load balancers whose `X-Forwarded-For` is believed. */
export class TrustedProxies {
  readonly #networks: NetworkTable<true>;

  /** @param networks As `10.0.0.0/8`. */
  constructor(networks: readonly string[]) {
    this.#networks = new NetworkTable(networks.map((network) => [network, true]));
  }

  /**
   * Returns the address of the client: the last one of `X-Forwarded-For` that is no load balancer's.
   * What stands before it may be made up; without a load balancer the field counts for nothing.
   */
  clientOf(remote: string | undefined, forwardedFor: string | undefined): string | undefined {
    if (remote === undefined || !this.#networks.find(remote)) return remote;
    const hops = listMembers(forwardedFor ?? "");
    return hops.findLast((hop) => !this.#networks.find(hop)) ?? remote;
  }
}
