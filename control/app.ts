/**
 * The control API as one Hono app; `app.fetch(request)` answers anything.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import { folderReader } from "#program";
import { auditRoutes } from "./access/audit_routes.ts";
import { accessGuard, type AccessOptions } from "./access/guard.ts";
import { sessionRoutes } from "./access/session_routes.ts";
import { tokenRoutes } from "./access/token_routes.ts";
import { adminLimit } from "./api_limits.ts";
import { descriptionRoutes } from "./api/description_routes.ts";
import { operationOf } from "./api/operation.ts";
import { ConsoleFeed } from "./console/feed.ts";
import { feedRoutes, pageRoutes } from "./console/routes.ts";
import { fleetRoutes } from "./fleet_routes.ts";
import { nodeRoutes } from "./node_routes.ts";
import type { ControlParts } from "./parts.ts";
import { purgeRoutes } from "./purge_routes.ts";
import { routeRoutes } from "./router_app.ts";
import { topologyRoutes } from "./topology_routes.ts";

/** Makes the app. */
export function controlApp(parts: ControlParts, who: AccessOptions): Hono {
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-store");
  });
  app.route("/", pageRoutes(folderReader(new URL("./console/page/", import.meta.url))));
  app.use(accessGuard(parts, who));
  app.use(adminLimit(parts));
  const api = apiRoutes(parts);
  app.route("/", api);
  app.route("/", feedRoutes(new ConsoleFeed({ ...parts, api })));
  app.route("/", tokenRoutes(parts));
  app.route("/", auditRoutes(parts));
  app.route("/", sessionRoutes(parts, who));
  app.route("/", descriptionRoutes(app));
  app.notFound((c) => unanswered(c, app));
  app.onError((error, c) =>
    c.json({ error: `Cannot answer: need working storage: received ${error.message}` }, 500)
  );
  return app;
}

/** What nodes and operators work with. */
function apiRoutes(parts: ControlParts): Hono {
  const api = new Hono();
  api.route("/", purgeRoutes(parts));
  api.route("/", nodeRoutes(parts));
  api.route("/", fleetRoutes(parts));
  api.route("/", topologyRoutes(parts));
  api.route("/", routeRoutes(parts));
  return api;
}

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** A path that there is not, or not for this method. */
function unanswered(c: Context, app: Hono): Response {
  const path = c.req.path.slice(0, 200);
  const allowed = methods.filter((method) =>
    app.router.match(method, c.req.path)[0].some(([[, route]]) =>
      operationOf(route.handler) !== undefined
    )
  );
  if (allowed.length === 0) {
    const error = `Cannot answer: need a path of the control API: received ${path}`;
    return c.json({ error }, 404);
  }
  const error = `Cannot answer: need ${allowed.join(" or ")} for ${path}: received ${c.req.method}`;
  return c.json({ error }, 405, { allow: allowed.join(", ") });
}
