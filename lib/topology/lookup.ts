/**
 * Finds one's way in a topology: which service a path belongs to, which region a group. Pure.
 *
 * @module
 */

import type { DeclaredTopology, DeliveryService } from "./declared.ts";

/**
 * Returns the delivery service of a request target: the one with the longest prefix of its path;
 * `undefined` when none has one.
 */
export function serviceOf(
  target: string,
  services: readonly DeliveryService[],
): DeliveryService | undefined {
  let longest = 0;
  let found: DeliveryService | undefined;
  for (const service of services) {
    for (const prefix of service.prefixes) {
      if (prefix.length <= longest || !target.startsWith(prefix)) continue;
      longest = prefix.length;
      found = service;
    }
  }
  return found;
}

/** Returns the region of a cache group, through its site; `undefined` when that is not declared. */
export function regionOfGroup(
  { sites, cacheGroups }: Pick<DeclaredTopology, "sites" | "cacheGroups">,
  id: string | undefined,
): string | undefined {
  const site = cacheGroups.find((group) => group.id === id)?.site;
  return sites.find((one) => one.id === site)?.region;
}
