/**
 * The node API: register, heartbeat, leave, list.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import * as v from "valibot";
import { nodeRecordSchema } from "#topology";
import { noteDetail } from "./access/caller.ts";
import { readJson } from "./body.ts";
import {
  heartbeatNode,
  listNodes,
  registerNode,
  removeNode,
  reportSchema,
} from "./node_operations.ts";
import type { Member } from "./nodes.ts";
import type { ControlParts } from "./parts.ts";
import { problemOf } from "./problem.ts";

const maxBodyBytes = 16 * 1024;

/** Makes the routes under `/nodes`. */
export function nodeRoutes(parts: ControlParts): Hono {
  const { membership, nowMs } = parts;
  const app = new Hono();
  app.post("/nodes", registerNode, (c) => register(c, parts));
  app.post("/nodes/:id/heartbeat", heartbeatNode, (c) => heartbeat(c, parts, c.req.param("id")));
  app.delete("/nodes/:id", removeNode, (c) => {
    const id = c.req.param("id");
    if (!membership.leave(id)) return unknownNode(c, id);
    parts.onEvent({ kind: "node", id, outcome: "left" });
    parts.refresh.changed();
    return c.body(null, 204);
  });
  app.get("/nodes", listNodes, (c) => {
    const view = ({ record, appliedSeq, snapshot, lastSeenMs }: Member, late: boolean) => {
      return { ...record, state: late ? "late" : "live", appliedSeq, snapshot, lastSeenMs };
    };
    const now = nowMs();
    return c.json({ nodes: membership.list().map((m) => view(m, membership.isLate(m, now))) });
  });
  return app;
}

async function register(c: Context, parts: ControlParts): Promise<Response> {
  const { membership, nowMs } = parts;
  const body = await readJson(c.req.raw, maxBodyBytes);
  if (body.kind === "refused") return c.json({ error: body.sentence }, body.status);
  const node = v.safeParse(nodeRecordSchema, body.value, { abortEarly: true });
  if (!node.success) return refuse(c, "register", node.issues[0]);
  const report = v.safeParse(reportSchema, body.value, { abortEarly: true });
  if (!report.success) return refuse(c, "register", report.issues[0]);
  const record = node.output;
  noteDetail(c, `${record.id}: ${record.role} at ${record.url}`);
  const outcome = membership.register(record, nowMs());
  if (outcome === "name_taken") {
    const error = `Cannot register: need a name that no other live node has: received ${record.id}`;
    return c.json({ error }, 409);
  }
  if (outcome === "full") {
    return c.json({ error: "Cannot register: need room among the nodes: received one more" }, 503);
  }
  take(parts, record.id, report.output, { timed: outcome === "renewed" });
  parts.onEvent({ kind: "node", id: record.id, outcome });
  parts.refresh.changed();
  return c.json(beat(parts), outcome === "registered" ? 201 : 200);
}

async function heartbeat(c: Context, parts: ControlParts, id: string): Promise<Response> {
  const body = await readJson(c.req.raw, maxBodyBytes);
  if (body.kind === "refused") return c.json({ error: body.sentence }, body.status);
  const report = v.safeParse(reportSchema, body.value, { abortEarly: true });
  if (!report.success) return refuse(c, "take the heartbeat", report.issues[0]);
  return take(parts, id, report.output, { timed: true }) ? c.json(beat(parts)) : unknownNode(c, id);
}

/**
 * Notes what a node says of itself; false when it is no member. Not `timed` for a node that has just
 * come: how long purges took that it never waited for says nothing.
 */
function take(
  parts: ControlParts,
  id: string,
  { appliedSeq: said, logId, snapshot, controlId }: v.InferOutput<typeof reportSchema>,
  { timed }: { timed: boolean },
): boolean {
  const { log, membership, snapshots, nowMs, steadyMs, onEvent } = parts;
  const before = membership.get(id);
  if (before === undefined) return false;
  // Numbers of another log, or of what this one lost, say nothing of this one.
  const known = (logId === undefined || logId === log.logId) && said <= log.lastSeq;
  const appliedSeq = known ? said : 0;
  membership.heartbeat(id, { appliedSeq, snapshot }, nowMs());
  if (timed) {
    const times = parts.progress.reported(id, before.appliedSeq, appliedSeq, steadyMs());
    for (const tookMs of times) onEvent({ kind: "applied", id, tookMs });
  }
  if (controlId === log.logId && snapshots.raiseAbove(snapshot, nowMs())) {
    onEvent({ kind: "snapshot", number: snapshots.current.number });
  }
  return true;
}

/** What a node learns at each contact. */
function beat({ log, snapshots }: ControlParts) {
  const { controlId, number } = snapshots.current;
  return { controlId, snapshot: number, purgeSeq: log.lastSeq };
}

function unknownNode(c: Context, id: string): Response {
  const error = `Cannot find the node: need one that is registered: received ${id.slice(0, 64)}`;
  return c.json({ error }, 404);
}

function refuse(c: Context, action: string, issue: v.BaseIssue<unknown>): Response {
  return c.json({ error: `Cannot ${action}: ${problemOf(issue)}` }, 400);
}
