/**
 * What the purge API says of itself.
 *
 * @module
 */

import * as v from "valibot";
import { purgeKinds, purgeOrderSchema } from "#purge";
import { nodeRoles } from "#topology";
import { refusalSchema } from "./api/openapi.ts";
import { operation } from "./api/operation.ts";
import { timeMs, whole, wholeText } from "./api/shapes.ts";

const order = {
  id: v.string(),
  seq: v.pipe(whole, v.description("Number of its last record")),
  kind: v.picklist(purgeKinds),
  values: v.array(v.string()),
  soft: v.boolean(),
  issuedMs: timeMs,
  issuer: v.string(),
};

const state = v.picklist(["in_progress", "completed"]);

const waiting = v.strictObject({
  id: v.string(),
  role: v.picklist(nodeRoles),
  appliedSeq: whole,
  lastSeenMs: timeMs,
  late: v.pipe(v.boolean(), v.description("It has been silent for longer than it should")),
  behindBy: v.pipe(whole, v.description("Numbers that it lacks until it has the purge")),
  why: v.pipe(
    v.picklist(["away", "behind", "unplaced"]),
    v.description(
      "away: silent since lastSeenMs; behind: heard, not there yet; unplaced: heard, but without a " +
        "place in this log: new, following another log, or refused",
    ),
  ),
});

const took = v.strictObject({ id: v.string(), role: v.picklist(nodeRoles), ms: v.number() });

const acceptedSchema = v.pipe(v.strictObject({ id: v.string(), seq: whole }), v.title("Accepted"));

const progressSchema = v.pipe(
  v.strictObject({
    ...order,
    state,
    nodes: v.strictObject({
      total: whole,
      applied: whole,
      waiting: v.array(waiting),
      took: v.array(took),
      tookMs: v.optional(v.strictObject({ p50: v.number(), p99: v.number(), max: v.number() })),
    }),
  }),
  v.title("PurgeProgress"),
);

const listSchema = v.pipe(
  v.strictObject({
    firstSeq: whole,
    lastSeq: whole,
    purges: v.array(
      v.strictObject({ ...order, state, nodes: v.strictObject({ total: whole, applied: whole }) }),
    ),
  }),
  v.title("PurgeList"),
);

const countSchema = v.pipe(
  v.strictObject({
    dryRun: v.literal(true),
    kind: v.picklist(purgeKinds),
    values: v.array(v.string()),
    soft: v.boolean(),
    objects: whole,
    bytes: whole,
    nodes: v.strictObject({
      total: whole,
      answered: whole,
      counts: v.array(v.strictObject({
        id: v.string(),
        role: v.picklist(nodeRoles),
        objects: whole,
        bytes: whole,
        examples: v.array(v.string()),
        complete: v.pipe(v.boolean(), v.description("It had time to look at every object")),
      })),
      unanswered: v.array(
        v.strictObject({ id: v.string(), role: v.picklist(nodeRoles), reason: v.string() }),
      ),
    }),
  }),
  v.title("PurgeCount"),
);

/** `POST /purges`. */
export const createPurge = operation({
  id: "createPurge",
  tag: "purges",
  summary: "Purge by URL, prefix, tag, or everything",
  description:
    "Answered once the record is on disk, or all in-sync replicas of Kafka have it; nodes " +
    "follow the log. With Idempotency-Key, asking again is answered with the purge that there is. With " +
    "dryRun nothing is purged: each cache counts what it would hit.",
  scopes: ["purge"],
  body: v.pipe(purgeOrderSchema, v.title("PurgeOrder")),
  answers: {
    200: { text: "A dry run: what would be hit.", schema: countSchema },
    202: { text: "It is in the log.", schema: acceptedSchema },
    422: { text: "The Idempotency-Key stands for another order.", schema: refusalSchema },
    503: {
      text: "The log cannot be written: all of the order or nothing was kept.",
      schema: refusalSchema,
    },
  },
});

/** `GET /purges`. */
export const listPurges = operation({
  id: "listPurges",
  tag: "purges",
  summary: "List the newest purges",
  scopes: ["read", "purge"],
  answers: { 200: { text: "The purges, newest first.", schema: listSchema } },
});

/** `GET /purges/{id}`. */
export const showPurge = operation({
  id: "showPurge",
  tag: "purges",
  summary: "Show which nodes have applied a purge, which have not, and how long each took",
  scopes: ["read", "purge"],
  answers: {
    200: { text: "Where it stands.", schema: progressSchema },
    404: { text: "No purge of the log has this id.", schema: refusalSchema },
  },
});

/** `GET /purges/{id}/events`. */
export const watchPurge = operation({
  id: "watchPurge",
  tag: "purges",
  summary: "Watch a purge go through the nodes, as server-sent events",
  description: "Events `progress` with the same data as GET /purges/{id}, and one `completed`.",
  scopes: ["read", "purge"],
  answers: {
    200: { text: "The events; ends when all nodes have it.", type: "text/event-stream" },
    404: { text: "No purge of the log has this id.", schema: refusalSchema },
    503: { text: "Too many watch already.", schema: refusalSchema },
  },
});

/** `GET /purges/stream`. */
export const followPurges = operation({
  id: "followPurges",
  tag: "purges",
  summary: "Follow the log itself, one JSON value a line",
  scopes: ["node", "read", "box"],
  query: {
    after: {
      text: "The last number that the caller has applied; 0 by default.",
      schema: wholeText,
    },
    log: { text: "The log that it belongs to.", schema: v.string() },
    last: { text: "The order of the record there, as the caller applied it.", schema: v.string() },
  },
  answers: {
    200: {
      text: "The head of the log, then its records, without end.",
      type: "application/x-ndjson",
    },
    400: { text: "The query cannot be used.", schema: refusalSchema },
    503: { text: "The log in Kafka was not heard yet.", schema: refusalSchema },
    410: {
      text: "The place is not in this log; the head of the log.",
      type: "application/x-ndjson",
    },
  },
});
