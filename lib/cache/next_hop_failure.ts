/**
 * Whatever a next hop throws, as a {@link NextHopError}.
 *
 * @module
 */

import { NextHopError } from "./next_hop.ts";

/** What is no {@link NextHopError} counts as a response that cannot be used. */
export function asNextHopError(error: unknown): NextHopError {
  if (error instanceof NextHopError) return error;
  return new NextHopError("malformed", "Cannot use the response of the next hop", { cause: error });
}
