/**
 * The fleet API: reports of set-top boxes, one or many in a body, and how each region is.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import * as v from "valibot";
import { readJson } from "./body.ts";
import { fleetReportsSchema, listBoxes, reportBoxes, showFleet } from "./fleet_operations.ts";
import { takeBoxReport } from "./node_routes.ts";
import type { ControlParts } from "./parts.ts";
import { problemOf } from "./problem.ts";

const maxBodyBytes = 1 << 20;
const mostListed = 500;

/** Makes `GET /fleet`, `GET /fleet/boxes` and `POST /fleet/reports`. */
export function fleetRoutes(parts: ControlParts): Hono {
  const { fleet, log, nowMs } = parts;
  const app = new Hono();
  app.get("/fleet", showFleet, (c) => {
    const regions = fleet.regions(log.lastSeq, nowMs());
    const late = regions.reduce((sum, region) => sum + region.late, 0);
    const reportSeconds = fleet.reportMs / 1000;
    return c.json({ boxes: fleet.size, late, reportSeconds, purgeSeq: log.lastSeq, regions });
  });
  app.get("/fleet/boxes", listBoxes, (c) => {
    const { region, after = "" } = c.req.query();
    const now = nowMs();
    const boxes = [...fleet.boxes()]
      .filter((box) => box.id > after && (region === undefined || box.region === region))
      .sort((a, b) => a.id < b.id ? -1 : 1)
      .slice(0, mostListed)
      .map(({ id, region, version, appliedSeq, lastSeenMs, figures }) => {
        const late = fleet.isLate({ id, region, version, appliedSeq, lastSeenMs }, now);
        return { id, region, version, appliedSeq, lastSeenMs, late, figures };
      });
    const next = boxes.length === mostListed ? boxes.at(-1)?.id : undefined;
    return c.json({ boxes, next });
  });
  app.post("/fleet/reports", reportBoxes, (c) => takeReports(c, parts));
  return app;
}

async function takeReports(c: Context, parts: ControlParts): Promise<Response> {
  const body = await readJson(c.req.raw, maxBodyBytes);
  if (body.kind === "refused") return c.json({ error: body.sentence }, body.status);
  const parsed = v.safeParse(fleetReportsSchema, body.value, { abortEarly: true });
  if (!parsed.success) {
    return c.json({ error: `Cannot take the reports: ${problemOf(parsed.issues[0])}` }, 400);
  }
  let taken = 0;
  for (const report of parsed.output.reports) {
    const { id, region, version } = report;
    if (parts.membership.get(id) !== undefined) continue; // that name is a node's
    const outcome = takeBoxReport(parts, { id, region, version }, report);
    if (outcome === "registered" || outcome === "renewed") taken++;
  }
  const refused = parsed.output.reports.length - taken;
  const { log, fleet } = parts;
  return c.json({ taken, refused, purgeSeq: log.lastSeq, reportMs: fleet.reportMs });
}
