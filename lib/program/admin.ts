/**
 * The admin port that every program has: health, readiness, metrics, and its own routes.
 *
 * @module
 */

import { Hono } from "hono";
import type { Metrics } from "#metrics";
import { guard } from "./guard.ts";

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
