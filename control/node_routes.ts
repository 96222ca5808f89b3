/**
 * The node API: register, heartbeat, leave, list, and what operators say of a node. Set-top boxes
 * register like nodes and are kept by the fleet.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import * as v from "valibot";
import {
  type NodeRecord,
  nodeRecordSchema,
  type NodeReport,
  nodeReportSchema,
  regionOfGroup,
} from "#topology";
import { callerOf, mayDo, noteDetail } from "./access/caller.ts";
import { readJson } from "./body.ts";
import {
  heartbeatNode,
  listNodes,
  nodeStatusSchema,
  registerNode,
  removeNode,
  setNodeStatus,
  showNode,
} from "./node_operations.ts";
import type { MemberView } from "./nodes.ts";
import type { ControlParts } from "./parts.ts";
import { problemOf } from "./problem.ts";

const maxBodyBytes = 16 * 1024;

/** Boxes report so many times a second together when all have something to say, such as a purge. */
const boxReportsPerSecond = 500;

/** Makes the routes under `/nodes`. */
export function nodeRoutes(parts: ControlParts): Hono {
  const { membership, fleet, nowMs } = parts;
  const app = new Hono();
  app.post("/nodes", registerNode, (c) => register(c, parts));
  app.post("/nodes/:id/heartbeat", heartbeatNode, (c) => heartbeat(c, parts, c.req.param("id")));
  app.put("/nodes/:id/status", setNodeStatus, (c) => setStatus(c, parts, c.req.param("id")));
  app.delete("/nodes/:id", removeNode, (c) => {
    const id = c.req.param("id");
    if (fleet.leave(id)) return c.body(null, 204);
    if (!speaksForNodes(c) || !membership.leave(id)) return unknownNode(c, id);
    parts.onEvent({ kind: "node", id, outcome: "left" });
    parts.refresh.changed();
    return c.body(null, 204);
  });
  app.get("/nodes", listNodes, (c) => {
    const now = nowMs();
    const views = membership.list().flatMap(({ record }) => membership.view(record.id, now) ?? []);
    return c.json({ nodes: views.map((view) => nodeView(parts, view, now)) });
  });
  app.get("/nodes/:id", showNode, (c) => {
    const id = c.req.param("id");
    const view = membership.view(id, nowMs());
    return view ? c.json(nodeView(parts, view, nowMs())) : unknownNode(c, id);
  });
  return app;
}

/** A node as the API shows it. */
function nodeView({ membership, snapshots, log }: ControlParts, view: MemberView, nowMs: number) {
  const { record, health, appliedSeq, figures, rates } = view;
  return {
    ...record,
    region: record.region ?? regionOfGroup(snapshots.declared, record.cacheGroup),
    state: membership.isLate(view, nowMs) ? "late" : "live",
    status: view.status,
    statusReason: view.statusReason,
    available: health.available,
    reason: health.reason,
    appliedSeq,
    seqLag: Math.max(0, log.lastSeq - appliedSeq),
    snapshot: view.snapshot,
    registeredMs: view.registeredMs,
    lastSeenMs: view.lastSeenMs,
    figures,
    rates,
  };
}

/**
 * Whether the caller may say something of edges, shields and headends. Whoever opens a set-top box has
 * its token: as a shield he would be asked for everything.
 */
function speaksForNodes(c: Context): boolean {
  return mayDo(callerOf(c), ["node"]);
}

async function register(c: Context, parts: ControlParts): Promise<Response> {
  const body = await readJson(c.req.raw, maxBodyBytes);
  if (body.kind === "refused") return c.json({ error: body.sentence }, body.status);
  const node = v.safeParse(nodeRecordSchema, body.value, { abortEarly: true });
  if (!node.success) return refuse(c, "register", node.issues[0]);
  const report = v.safeParse(nodeReportSchema, body.value, { abortEarly: true });
  if (!report.success) return refuse(c, "register", report.issues[0]);
  const record = node.output;
  if (record.role !== "stb" && !speaksForNodes(c)) {
    const error = `Cannot register: need scope node for role ${record.role}: received box`;
    return c.json({ error }, 403);
  }
  const outcome = record.role === "stb"
    ? takeBox(parts, record, report.output)
    : takeNode(parts, record, report.output);
  if (outcome === "name_taken") {
    const error = `Cannot register: need a name that no other live node has: received ${record.id}`;
    return c.json({ error }, 409);
  }
  if (outcome === "full") {
    return c.json({ error: "Cannot register: need room among the nodes: received one more" }, 503);
  }
  return c.json(beat(parts, record.role), outcome === "registered" ? 201 : 200);
}

function takeNode(parts: ControlParts, record: NodeRecord, report: NodeReport) {
  const { membership, fleet, nowMs } = parts;
  if (fleet.get(record.id)) return "name_taken";
  const outcome = membership.register(record, nowMs());
  if (outcome === "name_taken" || outcome === "full") return outcome;
  take(parts, record.id, report, { timed: outcome === "renewed" });
  parts.onEvent({ kind: "node", id: record.id, outcome });
  parts.refresh.changed();
  return outcome;
}

function takeBox(parts: ControlParts, record: NodeRecord, report: NodeReport) {
  const { id, region = "default", version, url } = record;
  if (parts.membership.get(id)) return "name_taken";
  return takeBoxReport(parts, { id, region, version, url }, report);
}

/** Takes the report of a box, however it came. */
export function takeBoxReport(
  parts: ControlParts,
  record: Parameters<ControlParts["fleet"]["report"]>[0],
  report: NodeReport,
) {
  const { fleet, progress, nowMs, steadyMs, onEvent } = parts;
  const before = fleet.get(record.id);
  const appliedSeq = believedSeq(parts, report);
  const outcome = fleet.report(record, { appliedSeq, figures: report.box }, nowMs());
  if (before !== undefined && outcome === "renewed" && before.appliedSeq < appliedSeq) {
    const times = progress.reported(record.id, before.appliedSeq, appliedSeq, steadyMs());
    for (const tookMs of times) onEvent({ kind: "applied", id: record.id, tookMs });
  }
  onEvent({ kind: "box", outcome });
  return outcome;
}

async function heartbeat(c: Context, parts: ControlParts, id: string): Promise<Response> {
  const body = await readJson(c.req.raw, maxBodyBytes);
  if (body.kind === "refused") return c.json({ error: body.sentence }, body.status);
  const report = v.safeParse(nodeReportSchema, body.value, { abortEarly: true });
  if (!report.success) return refuse(c, "take the heartbeat", report.issues[0]);
  const box = parts.fleet.get(id);
  if (box !== undefined) {
    takeBoxReport(parts, { ...box, version: report.output.version ?? box.version }, report.output);
    return c.json(beat(parts, "stb"));
  }
  const member = speaksForNodes(c) ? parts.membership.get(id) : undefined;
  if (member === undefined) return unknownNode(c, id);
  take(parts, id, report.output, { timed: true });
  return c.json(beat(parts, member.record.role));
}

/**
 * Notes what a node says of itself. Not `timed` for a node that has just come: how long purges took
 * that it never waited for says nothing.
 */
function take(
  parts: ControlParts,
  id: string,
  report: NodeReport,
  { timed }: { timed: boolean },
): void {
  const { membership, snapshots, nowMs, steadyMs, onEvent } = parts;
  const before = membership.get(id);
  if (before === undefined) return;
  const appliedSeq = believedSeq(parts, report);
  const { snapshot, controlId, figures } = report;
  membership.heartbeat(id, { appliedSeq, snapshot, figures }, nowMs());
  if (timed) {
    const times = parts.progress.reported(id, before.appliedSeq, appliedSeq, steadyMs());
    for (const tookMs of times) onEvent({ kind: "applied", id, tookMs });
  }
  if (controlId === snapshots.current.controlId && snapshots.raiseAbove(snapshot, nowMs())) {
    onEvent({ kind: "snapshot", number: snapshots.current.number });
  }
}

/** Numbers of another log, or of what this one lost, say nothing of this one. */
function believedSeq({ log }: ControlParts, { appliedSeq, logId }: NodeReport): number {
  const known = (logId === undefined || logId === log.logId) &&
    (appliedSeq <= log.lastSeq || log.copies);
  return known ? appliedSeq : 0;
}

async function setStatus(c: Context, parts: ControlParts, id: string): Promise<Response> {
  const { membership, nowMs } = parts;
  const body = await readJson(c.req.raw, maxBodyBytes);
  if (body.kind === "refused") return c.json({ error: body.sentence }, body.status);
  const parsed = v.safeParse(nodeStatusSchema, body.value, { abortEarly: true });
  if (!parsed.success) return refuse(c, "set the status", parsed.issues[0]);
  if (membership.get(id) === undefined) return unknownNode(c, id);
  const { status, reason } = parsed.output;
  noteDetail(c, `${id}: ${status} ${reason}`);
  membership.setStatus(id, { status, statusReason: reason }, nowMs());
  parts.onEvent({ kind: "status", id, status, reason });
  parts.refresh.changed();
  const view = membership.view(id, nowMs());
  return view ? c.json(nodeView(parts, view, nowMs())) : unknownNode(c, id);
}

/** What a node learns at each contact: numbers, how often to report, and whom to leave alone. */
function beat(parts: ControlParts, role: NodeRecord["role"]) {
  const { log, snapshots, membership, fleet, nowMs } = parts;
  const { controlId, number } = snapshots.current;
  const numbers = { controlId, snapshot: number, purgeSeq: log.lastSeq };
  const nextHops = role === "stb" ? "edge" : "shield";
  const unavailable = membership.unavailable(nextHops, nowMs());
  if (role !== "stb") return { ...numbers, unavailable, reportMs: membership.reportMs };
  const spreadMs = Math.ceil(fleet.size * 1000 / boxReportsPerSecond);
  return { ...numbers, unavailable, reportMs: fleet.reportMs, spreadMs };
}

function unknownNode(c: Context, id: string): Response {
  const error = `Cannot find the node: need one that is registered: received ${id.slice(0, 64)}`;
  return c.json({ error }, 404);
}

function refuse(c: Context, action: string, issue: v.BaseIssue<unknown>): Response {
  return c.json({ error: `Cannot ${action}: ${problemOf(issue)}` }, 400);
}
