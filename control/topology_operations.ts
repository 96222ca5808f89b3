/**
 * What the topology API says of itself.
 *
 * @module
 */

import * as v from "valibot";
import { carouselSchema, declaredTopologySchema, topologySnapshotSchema } from "#topology";
import { refusalSchema } from "./api/openapi.ts";
import { operation } from "./api/operation.ts";
import { timeMs, whole } from "./api/shapes.ts";

const snapshotSchema = v.pipe(topologySnapshotSchema, v.title("Snapshot"));
const declaredSchema = v.pipe(declaredTopologySchema, v.title("DeclaredTopology"));
const carousel = v.pipe(
  v.strictObject({ files: carouselSchema.wrapped }),
  v.title("Carousel"),
);
const number = { number: { text: "Number of a snapshot.", schema: whole } };

/** What `POST /topology/rollback` takes. */
export const rollbackSchema = v.pipe(
  v.strictObject({ to: v.pipe(v.number(), v.safeInteger(), v.minValue(1)) }),
  v.title("Rollback"),
);

const changesSchema = v.array(
  v.pipe(
    v.strictObject({
      change: v.picklist(["added", "removed", "changed"]),
      path: v.string(),
      before: v.optional(v.unknown()),
      after: v.optional(v.unknown()),
    }),
    v.title("Change"),
  ),
);

const editAnswers = {
  200: {
    text: "The number of the snapshot that has it, also as ETag.",
    schema: v.pipe(v.strictObject({ snapshot: whole }), v.title("Declared")),
  },
  412: { text: "Somebody has changed it since the number in If-Match.", schema: refusalSchema },
};

const editing = "With If-Match and the ETag that was read, it holds only when nobody has edited " +
  "since; nodes that came or went are in nobody's way.";

/** `GET /topology`. */
export const showTopology = operation({
  id: "showTopology",
  tag: "topology",
  summary: "Get the newest snapshot",
  scopes: ["read", "node", "box"],
  answers: { 200: { text: "The snapshot.", schema: snapshotSchema } },
});

/** `GET /topology/declared`. */
export const showDeclared = operation({
  id: "showDeclaredTopology",
  tag: "topology",
  summary: "Get what operators declared",
  scopes: ["read"],
  answers: { 200: { text: "The declaration.", schema: declaredSchema } },
});

/** `PUT /topology/declared`. */
export const declareTopology = operation({
  id: "declareTopology",
  tag: "topology",
  summary: "Replace what is declared",
  description: `JSON, or YAML as application/yaml. ${editing}`,
  scopes: ["admin"],
  body: declaredSchema,
  answers: editAnswers,
});

/** `POST /topology/check`. */
export const checkTopology = operation({
  id: "checkTopology",
  tag: "topology",
  summary: "Check a declaration and say what it would change",
  scopes: ["read"],
  body: declaredSchema,
  answers: {
    200: {
      text: "The changes.",
      schema: v.pipe(v.strictObject({ changes: changesSchema }), v.title("Check")),
    },
  },
  audited: false,
});

/** `GET /topology/snapshots`. */
export const listSnapshots = operation({
  id: "listSnapshots",
  tag: "topology",
  summary: "List the snapshots that are kept, newest first",
  scopes: ["read"],
  answers: {
    200: {
      text: "The last hundred, and the last hundred that operators made.",
      schema: v.pipe(
        v.strictObject({
          snapshots: v.array(
            v.strictObject({ number: whole, issuedMs: timeMs, declared: v.boolean() }),
          ),
        }),
        v.title("SnapshotList"),
      ),
    },
  },
});

/** `GET /topology/snapshots/{number}`. */
export const showSnapshot = operation({
  id: "showSnapshot",
  tag: "topology",
  summary: "Get an older snapshot",
  scopes: ["read"],
  path: number,
  answers: {
    200: { text: "The snapshot.", schema: snapshotSchema },
    404: { text: "It is not kept.", schema: refusalSchema },
  },
});

/** `GET /topology/snapshots/{number}/diff`. */
export const diffSnapshots = operation({
  id: "diffSnapshots",
  tag: "topology",
  summary: "List what changed from one snapshot to another, by field",
  scopes: ["read"],
  path: number,
  query: { to: { text: "Number of the other snapshot.", schema: whole, required: true } },
  answers: {
    200: {
      text: "The changes, at most 10000.",
      schema: v.pipe(
        v.strictObject({ from: whole, to: whole, changes: changesSchema }),
        v.title("Diff"),
      ),
    },
    400: { text: "The other number is missing.", schema: refusalSchema },
    404: { text: "One of them is not kept.", schema: refusalSchema },
  },
});

/** `POST /topology/rollback`. */
export const rollbackTopology = operation({
  id: "rollbackTopology",
  tag: "topology",
  summary: "Declare again what was declared at an older number",
  description: `It gets a new number; the nodes stay those of today. ${editing}`,
  scopes: ["admin"],
  body: rollbackSchema,
  answers: {
    ...editAnswers,
    404: { text: "That number is not kept.", schema: refusalSchema },
  },
});

/** `GET /carousel`. */
export const showCarousel = operation({
  id: "showCarousel",
  tag: "carousel",
  summary: "Get the files that headends repeat",
  scopes: ["read", "node"],
  answers: { 200: { text: "The plan.", schema: carousel } },
});

/** `PUT /carousel`. */
export const planCarousel = operation({
  id: "planCarousel",
  tag: "carousel",
  summary: "Replace the files that headends repeat",
  description: `They reach headends with the next snapshot. ${editing}`,
  scopes: ["admin"],
  body: carousel,
  answers: editAnswers,
});
