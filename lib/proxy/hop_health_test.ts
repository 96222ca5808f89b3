import assert from "node:assert/strict";
import { HopHealth } from "./hop_health.ts";

const hops = [{ id: "a" }, { id: "b" }, { id: "c" }];
const limits = { firstDownMs: 100, longestDownMs: 300 };

function names(health: HopHealth, nowMs: number): string {
  return health.order(hops, nowMs).map((hop) => hop.id).join("");
}

Deno.test("a hop that failed goes last until its pause is over", () => {
  const health = new HopHealth(limits);
  health.down("a", 0);
  assert.equal(names(health, 99), "bca");
  assert.equal(names(health, 100), "abc");
});

Deno.test("the pause doubles with each failure in a row, up to the longest", () => {
  const health = new HopHealth(limits);
  const pauses = [100, 200, 300, 300].map((pauseMs, count) => {
    const atMs = count * 10_000;
    health.down("a", atMs);
    assert.ok(health.isDown("a", atMs + pauseMs - 1) && !health.isDown("a", atMs + pauseMs));
    return pauseMs;
  });
  assert.equal(pauses.length, 4);
});

Deno.test("an answer ends the pause and the doubling", () => {
  const health = new HopHealth(limits);
  health.down("a", 0);
  health.down("a", 0);
  health.up("a");
  assert.equal(names(health, 1), "abc");
  health.down("a", 10);
  assert.ok(!health.isDown("a", 110));
});

Deno.test("no hop is dropped when all are down", () => {
  const health = new HopHealth(limits);
  for (const { id } of hops) health.down(id, 0);
  assert.equal(names(health, 1), "abc");
});

Deno.test("a hop that left is forgotten", () => {
  const health = new HopHealth(limits);
  health.down("a", 0);
  health.keep(new Set(["b"]));
  assert.ok(!health.isDown("a", 1));
});
