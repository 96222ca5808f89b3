import assert from "node:assert/strict";
import { ClockSteps } from "./clock_steps.ts";
import { Database } from "./database.ts";
import { Fleet } from "./fleet.ts";
import { Membership } from "./nodes.ts";

Deno.test("a step of the wall clock is noticed once, forward and back; a drift is none", () => {
  const steps = new ClockSteps(1_000_000, 0);
  assert.equal(steps.look(1_001_100, 1000), 0);
  assert.equal(steps.look(1_002_100 + 3_600_000, 2000), 3_600_000);
  assert.equal(steps.look(1_003_100 + 3_600_000, 3000), 0);
  assert.equal(steps.look(1_004_100, 4000), -3_600_000);
});

Deno.test("nobody is silent because the clock stepped an hour", () => {
  for (const stepMs of [3_600_000, -3_600_000]) {
    const database = new Database(":memory:");
    const members = new Membership(database, { lateMs: 10_000, expiryMs: 60_000, most: 9 }, 1e9);
    const fleet = new Fleet(database, { most: 9, reportMs: 60_000, expiryMs: 180_000 }, 1e9);
    const url = "http://127.0.0.1/a";
    const record = { id: "a", role: "edge" as const, url, adminUrl: url, version: "0", weight: 1 };
    members.register(record, 1e9);
    fleet.report({ id: "b", region: "south", version: "0" }, { appliedSeq: 0 }, 1e9);
    members.shift(stepMs);
    fleet.shift(stepMs);
    const nowMs = 1e9 + stepMs;
    assert.deepEqual(members.unavailable("edge", nowMs + 9_000), []);
    assert.deepEqual(members.unavailable("edge", nowMs + 10_500), ["a"], "silence still counts");
    assert.deepEqual([members.expire(nowMs + 59_000), fleet.expire(nowMs + 179_000)], [[], 0]);
    assert.deepEqual([members.expire(nowMs + 61_000), fleet.expire(nowMs + 181_000)], [["a"], 1]);
    fleet.close();
    database.close();
  }
});
