/**
 * The caching reverse proxy that edge and shield both are.
 *
 * @module
 */
export { cacheNodeApp, type CacheNodeAppOptions, type Fence, passedBefore } from "./app.ts";
export { type BucketConnector, type HopFinder, startCacheNode } from "./cache_node.ts";
export { deliveryHops, type HopContext } from "./delivery.ts";
export { HopHealth, type HopHealthLimits } from "./hop_health.ts";
export { cacheNodeParameters } from "./parameters.ts";
export { type Peers, peersOf } from "./peers.ts";
export { type Hop, RoutedNextHop, type RouteOptions } from "./routed_next_hop.ts";
