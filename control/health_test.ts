import assert from "node:assert/strict";
import fc from "fast-check";
import type { NodeFigures } from "#topology";
import { type AdminStatus, judgeTier, NodeHealth } from "./health.ts";

const limits = { lateMs: 10_000, errorRatio: 0.2, load: 0.9, recoverMs: 10_000 };
const idle: NodeFigures = {
  uptimeSeconds: 0,
  load: 0.1,
  connections: 0,
  requests: 0,
  errors: 0,
  hits: 0,
  misses: 0,
  fetchedBytes: 0,
  bytesByRoad: {},
};

/** A node that reports once a second; each second adds what is given. */
function nodeAt(more: Partial<typeof limits> = {}) {
  const watch = new NodeHealth({ ...limits, ...more }, 0);
  let figures = idle;
  let nowMs = 0;
  watch.heard(figures, nowMs);
  const second = (add: Partial<NodeFigures> = {}, load = 0.1) => {
    nowMs += 1000;
    figures = {
      ...figures,
      load,
      uptimeSeconds: figures.uptimeSeconds + 1,
      requests: figures.requests + (add.requests ?? 0),
      errors: figures.errors + (add.errors ?? 0),
      hits: figures.hits + (add.hits ?? 0),
      misses: figures.misses + (add.misses ?? 0),
      bytesByRoad: { memory: (figures.bytesByRoad.memory ?? 0) + (add.bytesByRoad?.memory ?? 0) },
    };
    watch.heard(figures, nowMs);
  };
  const restart = () => watch.heard(figures = idle, nowMs += 1000);
  const reason = (status: AdminStatus = "REPORTED") =>
    watch.health(status, nowMs).reason ?? "available";
  return { watch, second, restart, reason, silent: (ms: number) => nowMs += ms };
}

Deno.test("heartbeats that are missed make a node unavailable, the next one brings it back", () => {
  const node = nodeAt();
  node.silent(10_000);
  assert.equal(node.reason(), "available");
  node.silent(1);
  assert.equal(node.reason(), "missed_heartbeats");
  node.second();
  assert.equal(node.reason(), "available");
});

Deno.test("too many errors take a node out; it comes back after they have been few for a while", () => {
  const node = nodeAt();
  for (let i = 0; i < 5; i++) node.second({ requests: 100, errors: 10 });
  assert.equal(node.reason(), "available", "10 % are under the limit");
  for (let i = 0; i < 5; i++) node.second({ requests: 100, errors: 60 });
  assert.equal(node.reason(), "error_ratio");
  const seconds = () => {
    let count = 0;
    while (node.reason() !== "available" && count < 60) {
      node.second({ requests: 100, errors: 0 });
      count++;
    }
    return count;
  };
  const took = seconds();
  assert.ok(took >= 10 && took <= 20, `${took} s: the window, then the recovery time`);
});

Deno.test("a node at its limit does not flap", () => {
  const node = nodeAt();
  let changes = 0;
  let last = node.reason();
  for (let i = 0; i < 300; i++) {
    node.second({ requests: 100, errors: i % 2 === 0 ? 24 : 18 }, i % 3 === 0 ? 0.95 : 0.85);
    if (node.reason() !== last) changes++;
    last = node.reason();
  }
  assert.equal(changes, 1, "out once, and it stays out while it is near the limit");
});

Deno.test("load counts when it lasts, and few requests say nothing of errors", () => {
  const node = nodeAt();
  node.second({ requests: 10, errors: 10 }, 1);
  assert.equal(node.reason(), "available");
  for (let i = 0; i < 4; i++) node.second({}, 1);
  assert.equal(node.reason(), "available", "a few busy seconds are none");
  for (let i = 0; i < 8; i++) node.second({}, 1);
  assert.equal(node.reason(), "load");
});

Deno.test("what an operator says goes before what a node reports", () => {
  const node = nodeAt();
  for (let i = 0; i < 5; i++) node.second({ requests: 100, errors: 60 });
  assert.deepEqual(
    (["ONLINE", "REPORTED", "ADMIN_DOWN", "OFFLINE"] as const).map((s) => node.reason(s)),
    ["available", "error_ratio", "admin_down", "offline"],
  );
});

Deno.test("rates are of the last seconds, and a restart starts them over", () => {
  const node = nodeAt();
  for (let i = 0; i < 30; i++) {
    node.second({ requests: 50, hits: 40, misses: 10, bytesByRoad: { memory: 1000 } });
  }
  assert.deepEqual(node.watch.rates(), {
    requestsPerSecond: 50,
    bytesPerSecond: 1000,
    errorRatio: 0,
    hitRatio: 0.8,
  });
  node.restart();
  assert.equal(node.watch.rates(), undefined);
  node.second({ requests: 7 });
  assert.equal(node.watch.rates()?.requestsPerSecond, 7);
});

Deno.test("reports in a burst keep the window", () => {
  const watch = new NodeHealth(limits, 0);
  for (let ms = 0; ms <= 20_000; ms += 20) {
    watch.heard({ ...idle, uptimeSeconds: ms / 1000, requests: ms / 10 }, ms);
  }
  const { requestsPerSecond = 0 } = watch.rates() ?? {};
  assert.ok(Math.abs(requestsPerSecond - 100) < 1, `${requestsPerSecond}`);
});

Deno.test("the only edge gets its clients however it is, unless it is silent or drained", () => {
  const node = nodeAt();
  for (let s = 0; s < 12; s++) node.second({ requests: 100, errors: 90 }, 1);
  assert.equal(node.reason(), "error_ratio");
  const judged = (status: AdminStatus, nowMs: number) =>
    judgeTier([{ id: "edge-1", status, watch: node.watch }], nowMs).get("edge-1")?.available;
  assert.equal(judged("REPORTED", 12_000), true);
  assert.equal(judged("ADMIN_DOWN", 12_000), false);
  assert.equal(judged("REPORTED", 23_000), false);
});

Deno.test("errors of most nodes at once are the origin's, not theirs", () => {
  const nodes = (failing: number) =>
    Array.from({ length: 4 }, (_, i) => {
      const node = nodeAt();
      for (let s = 0; s < 5; s++) node.second({ requests: 100, errors: i < failing ? 60 : 0 });
      return { id: `edge-${i}`, status: "REPORTED" as const, watch: node.watch };
    });
  const away = (failing: number) =>
    [...judgeTier(nodes(failing), 5000)].filter(([, { available }]) => !available).length;
  assert.deepEqual([0, 1, 2, 3, 4].map(away), [0, 1, 2, 0, 0]);
});

Deno.test("no sequence of reports makes a rate that is none", () => {
  const count = fc.nat(1e6);
  const report = fc.record({
    gapMs: fc.nat(30_000),
    uptimeSeconds: count,
    requests: count,
    errors: count,
    hits: count,
    misses: count,
  });
  fc.assert(fc.property(fc.array(report, { maxLength: 30 }), (reports) => {
    const watch = new NodeHealth(limits, 0);
    let nowMs = 0;
    for (const { gapMs, ...figures } of reports) {
      nowMs += gapMs;
      watch.heard({ ...idle, ...figures }, nowMs);
      const { requestsPerSecond = 0, errorRatio = 0 } = watch.rates() ?? {};
      assert.ok(Number.isFinite(requestsPerSecond) && requestsPerSecond >= 0);
      assert.ok(Number.isFinite(errorRatio));
      watch.health("REPORTED", nowMs);
    }
  }));
});
