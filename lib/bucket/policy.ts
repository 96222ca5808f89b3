/**
 * What an operator wants limited.
 *
 * @module
 */

import type { Rate } from "./gcra.ts";

/** One limit. */
export interface BucketPolicy {
  /** Names it in `RateLimit-Policy`, metrics and logs. */
  readonly name: string;
  /**
   * Who has a bucket: each client (an IPv4 address or an IPv6 /64), each bearer or query token, each
   * of `paths` for all clients together, or this node for everything.
   */
  readonly per: "client" | "token" | "class" | "node";
  /** Path prefixes that it is about; all paths when there are none. */
  readonly paths: readonly string[];
  /** What a token stands for: one request, or one byte of content. */
  readonly unit: "requests" | "bytes";
  /** Tokens in each window, for each bucket. */
  readonly quota: number;
  readonly windowSeconds: number;
  /** Tokens that may be taken at once after a pause; the quota when absent. */
  readonly burst?: number;
  /** All nodes of the tier together hold the limit (through Redis), not each node by itself. */
  readonly shared: boolean;
  /** Where it holds. A shield sees what missed at the edges. */
  readonly tiers: readonly ("edge" | "shield")[];
  /** The query parameter that carries the token where no `Authorization: Bearer` does. */
  readonly tokenQuery?: string;
}

/** The rate of a policy. */
export function rateOf({ quota, windowSeconds, burst = quota }: BucketPolicy): Rate {
  return { quota, windowMs: Math.round(windowSeconds * 1000), burst };
}

/** Whether a request target is one of those that a policy is about, and by which prefix. */
export function classOf(target: string, paths: readonly string[]): string | undefined {
  if (paths.length === 0) return "/";
  for (const path of paths) if (target.startsWith(path)) return path;
  return undefined;
}
