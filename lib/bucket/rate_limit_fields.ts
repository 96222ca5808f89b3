/**
 * What a client is told of limits: the fields of draft-ietf-httpapi-ratelimit-headers-10, and
 * `Retry-After` (RFC 9110 §10.2.3).
 *
 * @module
 */

import { type BareItem, type Field, formatList, item } from "#http";
import { type BucketPolicy, rateOf } from "./policy.ts";

/** A limit as it stands for one client. */
export interface Standing {
  readonly policy: Pick<BucketPolicy, "name" | "quota" | "windowSeconds" | "unit" | "burst">;
  /** Tokens left, at least 0. */
  readonly remaining: number;
  /** Microseconds until there is more. */
  readonly waitUs: number;
}

const integer = (value: number): BareItem => ({ type: "integer", value });
const string = (value: string): BareItem => ({ type: "string", value });

/** Returns `RateLimit-Policy` and `RateLimit`, one member a policy. */
export function rateLimitFields(standings: readonly Standing[]): Field[] {
  const policies = standings.map(({ policy }) => {
    const { quota, windowMs } = rateOf(policy as BucketPolicy);
    const parameters = new Map([["q", integer(quota)]]);
    if (policy.unit === "bytes") parameters.set("qu", string("content-bytes"));
    // Whole seconds: a shorter window is told as its rate in one second.
    if (windowMs % 1000 === 0) parameters.set("w", integer(windowMs / 1000));
    return item(string(policy.name), parameters);
  });
  const limits = standings.map(({ policy, remaining, waitUs }) =>
    item(
      string(policy.name),
      new Map([["r", integer(remaining)], ["t", integer(wholeSeconds(waitUs))]]),
    )
  );
  return [["ratelimit-policy", formatList(policies)], ["ratelimit", formatList(limits)]];
}

/** Seconds until it makes sense to come back, 1 or more. */
export function wholeSeconds(waitUs: number): number {
  return Math.min(86_400, Math.max(1, Math.ceil(waitUs / 1e6)));
}

/**
 * Seconds for `Retry-After`: the time until there is more, and up to half as much again, so that those
 * who were refused together do not come back together.
 *
 * @param random From 0 to below 1.
 */
export function retryAfterSeconds(waitUs: number, random: number): number {
  const seconds = wholeSeconds(waitUs);
  return seconds + Math.floor(random * (seconds / 2 + 1));
}
