/**
 * What a cache says about its handling of a request: `Cache-Status` (RFC 9211).
 *
 * @module
 */

import { isStructuredToken } from "./structured_format.ts";
import { type BareItem, item } from "./structured.ts";
import { formatMember } from "./structured_format.ts";

/** Why a request went forward (RFC 9211 §2.2). */
export type ForwardReason =
  | "bypass"
  | "method"
  | "uri-miss"
  | "vary-miss"
  | "miss"
  | "request"
  | "stale"
  | "partial";

/** What one cache did; `hit` and `fwd` exclude each other (RFC 9211 §2). */
export interface CacheStatus {
  /** Which cache: a name that tells its place, for example `edge-1`. */
  readonly cache: string;
  /** Answered from storage without going forward. */
  readonly hit?: boolean;
  readonly fwd?: ForwardReason;
  /** The next hop's status, where it differs from the answer's. */
  readonly fwdStatus?: number;
  /** The forward response was stored. */
  readonly stored?: boolean;
  /** This request waited on another's forward request. */
  readonly collapsed?: boolean;
  /** Freshness left, in whole seconds; negative when stale. */
  readonly ttlSeconds?: number;
  /** The cache key. Left out of the field when it is not printable ASCII. */
  readonly key?: string;
  /** More, in the cache's own words; a token or printable ASCII. */
  readonly detail?: string;
}

/**
 * Writes one `Cache-Status` member. Each cache on the way appends its own at the end, so that the
 * first is the closest to the origin (RFC 9211 §2).
 *
 * @throws {RangeError} When both `hit` and `fwd` are given or `cache` is not printable ASCII.
 */
export function formatCacheStatus(status: CacheStatus): string {
  if (status.hit && status.fwd !== undefined) {
    throw new RangeError(
      `Cannot format Cache-Status: need hit or fwd, not both: received fwd=${status.fwd}`,
    );
  }
  const parameters = new Map<string, BareItem>();
  if (status.hit) parameters.set("hit", flag);
  if (status.fwd !== undefined) parameters.set("fwd", { type: "token", value: status.fwd });
  setInteger(parameters, "fwd-status", status.fwdStatus);
  setInteger(parameters, "ttl", status.ttlSeconds);
  if (status.stored) parameters.set("stored", flag);
  if (status.collapsed) parameters.set("collapsed", flag);
  if (printable(status.key)) parameters.set("key", { type: "string", value: status.key });
  if (printable(status.detail)) parameters.set("detail", text(status.detail));
  return formatMember(item(text(status.cache), parameters));
}

const flag: BareItem = { type: "boolean", value: true };

function setInteger(parameters: Map<string, BareItem>, key: string, value: number | undefined) {
  if (value !== undefined) parameters.set(key, { type: "integer", value: Math.trunc(value) });
}

function printable(value: string | undefined): value is string {
  return value !== undefined && /^[ -~]+$/.test(value);
}

/** A token where the text allows one, else a string. */
function text(value: string): BareItem {
  return { type: isStructuredToken(value) ? "token" : "string", value };
}
