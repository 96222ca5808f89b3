/**
 * What delivery services mean to a cache node: where a request goes, what is left of its query, and
 * what a response of the origin gets. Pure.
 *
 * @module
 */

import { requestKey } from "#cache";
import { canonicalTarget, type Fields } from "#http";
import {
  availableFirst,
  type DeliveryService,
  parentCaches,
  serviceOf,
  type TopologySnapshot,
} from "#topology";
import type { Hop } from "./routed_next_hop.ts";

/** What a node knows when it looks for next hops. */
export interface HopContext {
  /** The topology; `undefined` while control was never heard. */
  readonly snapshot: TopologySnapshot | undefined;
  /** Next hops that control finds unwell. */
  readonly unavailable: ReadonlySet<string>;
  /** This node. */
  readonly node: string;
  readonly cacheGroup: string | undefined;
}

/** The next hops that the topology declares. */
export interface DeliveryHops {
  readonly caches: readonly Hop[];
  readonly origin: Hop | undefined;
  /** Whether an edge may ask the origin. */
  readonly goDirect: boolean;
}

/** Returns the caches above a node, available ones first, and the origin of the target's service. */
export function deliveryHops(
  tier: "edge" | "shield",
  target: string,
  { snapshot, unavailable, node, cacheGroup }: HopContext,
): DeliveryHops {
  if (snapshot === undefined) return { caches: [], origin: undefined, goDirect: false };
  const service = serviceOf(target, snapshot.deliveryServices);
  const caches = parentCaches({ target, service, tier, node, cacheGroup }, snapshot);
  const url = service?.origin;
  return {
    caches: availableFirst(caches, unavailable),
    origin: url === undefined ? undefined : { id: url, url, origin: true },
    goDirect: service?.goDirect ?? false,
  };
}

/** Returns every hop that a topology can lead to: connections to others are let go. */
export function declaredHops({ shields, deliveryServices }: TopologySnapshot): readonly Hop[] {
  const origins = deliveryServices.flatMap(({ origin }) => origin ?? []);
  return [...shields, ...origins.map((url) => ({ id: url, url }))];
}

/**
 * Returns the target without its query where its service drops that; the delivery directives of HLS stay.
 *
 * @param dropping What {@link dropsQueries} says of the services.
 */
export function withoutDroppedQuery(
  target: string,
  services: readonly DeliveryService[],
  dropping: boolean,
): string {
  const mark = dropping ? target.indexOf("?") : -1;
  if (mark === -1) return target;
  const canonical = canonicalTarget(target);
  const service = canonical === undefined ? undefined : serviceOf(canonical, services);
  return service?.queryString === "drop" ? requestKey(target, []) : target;
}

/** Whether a service drops the query: without one, no request has to be looked at. */
export function dropsQueries(services: readonly DeliveryService[]): boolean {
  return services.some(({ queryString }) => queryString === "drop");
}

/** Fields that say something of freshness. */
const freshnessFields: ReadonlySet<string> = new Set([
  "cache-control",
  "cdn-cache-control",
  "downlink-cdn-cache-control",
  "expires",
  "pragma",
]);
const tagFields: ReadonlySet<string> = new Set(["surrogate-key", "cache-tag"]);

/**
 * Returns the fields of an origin's response with what its service adds: surrogate keys, and the
 * default freshness for our own caches where the origin says nothing.
 */
export function dressedFields(
  { tags, defaultTtlSeconds }: Pick<DeliveryService, "tags" | "defaultTtlSeconds">,
  { method, status, fields }: {
    /** Of the request: what a POST brings is kept only when the origin itself says how long. */
    readonly method: string;
    readonly status: number;
    readonly fields: Fields;
  },
): Fields {
  const has = (names: ReadonlySet<string>) => fields.some(([name]) => names.has(name));
  const added: [string, string][] = [];
  // A 304 replaces the stored fields that it names: keys alone would take those of the origin away.
  const tagged = tags.length > 0 && (status !== 304 || has(tagFields));
  if (tagged) added.push(["surrogate-key", tags.join(" ")]);
  const silent = defaultTtlSeconds !== undefined && !has(freshnessFields) &&
    (method === "GET" || method === "HEAD");
  if (silent && [200, 206, 304].includes(status)) {
    added.push(["downlink-cdn-cache-control", `max-age=${Math.floor(defaultTtlSeconds)}`]);
  }
  return added.length === 0 ? fields : [...fields, ...added];
}
