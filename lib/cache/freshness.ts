/**
 * How long a response is fresh (RFC 9111 §4.2.1, §4.2.2), for a shared cache.
 *
 * @module
 */

import { type Fields, fieldValue, parseHttpDate } from "#http";
import type { CacheControl } from "./cache_control.ts";

/**
 * What the lifetime was taken from, strongest first; `none` gives a lifetime of 0. `policy` is the
 * operator's word, where the response has none.
 */
export type FreshnessSource = "s-maxage" | "max-age" | "expires" | "policy" | "heuristic" | "none";

/** What the operator's policy makes of the freshness of one response. */
export interface Life {
  /** How long it is fresh where it does not say so itself, in milliseconds. */
  readonly silentMs?: number;
  /** How long it is fresh at most, whatever it says, in milliseconds. */
  readonly mostMs?: number;
}

/** How long a response is fresh, and who says so. */
export interface Freshness {
  readonly source: FreshnessSource;
  /** In milliseconds, at least 0, counted from the moment the origin made the response. */
  readonly lifetimeMs: number;
}

/** What the lifetime depends on. */
export interface FreshnessInput {
  readonly status: number;
  readonly fields: Fields;
  readonly control: CacheControl;
  /** The response's `Date`, or when it was received. */
  readonly dateMs: number;
  /** Whether `control` is of a targeted field: `Expires` then counts for nothing (RFC 9213 §2.2). */
  readonly targeted?: boolean;
  readonly life?: Life;
}

/** Status codes that may be fresh without saying so (RFC 9110 §15.1), but 206. */
export const heuristicStatuses: ReadonlySet<number> = new Set([
  200,
  203,
  204,
  300,
  301,
  308,
  404,
  405,
  410,
  414,
  501,
]);

const heuristicShare = 0.1;
const heuristicLimitMs = 24 * 3600e3;

/** Returns the freshness lifetime of a response in a shared cache (RFC 9111 §4.2.1). */
export function freshnessOf(input: FreshnessInput): Freshness {
  const { source, lifetimeMs } = ownFreshness(input);
  return { source, lifetimeMs: Math.min(lifetimeMs, input.life?.mostMs ?? Infinity) };
}

function ownFreshness(input: FreshnessInput): Freshness {
  const { control, fields, dateMs, targeted = false, life } = input;
  for (const source of ["s-maxage", "max-age"] as const) {
    const seconds = control.seconds(source);
    if (seconds !== undefined) return { source, lifetimeMs: seconds * 1000 };
  }
  const expires = targeted ? [] : fields.filter(([name]) => name === "expires");
  if (expires.length === 0) {
    return life?.silentMs === undefined
      ? heuristicFreshness(input)
      : { source: "policy", lifetimeMs: life.silentMs };
  }
  // Two lines or no date mean "already expired" (RFC 9111 §4.2.1, §5.3).
  const expiresMs = expires.length === 1 ? parseHttpDate(expires[0][1], dateMs) : undefined;
  return { source: "expires", lifetimeMs: Math.max(0, (expiresMs ?? dateMs) - dateMs) };
}

/** A tenth of the time since the last change, a day at most (RFC 9111 §4.2.2). */
function heuristicFreshness({ status, fields, control, dateMs }: FreshnessInput): Freshness {
  const none: Freshness = { source: "none", lifetimeMs: 0 };
  if (!heuristicStatuses.has(status) && !control.has("public")) return none;
  const lastModified = fieldValue(fields, "last-modified");
  const changedMs = lastModified === undefined ? undefined : parseHttpDate(lastModified, dateMs);
  if (changedMs === undefined || changedMs >= dateMs) return none;
  const lifetimeMs = Math.min((dateMs - changedMs) * heuristicShare, heuristicLimitMs);
  return { source: "heuristic", lifetimeMs };
}
