/**
 * The topology API: the snapshot that nodes hold, what operators declare, and the numbers before it.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import * as v from "valibot";
import type { DeclaredTopology } from "#topology";
import { noteDetail } from "./access/caller.ts";
import { readDocument, readJson } from "./body.ts";
import { readDeclared } from "./declared_topology.ts";
import type { ControlParts } from "./parts.ts";
import { problemOf } from "./problem.ts";
import {
  checkTopology,
  declareTopology,
  diffSnapshots,
  listSnapshots,
  planCarousel,
  rollbackSchema,
  rollbackTopology,
  showCarousel,
  showDeclared,
  showSnapshot,
  showTopology,
} from "./topology_operations.ts";
import type { Edit } from "./snapshots.ts";
import { diff } from "./topology_diff.ts";

const maxBodyBytes = 1 << 20;

/** Makes the routes under `/topology`, and `/carousel`. */
export function topologyRoutes(parts: ControlParts): Hono {
  const { snapshots } = parts;
  const app = new Hono();
  app.get("/topology", showTopology, (c) => tagged(c, snapshots.current, snapshots.current.number));
  app.get(
    "/topology/declared",
    showDeclared,
    (c) => tagged(c, snapshots.declared, snapshots.declaredSince),
  );
  app.put("/topology/declared", declareTopology, async (c) => {
    const reading = await readDeclaration(c);
    return reading instanceof Response ? reading : declare(c, parts, reading);
  });
  app.post("/topology/check", checkTopology, async (c) => {
    const reading = await readDeclaration(c);
    if (reading instanceof Response) return reading;
    return c.json({ changes: diff(snapshots.declared, reading) });
  });
  app.get("/topology/snapshots", listSnapshots, (c) => c.json({ snapshots: snapshots.list() }));
  app.get("/topology/snapshots/:number", showSnapshot, (c) => {
    const snapshot = snapshots.get(numberOf(c.req.param("number")));
    return snapshot ? c.json(snapshot) : unknownSnapshot(c, c.req.param("number"));
  });
  app.get("/topology/snapshots/:number/diff", diffSnapshots, (c) => {
    const [from, to] = [numberOf(c.req.param("number")), numberOf(c.req.query("to"))];
    if (Number.isNaN(to)) {
      const received = c.req.query("to")?.slice(0, 64) ?? "nothing";
      return c.json({ error: `Cannot compare: need to=NUMBER: received ${received}` }, 400);
    }
    const changes = snapshots.diff(from, to);
    if (changes !== undefined) return c.json({ from, to, changes });
    return unknownSnapshot(c, String(snapshots.get(from) ? to : c.req.param("number")));
  });
  app.post("/topology/rollback", rollbackTopology, (c) => rollback(c, parts));
  app.get("/carousel", showCarousel, (c) => {
    return tagged(c, { files: snapshots.declared.carousel }, snapshots.declaredSince);
  });
  app.put("/carousel", planCarousel, async (c) => {
    const body = await readJson(c.req.raw, maxBodyBytes);
    if (body.kind === "refused") return c.json({ error: body.sentence }, body.status);
    const files = (body.value as { files?: unknown } | null)?.files;
    const reading = readDeclared({ ...snapshots.declared, carousel: files ?? null });
    if (reading.kind === "refused") return c.json({ error: reading.sentence }, 400);
    return declare(c, parts, reading.declared);
  });
  return app;
}

/** An answer with the number to edit on top of. */
function tagged(c: Context, body: object, number: number): Response {
  c.header("etag", `"${number}"`);
  return c.json(body);
}

/** The declared topology of a request, JSON or YAML, or the answer that refuses it. */
async function readDeclaration(c: Context): Promise<DeclaredTopology | Response> {
  const body = await readDocument(c.req.raw, maxBodyBytes);
  if (body.kind === "refused") return c.json({ error: body.sentence }, body.status);
  const reading = readDeclared(body.value);
  return reading.kind === "refused" ? c.json({ error: reading.sentence }, 400) : reading.declared;
}

function declare(c: Context, parts: ControlParts, declared: DeclaredTopology): Response {
  const expected = expectedNumber(c.req.header("if-match"));
  if (Number.isNaN(expected)) return badIfMatch(c);
  const edit = parts.snapshots.declare(declared, editOptions(parts, expected));
  return answerEdit(c, parts, edit);
}

async function rollback(c: Context, parts: ControlParts): Promise<Response> {
  const body = await readJson(c.req.raw, 4096);
  if (body.kind === "refused") return c.json({ error: body.sentence }, body.status);
  const parsed = v.safeParse(rollbackSchema, body.value, { abortEarly: true });
  if (!parsed.success) {
    return c.json({ error: `Cannot roll back: ${problemOf(parsed.issues[0])}` }, 400);
  }
  const expected = expectedNumber(c.req.header("if-match"));
  if (Number.isNaN(expected)) return badIfMatch(c);
  const { to } = parsed.output;
  return answerEdit(c, parts, parts.snapshots.rollback(to, editOptions(parts, expected)));
}

function editOptions({ membership, nowMs }: ControlParts, expected: number | undefined) {
  return { nodes: membership.inTopology(), nowMs: nowMs(), expected };
}

function answerEdit(c: Context, parts: ControlParts, edit: Edit): Response {
  if (edit.kind === "unknown") return unknownSnapshot(c, String(edit.number));
  if (edit.kind === "outdated") {
    const error = `Cannot change the topology: need If-Match of ${edit.number} or later: received ${
      c.req.header("if-match")?.slice(0, 64)
    }`;
    return c.json({ error }, 412, { etag: `"${edit.number}"` });
  }
  noteDetail(c, `snapshot ${edit.number}${edit.changed ? "" : ", nothing changed"}`);
  if (edit.changed) parts.onEvent({ kind: "snapshot", number: edit.number });
  c.header("etag", `"${edit.number}"`);
  return c.json({ snapshot: edit.number });
}

/** The number in `If-Match`: `undefined` when any will do, `NaN` when it is none. */
function expectedNumber(field: string | undefined): number | undefined {
  if (field === undefined || field.trim() === "*") return undefined;
  const [, digits] = /^\s*"(\d{1,16})"\s*$/.exec(field) ?? [];
  return numberOf(digits);
}

function badIfMatch(c: Context): Response {
  const received = c.req.header("if-match")?.slice(0, 64);
  const error =
    `Cannot change the topology: need If-Match with one number in quotes: received ${received}`;
  return c.json({ error }, 400);
}

function numberOf(text: string | undefined): number {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : NaN;
}

function unknownSnapshot(c: Context, number: string): Response {
  const error = `Cannot find the snapshot: need the number of one that is kept: received ${
    number.slice(0, 64)
  }`;
  return c.json({ error }, 404);
}
