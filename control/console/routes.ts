/**
 * The console's pages, which everybody may load, and its feed, which needs the scope `read`.
 *
 * @module
 */

import { Hono } from "hono";
import { type ReadFile, serveFile } from "#program";
import { isStillKnown } from "../access/caller.ts";
import { refusalSchema } from "../api/openapi.ts";
import { operation } from "../api/operation.ts";
import { type ConsoleFeed, maxViewers } from "./feed.ts";

/** The pages load nothing from elsewhere and stand in nobody's frame. */
const policy = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
  "object-src 'none'";

/** Makes the routes of the pages; they come before the guard. */
export function pageRoutes(read: ReadFile): Hono {
  const app = new Hono();
  app.use("/console/*", async (c, next) => {
    await next();
    if (c.req.path.startsWith("/console/session") || c.req.path === "/console/events") return;
    c.header("content-security-policy", policy);
    c.header("x-frame-options", "DENY");
    c.header("referrer-policy", "no-referrer");
  });
  app.get("/", (c) => c.redirect("/console/", 302));
  app.get("/console", (c) => c.redirect("/console/", 302));
  app.get("/reference", (c) => c.redirect("/console/reference.html", 302));
  app.get("/console/", () => serveFile("", read));
  app.get(
    "/console/:file{[a-z_]+\\.(html|css|js|svg)}",
    (c) => serveFile(c.req.param("file"), read),
  );
  return app;
}

const watchConsole = operation({
  id: "watchConsole",
  tag: "session",
  summary: "Follow what the console shows, as server-sent events",
  description: "Events: `history` (running totals of the last minutes) once, then `nodes`, " +
    "`topology`, `purges`, `fleet` with the answer of the route of that name whenever it is another, " +
    "and `beat` every two seconds without any. It ends after ten minutes; come again.",
  scopes: ["read"],
  answers: {
    200: { text: "The events.", type: "text/event-stream" },
    503: { text: "Too many watch.", schema: refusalSchema },
  },
});

/** Makes `GET /console/events`. */
export function feedRoutes(feed: ConsoleFeed): Hono {
  const app = new Hono();
  app.get("/console/events", watchConsole, (c) => {
    const stream = feed.open(() => isStillKnown(c));
    if (stream === undefined) {
      const error = `Cannot watch: need at most ${maxViewers} viewers: received one more`;
      return c.json({ error }, 503, { "retry-after": "10" });
    }
    return c.body(stream, 200, {
      "content-type": "text/event-stream",
      "cache-control": "no-store, no-transform",
    });
  });
  return app;
}
