/**
 * Purges by URL where a delivery service drops the query: what is cached there has none, and a URL out
 * of a player's log has one. Pure.
 *
 * @module
 */

import type { PurgeOrder } from "#purge";
import { type DeliveryService, serviceOf } from "#topology";

/** Parameters that no service drops: delivery directives of HLS. */
const directive = "_HLS_";

/** Returns the order with the keys that its URLs are cached under, beside the URLs as they came. */
export function withCachedKeys(
  order: PurgeOrder,
  services: readonly DeliveryService[],
): PurgeOrder {
  if (order.kind !== "url" || !services.some(({ queryString }) => queryString === "drop")) {
    return order;
  }
  const keys = order.values.flatMap((value) => [value, cachedKey(value, services)]);
  return { ...order, values: [...new Set(keys)] };
}

function cachedKey(target: string, services: readonly DeliveryService[]): string {
  const [path, query] = target.split(/\?(.*)/s, 2);
  if (query === undefined || serviceOf(target, services)?.queryString !== "drop") return target;
  const name = (text: string) => text.split("=", 1)[0];
  const kept = query.split("&").filter((text) => text.startsWith(directive))
    .sort((a, b) => name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0);
  return kept.length === 0 ? path : `${path}?${kept.join("&")}`;
}
