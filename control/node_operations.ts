/**
 * What the node API says of itself.
 *
 * @module
 */

import * as v from "valibot";
import { nodeRecordSchema } from "#topology";
import { refusalSchema } from "./api/openapi.ts";
import { operation } from "./api/operation.ts";
import { timeMs, whole } from "./api/shapes.ts";

/** What a node says of itself at each contact. */
export const reportSchema = v.object({
  appliedSeq: v.optional(whole, 0),
  /** The log that `appliedSeq` belongs to. */
  logId: v.optional(v.pipe(v.string(), v.maxLength(64))),
  /** Number of the topology snapshot that the node holds; 0 for none. */
  snapshot: v.optional(whole, 0),
  /** The control that the snapshot came from. */
  controlId: v.optional(v.pipe(v.string(), v.maxLength(64))),
});

const beatSchema = v.pipe(
  v.strictObject({ controlId: v.string(), snapshot: whole, purgeSeq: whole }),
  v.title("Beat"),
);

const listSchema = v.pipe(
  v.strictObject({
    nodes: v.array(
      v.strictObject({
        ...nodeRecordSchema.entries,
        state: v.picklist(["live", "late"]),
        appliedSeq: whole,
        snapshot: whole,
        lastSeenMs: timeMs,
      }),
    ),
  }),
  v.title("NodeList"),
);

/** `POST /nodes`. */
export const registerNode = operation({
  id: "registerNode",
  tag: "nodes",
  summary: "Register a node, or renew it",
  scopes: ["node"],
  body: v.pipe(
    v.object({ ...nodeRecordSchema.entries, ...reportSchema.entries }),
    v.title("Registration"),
  ),
  answers: {
    200: { text: "It was known already.", schema: beatSchema },
    201: { text: "It is a member now.", schema: beatSchema },
    409: { text: "Another live node has the name.", schema: refusalSchema },
    503: { text: "There is no room for one more.", schema: refusalSchema },
  },
});

/** `POST /nodes/{id}/heartbeat`. */
export const heartbeatNode = operation({
  id: "heartbeatNode",
  tag: "nodes",
  summary: "Give a sign of life",
  scopes: ["node"],
  body: v.pipe(reportSchema, v.title("NodeReport")),
  answers: {
    200: { text: "What control has.", schema: beatSchema },
    404: { text: "It has to register first.", schema: refusalSchema },
  },
  audited: false,
});

/** `DELETE /nodes/{id}`. */
export const removeNode = operation({
  id: "removeNode",
  tag: "nodes",
  summary: "Take a node out, as it does itself when it stops",
  scopes: ["node"],
  answers: {
    204: { text: "It is no member any more." },
    404: { text: "It was none.", schema: refusalSchema },
  },
});

/** `GET /nodes`. */
export const listNodes = operation({
  id: "listNodes",
  tag: "nodes",
  summary: "List the nodes and what each has said last",
  scopes: ["read"],
  answers: { 200: { text: "The nodes in order of id.", schema: listSchema } },
});
