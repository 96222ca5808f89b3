import assert from "node:assert/strict";
import { type ProgressNode, PurgeProgress } from "./purge_progress.ts";

const nodeOf = (id: string, appliedSeq: number, late = false): ProgressNode => ({
  id,
  role: "edge",
  appliedSeq,
  lastSeenMs: 0,
  late,
});

Deno.test("a purge is complete when every node has applied it, with the time each took", () => {
  const progress = new PurgeProgress();
  progress.issued(3, 100);
  assert.deepEqual(progress.reported("a", 0, 2, 110), []);
  assert.deepEqual(progress.reported("a", 2, 3, 125), [25]);
  const [a, b] = [nodeOf("a", 3), nodeOf("b", 2, true)];
  assert.deepEqual(progress.of(3, [a, b]), {
    state: "in_progress",
    nodes: {
      total: 2,
      applied: 1,
      waiting: [{ ...b, behindBy: 1, why: "away" }],
      took: [{ id: "a", role: "edge", ms: 25 }],
      tookMs: { p50: 25, p99: 25, max: 25 },
    },
  });
  assert.deepEqual(progress.reported("b", 2, 9, 1100), [1000]);
  const done = progress.of(3, [a, nodeOf("b", 9)]);
  assert.equal(done.state, "completed");
  assert.deepEqual(done.nodes.took.map(({ ms }) => ms), [25, 1000]);
});

Deno.test("one report can complete many purges; a second report changes no time", () => {
  const progress = new PurgeProgress();
  for (let seq = 1; seq <= 5; seq++) progress.issued(seq, seq * 10);
  assert.deepEqual(progress.reported("a", 0, 4, 100), [60, 70, 80, 90]);
  assert.deepEqual(progress.reported("a", 0, 5, 200), [150]);
  assert.equal(progress.of(2, [nodeOf("a", 5)]).nodes.took[0].ms, 80);
});

Deno.test("with no nodes a purge is complete; one from before a restart has no times", () => {
  const progress = new PurgeProgress();
  assert.equal(progress.of(9, []).state, "completed");
  assert.deepEqual(progress.of(9, [nodeOf("a", 9)]).nodes.took, []);
});

Deno.test("only so many times are kept, the newest", () => {
  const progress = new PurgeProgress(30);
  for (let seq = 1; seq <= 1000; seq++) {
    progress.issued(seq, 0);
    for (const id of ["a", "b"]) assert.deepEqual(progress.reported(id, seq - 1, seq, 5), [5]);
  }
  const took = (seq: number) => progress.of(seq, [nodeOf("a", 1000)]).nodes.took.length;
  assert.equal(took(1000), 1);
  const kept = Array.from({ length: 1000 }, (_, i) => took(i + 1)).filter((count) => count > 0);
  assert.ok(kept.length <= 10 && kept.length >= 8, `${kept.length} kept`);
});

Deno.test("who waits is told why: away, behind, or without a place in the log", () => {
  const progress = new PurgeProgress();
  const nodes = [nodeOf("away", 0, true), nodeOf("behind", 3), nodeOf("new", 0), nodeOf("done", 5)];
  const { waiting } = progress.of(5, nodes).nodes;
  assert.deepEqual(waiting.map(({ id, why, behindBy }) => [id, why, behindBy]), [
    ["away", "away", 5],
    ["behind", "behind", 2],
    ["new", "unplaced", 5],
  ]);
});

Deno.test("who was there before the order was noted has a time too", () => {
  const progress = new PurgeProgress();
  progress.issued(3, 100, 130, ["a"]);
  assert.deepEqual(progress.reported("a", 2, 3, 140), []);
  assert.equal(progress.of(3, [nodeOf("a", 3)]).nodes.took[0].ms, 30);
});

Deno.test("watchers are called when a node has moved on, and not after they ended", () => {
  const progress = new PurgeProgress();
  let calls = 0;
  const end = progress.watch(() => calls++);
  progress.reported("a", 0, 1, 10);
  progress.reported("a", 1, 1, 20);
  assert.equal(calls, 1);
  end();
  progress.reported("a", 1, 2, 30);
  assert.equal(calls, 1);
});

Deno.test("of very many nodes some are listed and all are counted", () => {
  const nodes = Array.from({ length: 5000 }, (_, i) => nodeOf(`${i}`, 0));
  const { total, applied, waiting } = new PurgeProgress().of(1, nodes).nodes;
  assert.deepEqual([total, applied, waiting.length], [5000, 0, 1000]);
});
