/**
 * What the fleet API says of itself.
 *
 * @module
 */

import * as v from "valibot";
import { boxFiguresSchema, boxReportSchema } from "#topology";
import { operation } from "./api/operation.ts";
import { timeMs, whole } from "./api/shapes.ts";

/** What `POST /fleet/reports` takes: a gateway or a building's head end speaks for many boxes. */
export const fleetReportsSchema = v.pipe(
  v.object({ reports: v.pipe(v.array(boxReportSchema), v.minLength(1), v.maxLength(1000)) }),
  v.title("FleetReports"),
);

const bytesByRoad = v.record(v.string(), whole);

const regionSchema = v.pipe(
  v.strictObject({
    id: v.string(),
    boxes: whole,
    late: whole,
    versions: v.array(v.strictObject({ version: v.string(), boxes: whole })),
    packetsExpected: whole,
    packetsLost: whole,
    lossRatio: v.number(),
    lossy: whole,
    repairRequests: whole,
    repairBytes: whole,
    bytesByRoad,
    lowestSeq: whole,
    behind: whole,
  }),
  v.title("FleetRegion"),
);

/** `GET /fleet`. */
export const showFleet = operation({
  id: "showFleet",
  tag: "fleet",
  summary: "Get how the set-top boxes of each region are",
  scopes: ["read"],
  answers: {
    200: {
      text: "Counts of each region.",
      schema: v.pipe(
        v.strictObject({
          boxes: whole,
          late: whole,
          reportSeconds: v.number(),
          purgeSeq: whole,
          regions: v.array(regionSchema),
        }),
        v.title("Fleet"),
      ),
    },
  },
});

const boxSchema = v.pipe(
  v.strictObject({
    id: v.string(),
    region: v.string(),
    version: v.string(),
    appliedSeq: whole,
    lastSeenMs: timeMs,
    late: v.boolean(),
    figures: v.optional(boxFiguresSchema),
  }),
  v.title("Box"),
);

/** `GET /fleet/boxes`. */
export const listBoxes = operation({
  id: "listBoxes",
  tag: "fleet",
  summary: "List set-top boxes by name, 500 at a time",
  scopes: ["read"],
  query: {
    region: { text: "Only boxes of this region.", schema: v.string() },
    after: { text: "The name to begin after: `next` of the answer before.", schema: v.string() },
  },
  answers: {
    200: {
      text: "The boxes; `next` when there may be more.",
      schema: v.pipe(
        v.strictObject({ boxes: v.array(boxSchema), next: v.optional(v.string()) }),
        v.title("BoxList"),
      ),
    },
  },
});

/** `POST /fleet/reports`. */
export const reportBoxes = operation({
  id: "reportBoxes",
  tag: "fleet",
  summary: "Report for set-top boxes, which that registers too",
  scopes: ["node"],
  body: fleetReportsSchema,
  answers: {
    200: {
      text: "How many reports were taken; the rest found no room, or has a node's name.",
      schema: v.pipe(
        v.strictObject({ taken: whole, refused: whole, purgeSeq: whole, reportMs: v.number() }),
        v.title("FleetTaken"),
      ),
    },
  },
  audited: false,
});
