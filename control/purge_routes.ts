/**
 * The purge API: order, progress, and the log itself.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import { maxOrderBytes, type PurgeLog, type PurgeOrder, type PurgeRecord, readOrder } from "#purge";
import { callerOf, mayDo, noteDetail } from "./access/caller.ts";
import { readJson } from "./body.ts";
import { followers } from "./followers.ts";
import type { ControlParts } from "./parts.ts";
import { createPurge, followPurges, listPurges, showPurge } from "./purge_operations.ts";
import { logHead, purgeStream } from "./purge_stream.ts";

/** How many records `GET /purges` looks back. */
const listedRecords = 500;

/** How long a follower who knows more than our copy of the log waits for it, in milliseconds. */
const copyWaitMs = 2000;

/** Makes `POST /purges`, `GET /purges`, `GET /purges/{id}` and `GET /purges/stream`. */
export function purgeRoutes(parts: ControlParts): Hono {
  const app = new Hono();
  app.post("/purges", createPurge, async (c) => {
    const body = await readJson(c.req.raw, maxOrderBytes);
    if (body.kind === "refused") return c.json({ error: body.sentence }, body.status);
    const reading = readOrder(body.value);
    if (reading.kind === "refused") return c.json({ error: reading.sentence }, 400);
    return await purge(c, parts, reading.order);
  });
  app.get("/purges", listPurges, (c) => c.json(listing(parts)));
  app.get("/purges/stream", followPurges, (c) => stream(c, parts));
  app.get("/purges/:id", showPurge, (c) => {
    const records = parts.log.order(c.req.param("id"));
    if (records.length === 0) {
      const error = `Cannot find the purge: need an id of the log: received ${
        c.req.param("id").slice(0, 64)
      }`;
      return c.json({ error }, 404);
    }
    return c.json(view(parts, records));
  });
  return app;
}

async function purge(c: Context, parts: ControlParts, order: PurgeOrder): Promise<Response> {
  const { kind, values, soft } = order;
  const id = randomUUID();
  const issuer = issuerOf(c);
  const mode = soft ? ", soft" : "";
  noteDetail(c, `${kind} ${values.slice(0, 3).join(" ")} (${values.length})${mode}`);
  const startedMs = parts.steadyMs();
  let records: readonly PurgeRecord[];
  try {
    records = await parts.log.append(values.map((value) => ({ id, kind, value, soft, issuer })));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    parts.onEvent({ kind: "purge_failed", reason });
    const sentence = `Cannot purge: need a log that can be written: received ${reason}`;
    return c.json({ error: sentence }, 503, { "retry-after": "1" });
  }
  const seq = records[records.length - 1].seq;
  parts.progress.issued(seq, startedMs);
  parts.onEvent({ kind: "purged", id, purge: kind, soft, records: records.length, seq, issuer });
  return c.json({ id, seq }, 202, { location: `/purges/${id}` });
}

/** Who asked: the node that forwarded it, in its own words, or the name of the caller's token. */
function issuerOf(c: Context): string {
  const named = c.req.header("purge-issuer") ?? "";
  const caller = callerOf(c);
  if (mayDo(caller, ["node"]) && /^[A-Za-z0-9._:@-]{1,64}$/.test(named)) return named;
  return caller.road === "token" || caller.road === "session" ? caller.name : "api";
}

/** What was ordered, as the API shows it. */
function orderView(records: readonly PurgeRecord[]) {
  const { seq } = records[records.length - 1];
  const { id, kind, soft, issuedMs, issuer } = records[0];
  const values = kind === "all" ? [] : records.map(({ value }) => value);
  return { id, seq, kind, values, soft, issuedMs, issuer };
}

function view(parts: ControlParts, records: readonly PurgeRecord[]) {
  const order = orderView(records);
  return { ...order, ...parts.progress.of(order.seq, followers(parts, parts.nowMs())) };
}

function listing(parts: ControlParts) {
  const { log, nowMs } = parts;
  const { firstSeq, lastSeq } = log;
  const orders = new Map<string, PurgeRecord[]>();
  for (const record of log.newest(listedRecords)) {
    const order = orders.get(record.id);
    if (order) order.unshift(record);
    else orders.set(record.id, [record]);
  }
  const seqs = followers(parts, nowMs()).map(({ appliedSeq }) => appliedSeq).sort((a, b) => a - b);
  const purges = [...orders.values()].map((records) => {
    const order = orderView(records);
    const waiting = seqs.findIndex((seq) => seq >= order.seq);
    const applied = waiting === -1 ? 0 : seqs.length - waiting;
    const state = applied === seqs.length ? "completed" : "in_progress";
    return { ...order, state, nodes: { total: seqs.length, applied } };
  });
  return { firstSeq, lastSeq, purges };
}

async function stream(c: Context, parts: ControlParts): Promise<Response> {
  const { log, draining, streamTimes, onEvent } = parts;
  const text = c.req.query("after") ?? "0";
  const after = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(after)) {
    const error = `Cannot stream purges: need after=SEQ: received ${text.slice(0, 64)}`;
    return c.json({ error }, 400);
  }
  if (log.logId === "") {
    const error = "Cannot stream purges: need the log, which was not heard yet";
    return c.json({ error }, 503, { "retry-after": "1" });
  }
  if (log.copies && after > log.lastSeq) await reach(log, after);
  const logId = c.req.query("log");
  const elsewhere = (logId !== undefined && logId !== log.logId) ||
    isAnother(log, after, c.req.query("last"));
  let skipped = false;
  try {
    // Who is ahead has applied numbers that this log lost: they must not be given out again. Who has
    // as many of another log fills under a number that must not count as the newest of this one.
    const ahead = elsewhere ? after >= log.lastSeq : after > log.lastSeq;
    skipped = ahead && await log.skipTo(after + 1);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return c.json({ error: error.message }, 400);
  }
  if (skipped || elsewhere || after < log.firstSeq - 1) {
    onEvent({ kind: "no_such_place", after, skipped });
    const error = `Cannot stream purges: need a place of this log: received ${after}`;
    return lines(410, `${JSON.stringify({ error, ...logHead(log) })}\n`);
  }
  onEvent({ kind: "stream_opened", after });
  const onEnd = (end: Parameters<Parameters<typeof purgeStream>[3]["onEnd"]>[0]) =>
    onEvent({ kind: "stream_ended", end });
  return lines(200, purgeStream(log, after, streamTimes, { signal: draining, onEnd }));
}

/** Waits a while for a copy to know as much as somebody who reads the original. */
async function reach(log: PurgeLog, seq: number): Promise<void> {
  await log.waitBeyond(seq - 1, AbortSignal.timeout(copyWaitMs));
}

/** Whether the record at a place is not the one that a follower has applied there. */
function isAnother(log: PurgeLog, seq: number, id: string | undefined): boolean {
  if (id === undefined || seq < log.firstSeq || seq > log.lastSeq) return false;
  const [entry] = log.read(seq - 1, 1);
  return entry !== undefined && (entry.kind === "skipped" || entry.id !== id);
}

function lines(status: number, body: BodyInit): Response {
  const headers = { "content-type": "application/x-ndjson", "cache-control": "no-transform" };
  return new Response(body, { status, headers });
}
