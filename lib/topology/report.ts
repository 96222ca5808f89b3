/**
 * What a node says of itself at each heartbeat: the figures of the health protocol. Counts run from
 * the start of the process, so that a lost heartbeat loses nothing.
 *
 * @module
 */

import * as v from "valibot";
import { name, text, whole } from "./fields.ts";

/** Bytes by name of the road they took, for example `hit`, `shield`, `satellite`. */
export const bytesByRoadSchema = v.pipe(
  v.record(name, whole),
  v.check((roads) => Object.keys(roads).length <= 8, "at most 8 roads"),
);

/** Counts by name of a limit. */
const refusalsSchema = v.pipe(
  v.record(name, whole),
  v.check((limits) => Object.keys(limits).length <= 32, "at most 32 limits"),
);

/** The schema of {@link NodeFigures}. */
export const nodeFiguresSchema = v.object({
  /** Since the process started; a smaller one than before means that counts start over. */
  uptimeSeconds: v.pipe(v.number(), v.minValue(0, "0 or more")),
  /** Share of one processor that the process took lately; above 1 with several threads. */
  load: v.pipe(v.number(), v.minValue(0, "0 or more"), v.maxValue(1024, "at most 1024")),
  /** Client connections open now. */
  connections: whole,
  requests: whole,
  /** Of these, answered with 5xx. */
  errors: whole,
  hits: whole,
  misses: whole,
  /** Body bytes that came from the next hop. */
  fetchedBytes: v.optional(whole, 0),
  /** Body bytes handed to clients, by where they came from. */
  bytesByRoad: v.optional(bytesByRoadSchema, {}),
  /** Requests refused with 429, by the limit that they came under. */
  refusals: v.optional(refusalsSchema),
});

/** The figures of one node. */
export type NodeFigures = v.InferOutput<typeof nodeFiguresSchema>;

/** The schema of {@link BoxFigures}. */
export const boxFiguresSchema = v.object({
  uptimeSeconds: v.pipe(v.number(), v.minValue(0, "0 or more")),
  /** Multicast packets that were due, and those that never came. */
  packetsExpected: whole,
  packetsLost: whole,
  /** Requests to the edge for what was lost, and the bytes they brought. */
  repairRequests: whole,
  repairBytes: whole,
  /** Object bytes that came into the home. */
  bytesByRoad: v.optional(bytesByRoadSchema, {}),
});

/** The figures of a set-top box: reception, never what was watched. */
export type BoxFigures = v.InferOutput<typeof boxFiguresSchema>;

const word = v.pipe(v.string(), v.maxLength(64, "at most 64 characters"));

/** The schema of {@link NodeReport}. */
export const nodeReportSchema = v.object({
  appliedSeq: v.optional(whole, 0),
  /** The log that `appliedSeq` belongs to. */
  logId: v.optional(word),
  /** Number of the topology snapshot that the node holds; 0 for none. */
  snapshot: v.optional(whole, 0),
  /** The control that the snapshot came from. */
  controlId: v.optional(word),
  version: v.optional(text),
  figures: v.optional(nodeFiguresSchema),
  box: v.optional(boxFiguresSchema),
});

/** A heartbeat. */
export type NodeReport = v.InferOutput<typeof nodeReportSchema>;

/** A report that somebody else, such as a gateway, sends for a set-top box. */
export const boxReportSchema = v.object({
  id: name,
  region: v.optional(name, "default"),
  version: text,
  appliedSeq: v.optional(whole, 0),
  logId: v.optional(word),
  snapshot: v.optional(whole, 0),
  box: v.optional(boxFiguresSchema),
});
