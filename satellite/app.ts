/**
 * The headend's admin and status routes.
 *
 * @module
 */

import { Hono } from "hono";
import { configurationMediaType } from "#mabr";
import type { Headend } from "./headend.ts";

/** Makes the routes that are added to the admin app. */
export function headendApp(headend: Pick<Headend, "status" | "documents">): Hono {
  const app = new Hono();
  app.get("/status", (c) => c.json(headend.status, 200, { "cache-control": "no-store" }));
  app.get("/session.xml", () => document(headend.documents?.full));
  app.get("/bootstrap.xml", () => document(headend.documents?.bootstrap));
  return app;
}

function document(text: string | undefined): Response {
  const headers = { "content-type": configurationMediaType, "cache-control": "no-cache" };
  if (text !== undefined) return new Response(text, { headers });
  const error = "Cannot answer yet: need the service list from the origin";
  return Response.json({ error }, { status: 503, headers: { "retry-after": "1" } });
}
