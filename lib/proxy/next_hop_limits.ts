/**
 * What an operator may set of the bounds of a next hop; the others are in docs/limits.md.
 *
 * @module
 */

import { duration, integer, type Settings } from "#config";
import type { HttpNextHopOptions } from "#upstream";

/** Returns the rows of the parameter table. */
export function nextHopLimitParameters() {
  return {
    upstreamConnections: integer(
      "256",
      "Connections to one next hop at once; further requests wait.",
      { min: 1, max: 100_000 },
    ),
    upstreamConnectTimeout: duration(
      "3s",
      "How long a connection to a next hop may take to stand.",
    ),
    upstreamHeadTimeout: duration(
      "15s",
      "How long a next hop may take for a response head, the connection and 1xx answers included.",
    ),
    upstreamSilenceTimeout: duration(
      "15s",
      "How long a next hop may say nothing amid a body that somebody waits for.",
    ),
  };
}

/** The bounds that the settings make. */
export function nextHopLimitsOf(
  settings: Settings<ReturnType<typeof nextHopLimitParameters>>,
): Omit<HttpNextHopOptions, "url"> {
  return {
    maxSockets: settings.upstreamConnections,
    connectTimeoutMs: settings.upstreamConnectTimeout,
    headTimeoutMs: settings.upstreamHeadTimeout,
    silenceTimeoutMs: settings.upstreamSilenceTimeout,
  };
}
