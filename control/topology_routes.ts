/**
 * The topology API: the snapshot that nodes hold, and what operators declare.
 *
 * @module
 */

import { Hono } from "hono";
import * as v from "valibot";
import { declaredTopologySchema, topologySnapshotSchema } from "#topology";
import { operation } from "./api/operation.ts";
import { whole } from "./api/shapes.ts";
import { readJson } from "./body.ts";
import { readDeclared } from "./declared_topology.ts";
import type { ControlParts } from "./parts.ts";

const maxBodyBytes = 1 << 20;

const showTopology = operation({
  id: "showTopology",
  tag: "topology",
  summary: "Get the newest snapshot",
  scopes: ["read", "node"],
  answers: {
    200: { text: "The snapshot.", schema: v.pipe(topologySnapshotSchema, v.title("Snapshot")) },
  },
});

const declaredSchema = v.pipe(declaredTopologySchema, v.title("DeclaredTopology"));

const showDeclared = operation({
  id: "showDeclaredTopology",
  tag: "topology",
  summary: "Get what operators declared",
  scopes: ["read"],
  answers: { 200: { text: "The declaration.", schema: declaredSchema } },
});

const declareTopology = operation({
  id: "declareTopology",
  tag: "topology",
  summary: "Replace what is declared",
  scopes: ["admin"],
  body: declaredSchema,
  answers: {
    200: {
      text: "The number of the newest snapshot.",
      schema: v.pipe(v.strictObject({ snapshot: whole }), v.title("Declared")),
    },
  },
});

/** Makes `GET /topology` and `GET|PUT /topology/declared`. */
export function topologyRoutes(parts: ControlParts): Hono {
  const { membership, snapshots, nowMs } = parts;
  const app = new Hono();
  app.get("/topology", showTopology, (c) => c.json(snapshots.current));
  app.get("/topology/declared", showDeclared, (c) => c.json(snapshots.declared));
  app.put("/topology/declared", declareTopology, async (c) => {
    const body = await readJson(c.req.raw, maxBodyBytes);
    if (body.kind === "refused") return c.json({ error: body.sentence }, body.status);
    const reading = readDeclared(body.value);
    if (reading.kind === "refused") return c.json({ error: reading.sentence }, 400);
    const nodes = membership.list().map(({ record }) => record);
    if (snapshots.declare(reading.declared, nodes, nowMs())) {
      parts.onEvent({ kind: "snapshot", number: snapshots.current.number });
    }
    return c.json({ snapshot: snapshots.current.number });
  });
  return app;
}
