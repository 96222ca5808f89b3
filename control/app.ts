/**
 * The control API as one Hono app; `app.fetch(request)` answers anything.
 *
 * @module
 */

import { Hono } from "hono";
import { guard, type GuardOptions } from "#program";
import { nodeRoutes } from "./node_routes.ts";
import type { ControlParts } from "./parts.ts";
import { purgeRoutes } from "./purge_routes.ts";
import { topologyRoutes } from "./topology_routes.ts";

/** Makes the app. */
export function controlApp(parts: ControlParts, who: GuardOptions): Hono {
  const app = new Hono();
  app.use(guard(who));
  app.use(async (c, next) => {
    await next();
    if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-store");
  });
  app.route("/", purgeRoutes(parts));
  app.route("/", nodeRoutes(parts));
  app.route("/", topologyRoutes(parts));
  app.notFound((c) => {
    const path = c.req.path.slice(0, 200);
    return c.json(
      { error: `Cannot answer: need a path of the control API: received ${path}` },
      404,
    );
  });
  app.onError((error, c) =>
    c.json({ error: `Cannot answer: need working storage: received ${error.message}` }, 500)
  );
  return app;
}
