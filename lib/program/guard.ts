/**
 * Who may use an API that changes anything: the bearer of the token; or, on a loopback address
 * without a token, local programs and the web pages that were named.
 *
 * @module
 */

import { createHash, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { isLoopback } from "#config";

/** Who is let in. */
export interface GuardOptions {
  /** The bearer token; `undefined` only on a loopback address. */
  readonly token: string | undefined;
  /** Paths that everybody may ask for. */
  readonly open?: (path: string) => boolean;
  /** Origins of web pages whose scripts may use the API, for example `http://127.0.0.1:8090`. */
  readonly pageOrigins?: readonly string[];
}

/**
 * Makes the middleware that stands before every route. Without a token it refuses what a web page
 * could send on a user's behalf: an `Origin` that was not named, or a `Host` that is not loopback
 * (DNS rebinding).
 */
export function guard(
  { token, open = () => false, pageOrigins = [] }: GuardOptions,
): MiddlewareHandler {
  return async (c, next) => {
    if (open(c.req.path)) return await next();
    const origin = c.req.header("origin");
    const page = origin !== undefined && pageOrigins.includes(origin);
    if (page) {
      c.header("access-control-allow-origin", origin);
      c.header("vary", "origin");
      if (c.req.method === "OPTIONS") {
        c.header("access-control-allow-methods", "GET, POST");
        c.header("access-control-allow-headers", "authorization, content-type");
        return c.body(null, 204);
      }
    }
    if (token !== undefined) {
      if (sameSecret(c.req.header("authorization") ?? "", `Bearer ${token}`)) return await next();
      c.header("www-authenticate", "Bearer");
      return c.json({ error: "Cannot allow this: need Authorization: Bearer with the token" }, 401);
    }
    const foreign = origin !== undefined && !page;
    if (foreign || !isLoopback(hostOf(c.req.url))) {
      return c.json({
        error: "Cannot allow this: without a token, need a local caller that is no foreign page",
      }, 403);
    }
    return await next();
  };
}

/** The host that the caller named, without port and brackets: another one is DNS rebinding. */
function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, "");
}

/** Compares without telling by its time how much was right. */
function sameSecret(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
