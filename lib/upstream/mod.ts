/**
 * Requests to the next hop.
 *
 * @module
 */
export { httpNextHop, type HttpNextHopOptions } from "./http_next_hop.ts";
