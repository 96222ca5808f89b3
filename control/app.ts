/**
 * The control API as one Hono app; `app.fetch(request)` answers anything.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import { auditRoutes } from "./access/audit_routes.ts";
import { accessGuard, type AccessOptions } from "./access/guard.ts";
import { sessionRoutes } from "./access/session_routes.ts";
import { tokenRoutes } from "./access/token_routes.ts";
import { descriptionRoutes } from "./api/description_routes.ts";
import { operationOf } from "./api/operation.ts";
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
  app.use(accessGuard(parts, who));
  app.route("/", purgeRoutes(parts));
  app.route("/", nodeRoutes(parts));
  app.route("/", fleetRoutes(parts));
  app.route("/", topologyRoutes(parts));
  app.route("/", routeRoutes(parts));
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
