/**
 * The admin port that every program has: health, readiness, metrics, and who may change anything.
 *
 * @module
 */

import { Hono, type MiddlewareHandler } from "hono";
import { isLoopback } from "#config";
import type { Metrics } from "#metrics";

/** What the admin port needs to know. */
export interface AdminOptions {
  readonly metrics: Metrics;
  /** Whether the program can do its job now. */
  readonly ready: () => boolean;
  /** The bearer token; `undefined` only on a loopback address. */
  readonly token: string | undefined;
}

const openPaths = new Set(["/healthz", "/readyz", "/metrics"]);

/** Makes the admin app; a program adds its own routes to it. */
export function adminApp({ metrics, ready, token }: AdminOptions): Hono {
  const app = new Hono();
  app.use(guard({ token, open: (path) => openPaths.has(path) }));
  app.get("/healthz", (c) => c.text("ok\n"));
  app.get("/readyz", (c) => ready() ? c.text("ready\n") : c.text("not ready\n", 503));
  app.get("/metrics", async (c) => {
    return c.body(await metrics.render(), 200, { "content-type": metrics.contentType });
  });
  app.notFound((c) =>
    c.json({ error: `Cannot answer: no such path: received ${c.req.path}` }, 404)
  );
  return app;
}

/**
 * Lets a request through when it carries the token. Without a token (loopback only) it refuses what
 * a web page could send on a user's behalf: a foreign `Origin`, or a `Host` that is not loopback
 * (DNS rebinding).
 */
export function guard(
  { token, open }: { token: string | undefined; open: (path: string) => boolean },
): MiddlewareHandler {
  return async (c, next) => {
    if (open(c.req.path)) return await next();
    if (token !== undefined) {
      if (sameText(c.req.header("authorization") ?? "", `Bearer ${token}`)) return await next();
      c.header("www-authenticate", "Bearer");
      return c.json(
        { error: "Cannot allow this: need Authorization: Bearer with the admin token" },
        401,
      );
    }
    const { hostname } = new URL(c.req.url);
    const fromPage = c.req.header("origin") !== undefined && c.req.method !== "GET";
    if (fromPage || !isLoopback(hostname.replace(/^\[|\]$/g, ""))) {
      return c.json({
        error: "Cannot allow this: without a token, need a local caller that is no web page",
      }, 403);
    }
    return await next();
  };
}

/** Compares without telling by its time how much was right. */
function sameText(given: string, wanted: string): boolean {
  let difference = given.length ^ wanted.length;
  for (let i = 0; i < wanted.length; i++) {
    difference |= (given.charCodeAt(i) || 0) ^ wanted.charCodeAt(i);
  }
  return difference === 0;
}
