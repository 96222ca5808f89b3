/**
 * The topology API: the snapshot that nodes hold, and what operators declare.
 *
 * @module
 */

import { Hono } from "hono";
import { readJson } from "./body.ts";
import { readDeclared } from "./declared_topology.ts";
import type { ControlParts } from "./parts.ts";

const maxBodyBytes = 1 << 20;

/** Makes `GET /topology` and `GET|PUT /topology/declared`. */
export function topologyRoutes(parts: ControlParts): Hono {
  const { membership, snapshots, nowMs } = parts;
  const app = new Hono();
  app.get("/topology", (c) => c.json(snapshots.current));
  app.get("/topology/declared", (c) => c.json(snapshots.declared));
  app.put("/topology/declared", async (c) => {
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
