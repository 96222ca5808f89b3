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
    nodes: { total: 2, applied: 1, waiting: [b], took: [{ id: "a", role: "edge", ms: 25 }] },
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
