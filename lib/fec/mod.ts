/**
 * FEC building block (RFC 5052, RFC 5445): how an object is cut into symbols. Pure.
 *
 * @module
 */
export type { FecOti } from "./oti.ts";
