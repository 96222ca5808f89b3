/**
 * The version of this tree.
 *
 * @module
 */

import house from "../../deno.json" with { type: "json" };

/** Semantic version of all five programs, from `deno.json`. */
export const version: string = house.version;
