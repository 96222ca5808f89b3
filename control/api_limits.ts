/**
 * Limits of control's own API, for each caller: purges counted by value, and calls of operators. What
 * nodes need to live (heartbeats, the log, the topology) is not limited here.
 *
 * @module
 */

import type { Context, MiddlewareHandler } from "hono";
import {
  BucketTable,
  limitOf,
  type Rate,
  rateLimitFields,
  retryAfterSeconds,
  subjectOf,
} from "#bucket";
import type { Field } from "#http";
import { callerOf } from "./access/caller.ts";
import { declaredIn } from "./access/guard.ts";
import type { Operation } from "./api/operation.ts";

/** The words for a limit; metric labels, and names in `RateLimit-Policy`. */
export type ApiLimitName = "purges" | "admin";

/** What the limits are made of. */
export interface ApiLimitOptions {
  readonly purges: Rate;
  readonly admin: Rate;
  /** A clock that never steps, in milliseconds. */
  readonly steadyMs: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** Whether a call may go on, and what its caller is told. */
export interface LimitAnswer {
  readonly allowed: boolean;
  readonly fields: readonly Field[];
  /** Seconds until it makes sense to come back. */
  readonly retryAfter: number;
}

/** Callers with a bucket of their own: there are no more tokens than people. */
const places = 1024;

/** The buckets. */
export class ApiLimits {
  readonly #options: ApiLimitOptions;
  readonly #tables: Readonly<Record<ApiLimitName, BucketTable>>;

  constructor(options: ApiLimitOptions) {
    this.#options = options;
    this.#tables = {
      purges: new BucketTable(limitOf(options.purges), places),
      admin: new BucketTable(limitOf(options.admin), places),
    };
  }

  /** Takes tokens of a caller, all or none. */
  take(name: ApiLimitName, caller: string, tokens: number): LimitAnswer {
    const { steadyMs, random, [name]: { quota, windowMs, burst } } = this.#options;
    const table = this.#tables[name];
    const subject = subjectOf(`${name} ${caller}`);
    const nowUs = Math.floor(steadyMs() * 1000);
    const allowed = table.take(subject, tokens, nowUs);
    const waitUs = table.waitUs(subject, allowed ? 1 : tokens, nowUs);
    const remaining = table.left(subject, nowUs);
    const policy = {
      name,
      quota,
      windowSeconds: windowMs / 1000,
      unit: "requests",
      burst,
    } as const;
    const fields = rateLimitFields([{ policy, remaining, waitUs }]);
    return { allowed, fields, retryAfter: retryAfterSeconds(waitUs, random()) };
  }
}

/** What is needed to limit a call. */
export interface LimitedParts {
  readonly limits: ApiLimits;
  readonly onEvent: (event: { kind: "limited"; limit: ApiLimitName; caller: string }) => void;
}

/** Makes the middleware that counts the calls of operators; it stands behind the guard. */
export function adminLimit(parts: LimitedParts): MiddlewareHandler {
  return async (c, next) => {
    const declared = declaredIn(c);
    if (declared === undefined || !isOfOperators(declared)) return await next();
    const refused = limited(c, parts, { limit: "admin", tokens: 1 });
    if (refused !== undefined) return refused;
    await next();
  };
}

function isOfOperators({ id, scopes }: Operation): boolean {
  return scopes.length > 0 && !scopes.includes("node") && id !== "createPurge";
}

/** Counts a call against its caller; the refusal when it came too soon. */
export function limited(
  c: Context,
  { limits, onEvent }: LimitedParts,
  { limit, tokens }: { readonly limit: ApiLimitName; readonly tokens: number },
): Response | undefined {
  const caller = callerOf(c).name;
  const { allowed, fields, retryAfter } = limits.take(limit, caller, tokens);
  for (const [name, value] of fields) c.header(name, value);
  if (allowed) return undefined;
  onEvent({ kind: "limited", limit, caller });
  const what = limit === "purges" ? "purges" : "calls";
  const error = `Cannot take more ${what} now: need to wait ${retryAfter} s: received ${tokens}`;
  return c.json({ error }, 429, { "retry-after": String(retryAfter) });
}
