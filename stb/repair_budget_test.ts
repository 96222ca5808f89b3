import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteBudget, Gate } from "./repair_budget.ts";

Deno.test("ByteBudget lets a burst through at once and then keeps the rate", () => {
  const budget = new ByteBudget({ bytesPerSecond: 1000, burstBytes: 2000 });
  assert.equal(budget.reserve(1000, 5000, 0), 0);
  assert.equal(budget.reserve(1000, 5000, 0), 0);
  assert.equal(budget.reserve(500, 5000, 0), 0);
  assert.equal(budget.reserve(500, 5000, 0), 500);
  assert.equal(budget.reserve(500, 5000, 0), 1000);
});

Deno.test("ByteBudget refuses waits that make no sense, and promises nothing then", () => {
  const budget = new ByteBudget({ bytesPerSecond: 1000, burstBytes: 1000 });
  assert.equal(budget.reserve(10_000, 100, 0), 0);
  assert.equal(budget.reserve(1, 100, 0), undefined);
  assert.equal(budget.reserve(1, 9000, 0), 9000);
});

Deno.test("ByteBudget never gives more than rate and burst allow", () => {
  const requests = fc.array(fc.record({ bytes: fc.nat(5000), pauseMs: fc.nat(2000) }));
  fc.assert(fc.property(requests, (list) => {
    const budget = new ByteBudget({ bytesPerSecond: 1000, burstBytes: 3000 });
    let nowMs = 0;
    let before = 0;
    for (const { bytes, pauseMs } of list) {
      nowMs += pauseMs;
      const waitMs = budget.reserve(bytes, Infinity, nowMs) ?? 0;
      assert.ok(before <= 3000 + (nowMs + waitMs) + 1e-6);
      before += bytes;
    }
  }));
});

Deno.test("Gate runs no more at a time than it is wide, in order, and survives failures", async () => {
  const gate = new Gate(2);
  const started: number[] = [];
  let running = 0;
  const jobs = [0, 1, 2, 3, 4].map((i) =>
    gate.run(async () => {
      started.push(i);
      assert.ok(++running <= 2);
      await new Promise((resolve) => setTimeout(resolve, 5 - i));
      running--;
      if (i === 1) throw new Error("one fails");
    })
  );
  const outcomes = await Promise.allSettled(jobs);
  assert.deepEqual(started, [0, 1, 2, 3, 4]);
  assert.equal(outcomes.filter(({ status }) => status === "rejected").length, 1);
});
