/**
 * What an operator may set of the bounds of a front; the others are in docs/limits.md.
 *
 * @module
 */

import { duration, integer, type Settings } from "#config";
import { defaultLimits, type Http1Limits } from "#http1";

const milliseconds = (ms: number) => `${ms / 1000}s`;

/** Returns the rows of a program whose front meets the open internet. */
export function frontLimitParameters() {
  const limits = defaultLimits;
  const range = { min: 1, max: 1_000_000 };
  return {
    maxConnections: integer(
      String(limits.maxConnections),
      "Connections of clients at once; the one idle for longest gives way to a newcomer.",
      range,
    ),
    maxClientConnections: integer(
      String(limits.maxConnectionsPerClient),
      "Of these, by one client (an IPv4 address, an IPv6 /64); loopback is exempt.",
      range,
    ),
    headTimeout: duration(
      milliseconds(limits.headTimeoutMs),
      "How long a client may take for a request head.",
    ),
    bodyTimeout: duration(
      milliseconds(limits.bodyTimeoutMs),
      "Time in which a client must send 1 KiB of a request body, or its end.",
    ),
    idleTimeout: duration(
      milliseconds(limits.idleTimeoutMs),
      "How long a connection may lie idle between two requests.",
    ),
    writeTimeout: duration(
      milliseconds(limits.writeTimeoutMs),
      "Time in which a client must take something of what waits for it.",
    ),
  };
}

/** The bounds that the settings make. */
export function frontLimitsOf(
  settings: Settings<ReturnType<typeof frontLimitParameters>>,
): Partial<Http1Limits> {
  return {
    maxConnections: settings.maxConnections,
    maxConnectionsPerClient: settings.maxClientConnections,
    headTimeoutMs: settings.headTimeout,
    bodyTimeoutMs: settings.bodyTimeout,
    idleTimeoutMs: settings.idleTimeout,
    writeTimeoutMs: settings.writeTimeout,
  };
}
