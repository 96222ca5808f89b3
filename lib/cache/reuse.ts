/**
 * Whether a stored response may answer a request now (RFC 9111 §4, §4.2.4; RFC 5861).
 *
 * @module
 */

import { currentAge } from "./age.ts";
import type { CacheControl } from "./cache_control.ts";
import type { ResponseFacts } from "./facts.ts";
import type { PurgeVerdict } from "./purges.ts";

/**
 * - `fresh`: answer with it.
 * - `stale_while_revalidate`: answer with it and revalidate behind the client's back.
 * - `stale`: answer with it, because the client said that it takes stale (`max-stale`).
 * - `revalidate`: ask the next hop first; its own freshness ended.
 * - `revalidate_for_request`: ask the next hop first, because the request wants that.
 */
export type Reuse =
  | "fresh"
  | "stale_while_revalidate"
  | "stale"
  | "revalidate"
  | "revalidate_for_request";

/** What the decision depends on. */
export interface ReuseInput {
  readonly facts: ResponseFacts;
  /** What the purges say; an entry that is `gone` is not asked about. */
  readonly verdict: Exclude<PurgeVerdict, "gone">;
  readonly requestControl: CacheControl;
  readonly nowMs: number;
}

/** Milliseconds until freshness ends, negative when it has ended. */
export function freshLeftMs({ times, freshness }: ResponseFacts, nowMs: number): number {
  return freshness.lifetimeMs - currentAge(times, nowMs);
}

/** Decides whether a stored response may answer a request (RFC 9111 §4). */
export function decideReuse({ facts, verdict, requestControl, nowMs }: ReuseInput): Reuse {
  const { control } = facts;
  if (control.has("no-cache")) return "revalidate";
  const leftMs = freshLeftMs(facts, nowMs);
  const fresh = leftMs > 0 && verdict === "valid";
  if (!requestControl.empty && !requestAllows(facts, requestControl, nowMs, fresh)) {
    return fresh ? "revalidate_for_request" : "revalidate";
  }
  if (fresh) return "fresh";
  if (mustRevalidate(control)) return "revalidate";
  const staleMs = Math.max(0, -leftMs);
  const graceMs = (control.seconds("stale-while-revalidate") ?? 0) * 1000;
  // A soft purge says "serve while revalidating" of what is fresh otherwise.
  if (staleMs < graceMs || (verdict === "stale" && leftMs > 0)) return "stale_while_revalidate";
  // s-maxage forbids it as proxy-revalidate does (RFC 9111 §5.2.2.10).
  const takesStale = !control.has("s-maxage") && staleMs <= maxStaleMs(requestControl);
  return takesStale ? "stale" : "revalidate";
}

/**
 * Whether a stale response may stand in for a next hop that fails (RFC 5861 §4, RFC 9111 §4.2.4).
 *
 * @param staleOnErrorMs Policy, where neither response nor request says anything.
 */
export function mayServeOnError(
  { facts, requestControl, nowMs }: Omit<ReuseInput, "verdict">,
  staleOnErrorMs: number,
): boolean {
  const { control } = facts;
  if (mustRevalidate(control) || control.has("no-cache")) return false;
  const staleMs = -freshLeftMs(facts, nowMs);
  const grantedSeconds = control.seconds("stale-if-error") ??
    requestControl.seconds("stale-if-error");
  if (grantedSeconds !== undefined) return staleMs <= grantedSeconds * 1000;
  // As above: s-maxage alone forbids it.
  return !control.has("s-maxage") && staleMs <= staleOnErrorMs;
}

/** Statuses of a next hop that count as failing (RFC 5861 §4). */
export function isErrorStatus(status: number): boolean {
  return status === 500 || status === 502 || status === 503 || status === 504;
}

/**
 * Whether a failure says something of the resource, so that it may answer everybody who waits for it.
 * What a next hop says of one request (400, 406, 429, 431, ...) is for that client alone: otherwise a
 * stranger's bad field would fail all who wait with him.
 */
export function speaksOfResource(status: number): boolean {
  return status === 403 || status === 404 || status === 410 || status === 451 ||
    isErrorStatus(status);
}

/** Whether a failure is a gateway's: it says nothing but that there is no answer. */
export function isGatewayFailure(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}

function mustRevalidate(control: CacheControl): boolean {
  return control.has("must-revalidate") || control.has("proxy-revalidate");
}

/** What the request's directives say of this response (RFC 9111 §5.2.1). */
function requestAllows(
  facts: ResponseFacts,
  request: CacheControl,
  nowMs: number,
  fresh: boolean,
): boolean {
  if (request.has("no-cache")) return false;
  const maxAgeSeconds = request.seconds("max-age");
  const ageMs = currentAge(facts.times, nowMs);
  const tooOldMs = maxAgeSeconds === undefined ? 0 : ageMs - maxAgeSeconds * 1000;
  if (maxAgeSeconds !== undefined && tooOldMs >= 0 && tooOldMs >= maxStaleMs(request)) return false;
  const minFreshSeconds = request.seconds("min-fresh") ?? 0;
  return !fresh || freshLeftMs(facts, nowMs) >= minFreshSeconds * 1000;
}

/** How stale the client takes it, in milliseconds: without an argument any (RFC 9111 §5.2.1.2). */
function maxStaleMs(request: CacheControl): number {
  if (request.isBare("max-stale")) return Infinity;
  const seconds = request.seconds("max-stale");
  return seconds === undefined ? -1 : seconds * 1000;
}
