/**
 * The upstream port: a listener on loopback where the store comes for what it is to keep.
 *
 * @module
 */

import { toResponse } from "#cache";
import { type Http1Event, type Http1Server, serve } from "#http1";
import type { Handover } from "./handover.ts";

/**
 * Opens the port.
 *
 * @param options `hostname`: a loopback address.
 * @throws {Error} When the address cannot be had.
 */
export function openUpstreamPort(
  handover: Handover,
  { hostname, port, onEvent }: {
    readonly hostname: string;
    readonly port: number;
    readonly onEvent?: (event: Http1Event) => void;
  },
): Http1Server {
  return serve({
    hostname,
    port,
    onEvent,
    handler: (_request, { head }) => toResponse(handover.answer(head)),
    // Between two pieces of a live segment the store waits longer than a client would take to read.
    limits: { maxConnectionsPerClient: 10_000, writeTimeoutMs: 60_000, idleTimeoutMs: 60_000 },
  });
}
