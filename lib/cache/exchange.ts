/**
 * One request as the engine sees it.
 *
 * @module
 */

import { type Field, type Fields, type RequestHead } from "#http";
import { type CacheControl, noDirectives, requestControl } from "./cache_control.ts";
import { cacheConditions, originConditions } from "./conditional.ts";
import { forwardedFields } from "./forward.ts";
import { requestKey } from "./key.ts";
import type { CachePolicy } from "./policy.ts";

/** A request, with its body if it has one. */
export type CacheRequest = RequestHead & { readonly body?: ReadableStream<Uint8Array> };

/** How a request wants to be treated, beside what its head says. */
export interface RespondOptions {
  /** The client is gone. */
  readonly signal?: AbortSignal;
  /**
   * What this node stored may be purged already (its fence failed): go past it. The answer may be
   * stored.
   */
  readonly bypass?: boolean;
  /**
   * The purge sequence the client has applied, with `bypass`. Requests with the same or a lower one
   * share one fetch; without it each fetches for itself.
   */
  readonly fence?: number;
  /** The client is a node of ours: it gets the fields that the policy hides too. */
  readonly showHidden?: boolean;
  /** Called for each 1xx of the next hop while the request waits. */
  readonly onInformational?: (status: number, fields: Fields) => void;
}

/** A request ready to be decided. */
export interface Exchange extends RespondOptions {
  readonly request: CacheRequest;
  /** Primary cache key, and the target for the next hop. */
  readonly key: string;
  /** The request fields for the next hop, and for the secondary key. */
  readonly forwarded: readonly Field[];
  /** The request's directives; none when the policy ignores them. */
  readonly control: CacheControl;
}

/** Prepares a request. */
export function openExchange(
  request: CacheRequest,
  options: RespondOptions,
  policy: CachePolicy,
): Exchange {
  return {
    ...options,
    request,
    key: requestKey(request.target, policy.keepQuery),
    forwarded: forwardedFields(request, policy),
    control: policy.honourRequestDirectives ? requestControl(request.fields) : noDirectives,
  };
}

/** Why a request goes straight to the next hop, if it does. */
export function passReason({ request }: Exchange): "method" | "request" | undefined {
  if (request.method !== "GET" && request.method !== "HEAD") return "method";
  return request.fields.some(([name]) => originConditions.has(name)) ? "request" : undefined;
}

/** Whether the request asks for a part, or only for what changed. */
export function isPartial({ request }: Exchange): boolean {
  return request.fields.some(([name]) => passedWithRequest.has(name));
}

/** Whether the request asks for parts of the body. */
export function isRangeRequest({ method, fields }: RequestHead): boolean {
  return method === "GET" && fields.some(([name]) => name === "range");
}

/** Whether the request carries credentials, so that its answer is for its client (RFC 9111 §3.5). */
export function hasCredentials({ forwarded }: Pick<Exchange, "forwarded">): boolean {
  return forwarded.some(([name]) => name === "authorization");
}

/** Whether others may wait for this request's answer: it is not for this client by what it says. */
export function mayBeShared(exchange: Pick<Exchange, "forwarded" | "control">): boolean {
  return !exchange.control.has("no-store") && !hasCredentials(exchange);
}

/** Fields that make sense only when the next hop's answer goes to this very client. */
const passedWithRequest: ReadonlySet<string> = new Set([
  ...cacheConditions,
  ...originConditions,
  "if-range",
  "range",
]);

/** The fields of a request that goes straight to the next hop. */
export function passedFields({ request, forwarded }: Exchange): Field[] {
  const names = new Set(forwarded.map(([name]) => name));
  const own = request.fields.filter(([name]) => passedWithRequest.has(name) && !names.has(name));
  return [...forwarded, ...own];
}
