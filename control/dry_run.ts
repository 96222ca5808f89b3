/**
 * A dry run of a purge: every cache counts what it would hit, within a bounded time.
 *
 * @module
 */

import type { Context } from "hono";
import { readAtMost } from "#http";
import { parsePurgeCount, type PurgeCount, type PurgeOrder } from "#purge";
import type { NodeRecord } from "#topology";
import type { ControlParts } from "./parts.ts";

/** How long one node may take, in milliseconds. */
const nodeMs = 3000;

/** How many nodes are asked at once. */
const atOnce = 32;

const maxAnswerBytes = 64 * 1024;

type Answer = { readonly count: PurgeCount } | { readonly reason: string };

/** Answers `POST /purges` with `dryRun`: nothing is purged. */
export async function dryRun(
  c: Context,
  parts: ControlParts,
  order: PurgeOrder,
): Promise<Response> {
  const { membership, nodeToken } = parts;
  const caches = membership.list().map(({ record }) => record)
    .filter(({ role }) => role === "edge" || role === "shield");
  const answers = await askAll(caches, order, nodeToken);
  const counts = caches.flatMap(({ id, role }, i) => {
    const answer = answers[i];
    return "count" in answer ? [{ id, role, ...answer.count }] : [];
  });
  const unanswered = caches.flatMap(({ id, role }, i) => {
    const answer = answers[i];
    return "reason" in answer ? [{ id, role, reason: answer.reason }] : [];
  });
  const sum = (of: (count: PurgeCount) => number) => counts.reduce((all, one) => all + of(one), 0);
  return c.json({
    dryRun: true,
    kind: order.kind,
    values: order.kind === "all" ? [] : order.values,
    soft: order.soft,
    objects: sum(({ objects }) => objects),
    bytes: sum(({ bytes }) => bytes),
    nodes: { total: caches.length, answered: counts.length, counts, unanswered },
  });
}

/** Asks all nodes, so many at a time, in their order. */
async function askAll(
  nodes: readonly NodeRecord[],
  order: PurgeOrder,
  token: string | undefined,
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  let next = 0;
  const ask = async () => {
    while (next < nodes.length) {
      const at = next++;
      answers[at] = await askOne(nodes[at], order, token);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, nodes.length) }, ask));
  return answers;
}

async function askOne(
  { adminUrl }: NodeRecord,
  { kind, values, soft }: PurgeOrder,
  token: string | undefined,
): Promise<Answer> {
  const headers = new Headers({ "content-type": "application/json" });
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), nodeMs);
  try {
    const response = await fetch(`${adminUrl.replace(/\/+$/, "")}/purges/dry-run`, {
      method: "POST",
      headers,
      body: JSON.stringify({ kind, values: kind === "all" ? [] : values, soft }),
      redirect: "error",
      signal: late.signal,
    });
    const body = await readAtMost(response.body, maxAnswerBytes);
    if (response.status !== 200) return { reason: `it answered ${response.status}` };
    const count = parsePurgeCount(new TextDecoder().decode(body));
    return count === undefined ? { reason: "its answer is no count" } : { count };
  } catch {
    return { reason: late.signal.aborted ? `no answer in ${nodeMs} ms` : "it cannot be reached" };
  } finally {
    clearTimeout(timer);
  }
}
