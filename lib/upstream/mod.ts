/**
 * Requests to the next hop.
 *
 * @module
 */
export { type HttpNextHop, httpNextHop, type HttpNextHopOptions } from "./http_next_hop.ts";
