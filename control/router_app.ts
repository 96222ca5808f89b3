/**
 * The router's answers: 307 to an edge, or where that is as JSON. Everybody may ask; it sends nobody
 * anywhere but to an edge of the topology.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import * as v from "valibot";
import type { ExchangeEnv } from "#http1";
import { refusalSchema } from "./api/openapi.ts";
import { operation } from "./api/operation.ts";
import { TrustedProxies } from "./client_address.ts";
import type { ControlParts } from "./parts.ts";
import { type Route, Router, splitQuery } from "./router.ts";

/** When a client should ask again that found no edge, in seconds. */
const retryAfterSeconds = 5;

const routeSchema = v.pipe(
  v.strictObject({
    location: v.string(),
    edge: v.string(),
    region: v.optional(v.string()),
    edgeRegion: v.optional(v.string()),
    service: v.optional(v.string()),
  }),
  v.title("Route"),
);

const routeClient = operation({
  id: "routeClient",
  tag: "routing",
  summary: "Find the edge that a client should use for a path",
  description:
    "The path to be found follows /route. The region is that of the parameter, else of " +
    "the caller's network. Clients use the listener of --router, which needs no token.",
  scopes: ["read"],
  query: {
    region: { text: "Region of the client.", schema: v.pipe(v.string(), v.minLength(1)) },
    format: { text: "json: the answer is a document, not a redirect.", schema: v.string() },
  },
  answers: {
    200: { text: "Where, with format=json.", schema: routeSchema },
    307: { text: "Where, as Location." },
    400: { text: "No path, or no region of the topology.", schema: refusalSchema },
    404: { text: "The path belongs to no delivery service.", schema: refusalSchema },
    503: { text: "No edge is available.", schema: refusalSchema },
  },
});

/** What the front knows of a request; absent in process. */
type FrontEnv = Partial<Pick<ExchangeEnv, "head" | "remote">> | undefined;

/** Makes `GET /route/PATH` of the control API. */
export function routeRoutes(parts: ControlParts): Hono {
  const router = new Router();
  const app = new Hono();
  const none = new TrustedProxies([]);
  app.get("/route/*", routeClient, (c) => {
    return answer(c, parts, { router, proxies: none, skip: "/route".length });
  });
  return app;
}

/** Makes what `--router` serves: every path is to be found. */
export function routerApp(parts: ControlParts, proxies = new TrustedProxies([])): Hono {
  const router = new Router();
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    // Players in pages of other origins follow the redirect.
    c.header("access-control-allow-origin", "*");
    c.header("cache-control", "no-store");
  });
  app.get("*", (c) => answer(c, parts, { router, proxies, skip: 0 }));
  app.all("*", (c) => {
    const error = `Cannot route: need GET or HEAD: received ${c.req.method.slice(0, 16)}`;
    return c.json({ error }, 405, { allow: "GET, HEAD" });
  });
  return app;
}

/** Who routes, whose word on the client counts, and what of the path is not the client's. */
interface Routing {
  readonly router: Router;
  readonly proxies: TrustedProxies;
  readonly skip: number;
}

function answer(c: Context, parts: ControlParts, { router, proxies, skip }: Routing): Response {
  const { membership, snapshots, nowMs } = parts;
  const { target, own } = asked(c, skip);
  const region = own.get("region") ?? undefined;
  const remote = (c.env as FrontEnv)?.remote?.hostname;
  const address = proxies.clientOf(remote, c.req.header("x-forwarded-for"));
  const unavailable = new Set(membership.unavailable("edge", nowMs()));
  const route = router.route({ target, region, address }, snapshots.current, unavailable);
  parts.onEvent({ kind: "routed", outcome: outcomeOf(route) });
  if (route.kind !== "edge") return refuse(c, route.kind, { target, region });
  const { kind: _, ...found } = route;
  return own.get("format") === "json" ? c.json(found) : c.redirect(route.location, 307);
}

/** What is asked, as it came: a `URL` would resolve dot segments its own way. */
function asked(c: Context, skip: number): { target: string; own: URLSearchParams } {
  const raw = (c.env as FrontEnv)?.head?.target ?? withoutOrigin(c.req.url);
  const mark = raw.indexOf("?");
  const path = (mark === -1 ? raw : raw.slice(0, mark)).slice(skip);
  const { own, rest } = splitQuery(mark === -1 ? "" : raw.slice(mark + 1));
  return { target: rest === "" ? path : `${path}?${rest}`, own };
}

function withoutOrigin(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}

/** How a client was routed; the words are metric labels. */
export type RouteOutcome =
  | "own_region"
  | "other_region"
  | "no_region"
  | Exclude<Route["kind"], "edge">;

function outcomeOf(route: Route): RouteOutcome {
  if (route.kind !== "edge") return route.kind;
  if (route.region === undefined) return "no_region";
  return route.region === route.edgeRegion ? "own_region" : "other_region";
}

function refuse(
  c: Context,
  kind: Exclude<Route["kind"], "edge">,
  { target, region }: { target: string; region: string | undefined },
): Response {
  const received = target.slice(0, 100);
  switch (kind) {
    case "bad_target":
      return c.json({ error: `Cannot route: need a path: received ${received}` }, 400);
    case "unknown_region":
      return c.json({
        error: `Cannot route: need region to name one of the topology: received ${
          region?.slice(0, 64)
        }`,
      }, 400);
    case "no_service":
      return c.json({
        error: `Cannot route: need a path of a delivery service: received ${received}`,
      }, 404);
    case "no_edge":
      return c.json({ error: `Cannot route: need an edge that is available: received none` }, 503, {
        "retry-after": String(retryAfterSeconds),
      });
  }
}
