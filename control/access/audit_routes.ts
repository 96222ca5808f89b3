/**
 * `GET /audit`: who changed what.
 *
 * @module
 */

import { Hono } from "hono";
import * as v from "valibot";
import { refusalSchema } from "../api/openapi.ts";
import { operation } from "../api/operation.ts";
import { timeMs, whole, wholeText } from "../api/shapes.ts";
import type { AuditLog } from "./audit.ts";

/** Most rows of one answer. */
const maxRows = 1000;

const entrySchema = v.strictObject({
  id: whole,
  atMs: timeMs,
  who: v.pipe(v.string(), v.description("Name of the token")),
  action: v.string(),
  method: v.string(),
  path: v.string(),
  detail: v.string(),
  address: v.string(),
  status: whole,
});

const listSchema = v.pipe(
  v.strictObject({ entries: v.array(entrySchema) }),
  v.title("AuditEntries"),
);

const listAudit = operation({
  id: "listAudit",
  tag: "audit",
  summary: "List who changed what, oldest first",
  scopes: ["admin"],
  query: {
    after: { text: "Only entries after this id; without it, the newest.", schema: wholeText },
    limit: {
      text: "Most entries; 100 by default.",
      schema: v.pipe(v.string(), v.regex(/^([1-9]\d{0,2}|1000)$/)),
    },
  },
  answers: {
    200: { text: "The entries.", schema: listSchema },
    400: { text: "The query cannot be used.", schema: refusalSchema },
  },
});

/** Makes `GET /audit`. */
export function auditRoutes({ audit }: { audit: AuditLog }): Hono {
  const app = new Hono();
  app.get("/audit", listAudit, (c) => {
    const after = numberOf(c.req.query("after"));
    const limit = numberOf(c.req.query("limit") ?? "100");
    if (Number.isNaN(after)) {
      const error = `Cannot list: need after=ID: received ${c.req.query("after")?.slice(0, 64)}`;
      return c.json({ error }, 400);
    }
    if (limit === undefined || !(limit >= 1 && limit <= maxRows)) {
      const error = `Cannot list: need limit=1 to ${maxRows}: received ${
        c.req.query("limit")?.slice(0, 64)
      }`;
      return c.json({ error }, 400);
    }
    return c.json({ entries: audit.read(after, limit) });
  });
  return app;
}

/** Reads a number of the query: `NaN` when it is none. */
function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(value) ? value : NaN;
}
