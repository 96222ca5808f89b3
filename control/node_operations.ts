/**
 * What the node API says of itself.
 *
 * @module
 */

import * as v from "valibot";
import { nodeFiguresSchema, nodeRecordSchema, nodeReportSchema } from "#topology";
import { refusalSchema } from "./api/openapi.ts";
import { operation } from "./api/operation.ts";
import { timeMs, whole } from "./api/shapes.ts";
import { adminStatuses, healthReasons } from "./health.ts";

/** What `PUT /nodes/{id}/status` takes. */
export const nodeStatusSchema = v.pipe(
  v.strictObject({
    status: v.picklist(adminStatuses),
    reason: v.optional(v.pipe(v.string(), v.maxLength(256)), ""),
  }),
  v.title("NodeStatus"),
);

const beatSchema = v.pipe(
  v.strictObject({
    controlId: v.string(),
    snapshot: whole,
    purgeSeq: whole,
    /** Next hops that traffic should not go to. */
    unavailable: v.array(v.string()),
    /** How often this node should report. */
    reportMs: v.number(),
    /** The time over which reports that many boxes have to make at once are spread. */
    spreadMs: v.optional(v.number()),
  }),
  v.title("Beat"),
);

const nodeSchema = v.pipe(
  v.strictObject({
    ...nodeRecordSchema.entries,
    state: v.picklist(["live", "late"]),
    status: v.picklist(adminStatuses),
    statusReason: v.string(),
    available: v.boolean(),
    reason: v.optional(v.picklist(healthReasons)),
    appliedSeq: whole,
    seqLag: whole,
    snapshot: whole,
    registeredMs: timeMs,
    lastSeenMs: timeMs,
    figures: v.optional(nodeFiguresSchema),
    rates: v.optional(v.strictObject({
      requestsPerSecond: v.number(),
      bytesPerSecond: v.number(),
      errorRatio: v.optional(v.number()),
      hitRatio: v.optional(v.number()),
    })),
  }),
  v.title("Node"),
);

const listSchema = v.pipe(v.strictObject({ nodes: v.array(nodeSchema) }), v.title("NodeList"));

/** `POST /nodes`. */
export const registerNode = operation({
  id: "registerNode",
  tag: "nodes",
  summary: "Register a node, or renew it",
  description: "With scope box alone: a set-top box (role stb), and no other node's name.",
  scopes: ["node", "box"],
  body: v.pipe(
    v.object({ ...nodeReportSchema.entries, ...nodeRecordSchema.entries }),
    v.title("Registration"),
  ),
  answers: {
    200: { text: "It was known already.", schema: beatSchema },
    201: { text: "It is a member now.", schema: beatSchema },
    403: { text: "The caller may register set-top boxes only.", schema: refusalSchema },
    409: { text: "Another live node has the name.", schema: refusalSchema },
    503: { text: "There is no room for one more.", schema: refusalSchema },
  },
  audited: false,
});

/** `POST /nodes/{id}/heartbeat`. */
export const heartbeatNode = operation({
  id: "heartbeatNode",
  tag: "nodes",
  summary: "Give a sign of life",
  scopes: ["node", "box"],
  body: v.pipe(nodeReportSchema, v.title("NodeReport")),
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
  scopes: ["node", "box"],
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

/** `GET /nodes/{id}`. */
export const showNode = operation({
  id: "showNode",
  tag: "nodes",
  summary: "Get one node with its health and figures",
  scopes: ["read"],
  answers: {
    200: { text: "The node.", schema: nodeSchema },
    404: { text: "There is none.", schema: refusalSchema },
  },
});

/** `PUT /nodes/{id}/status`. */
export const setNodeStatus = operation({
  id: "setNodeStatus",
  tag: "nodes",
  summary: "Say whether traffic may go to a node",
  description: "ONLINE: always. REPORTED: as its health says. ADMIN_DOWN: drained, and still " +
    "watched. OFFLINE: out of the topology. It holds until it is set again.",
  scopes: ["admin"],
  body: nodeStatusSchema,
  answers: {
    200: { text: "The node as it is now.", schema: nodeSchema },
    404: { text: "There is none.", schema: refusalSchema },
  },
});
