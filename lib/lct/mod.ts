/**
 * LCT headers and their extensions (RFC 5651), as ALC uses them (RFC 5775). Pure.
 *
 * @module
 */
export type { LctRejection, Toi } from "./header.ts";
