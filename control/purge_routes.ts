/**
 * The purge API: order, progress, and the log itself.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import { maxOrderBytes, type PurgeLog, type PurgeRecord, readOrder } from "#purge";
import { limited } from "./api_limits.ts";
import { readJson } from "./body.ts";
import { dryRun } from "./dry_run.ts";
import { withCachedKeys } from "./dropped_queries.ts";
import { followers } from "./followers.ts";
import type { ControlParts } from "./parts.ts";
import {
  createPurge,
  followPurges,
  listPurges,
  showPurge,
  watchPurge,
} from "./purge_operations.ts";
import { OrderDesk } from "./purge_order.ts";
import { PurgeWatchers } from "./purge_watchers.ts";
import { orderView, progressView } from "./purge_view.ts";
import { logHead, purgeStream } from "./purge_stream.ts";

/** How many records `GET /purges` looks back. */
const listedRecords = 500;

/** How long a follower who knows more than our copy of the log waits for it, in milliseconds. */
const copyWaitMs = 2000;

/** Makes the routes under `/purges`. */
export function purgeRoutes(parts: ControlParts): Hono {
  const app = new Hono();
  const desk = new OrderDesk(parts);
  const watchers = new PurgeWatchers(parts);
  app.post("/purges", createPurge, async (c) => {
    const body = await readJson(c.req.raw, maxOrderBytes);
    if (body.kind === "refused") return c.json({ error: body.sentence }, body.status);
    const reading = readOrder(body.value);
    if (reading.kind === "refused") return c.json({ error: reading.sentence }, 400);
    const order = withCachedKeys(reading.order, parts.snapshots.declared.deliveryServices);
    const refused = limited(c, parts, { limit: "purges", tokens: order.values.length });
    if (refused !== undefined) return refused;
    return order.dryRun ? await dryRun(c, parts, order) : await desk.take(c, order);
  });
  app.get("/purges", listPurges, (c) => c.json(listing(parts)));
  app.get("/purges/stream", followPurges, (c) => stream(c, parts));
  app.get("/purges/:id", showPurge, (c) => {
    const records = parts.log.order(c.req.param("id"));
    return records.length === 0 ? unknownPurge(c) : c.json(progressView(parts, records));
  });
  app.get("/purges/:id/events", watchPurge, (c) => {
    const records = parts.log.order(c.req.param("id"));
    return records.length === 0 ? unknownPurge(c) : watchers.open(records);
  });
  return app;
}

function unknownPurge(c: Context): Response {
  const id = c.req.param("id")?.slice(0, 64);
  return c.json({ error: `Cannot find the purge: need an id of the log: received ${id}` }, 404);
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
