/**
 * Whether a shared cache may store a response, and whether several requests may share it while it
 * arrives (RFC 9111 §3, §3.5, §4).
 *
 * @module
 */

import { type Fields, type RequestHead, type ResponseHead } from "#http";
import { currentAge } from "./age.ts";
import { type CacheControl } from "./cache_control.ts";
import { type ResponseFacts } from "./facts.ts";
import { heuristicStatuses } from "./freshness.ts";

/** Why a response is not stored; the words are metric labels. */
export type NotStorable =
  | "method"
  | "status"
  | "no_store"
  | "private"
  | "authorization"
  | "set_cookie"
  | "vary"
  | "over_limit_tags"
  | "no_freshness";

/** What the decision depends on. */
export interface StorableInput {
  readonly request: Pick<RequestHead, "method" | "fields">;
  readonly requestControl: CacheControl;
  readonly response: ResponseHead;
  readonly facts: ResponseFacts;
  readonly tagsOverLimit: boolean;
  /** Policy: responses with `Set-Cookie` may be stored. */
  readonly storeSetCookie: boolean;
}

/** Statuses whose semantics this cache understands, so that `must-understand` allows storing. */
const understood: ReadonlySet<number> = new Set([
  ...heuristicStatuses,
  302,
  303,
  307,
  400,
  403,
  451,
  500,
  502,
  503,
  504,
]);

/** Statuses that are stored only by caches that combine or freshen: never as they are. */
const partial: ReadonlySet<number> = new Set([206, 304, 416]);

/** Returns why the response must not be stored, or `undefined` when it may be (RFC 9111 §3). */
export function notStorable(input: StorableInput): NotStorable | undefined {
  const { request, requestControl, response, facts } = input;
  const { control } = facts;
  if (request.method !== "GET") return "method";
  if (partial.has(response.status)) return "status";
  if (control.has("must-understand") && !understood.has(response.status)) return "status";
  if (requestControl.has("no-store")) return "no_store";
  // must-understand overrides no-store for caches that know the status (RFC 9111 §5.2.2.3).
  if (control.has("no-store") && !control.has("must-understand")) return "no_store";
  if (control.has("private")) return "private";
  if (has(request.fields, "authorization") && !allowsAuthorization(control)) return "authorization";
  if (has(response.fields, "set-cookie") && !input.storeSetCookie) return "set_cookie";
  if (facts.vary === "*") return "vary";
  if (input.tagsOverLimit) return "over_limit_tags";
  return saysItMayBeKept(response.status, facts) ? undefined : "no_freshness";
}

/** Whether a response that was stored already now says that it must not be: its head was updated. */
export function forbidsStoring({ control, vary }: ResponseFacts): boolean {
  const noStore = control.has("no-store") && !control.has("must-understand");
  return noStore || control.has("private") || vary === "*";
}

/** Explicit permission for answers to credentialed requests (RFC 9111 §3.5). */
function allowsAuthorization(control: CacheControl): boolean {
  return control.has("public") || control.has("s-maxage") || control.has("must-revalidate");
}

/**
 * The last condition of RFC 9111 §3: explicit freshness, `public`, or a status that may be kept by
 * default. The latter two need a lifetime or a validator too, without which nothing could be reused.
 */
function saysItMayBeKept(status: number, facts: ResponseFacts): boolean {
  const { freshness, control, etag, lastModifiedMs } = facts;
  if (freshness.source !== "none" && freshness.source !== "heuristic") return true;
  if (!control.has("public") && !heuristicStatuses.has(status)) return false;
  return freshness.lifetimeMs > 0 || etag !== undefined || lastModifiedMs !== undefined;
}

/**
 * Whether requests other than the one that fetched it may be answered with a storable response as it
 * arrives: it is fresh, or stale but usable while someone revalidates (RFC 9111 §4).
 */
export function isShareable({ control, freshness, times }: ResponseFacts, nowMs: number): boolean {
  if (control.has("no-cache")) return false;
  const staleMs = currentAge(times, nowMs) - freshness.lifetimeMs;
  if (staleMs < 0) return true;
  const graceSeconds = control.seconds("stale-while-revalidate") ?? 0;
  return staleMs < graceSeconds * 1000 && !control.has("must-revalidate") &&
    !control.has("proxy-revalidate");
}

function has(fields: Fields, name: string): boolean {
  return fields.some(([key]) => key === name);
}
