import assert from "node:assert/strict";
import { CoarseClock } from "./coarse_clock.ts";

Deno.test("a coarse deadline is never early and at most one interval late", async () => {
  const clock = new CoarseClock(50);
  clock.tick();
  for (const pauseMs of [0, 20, 20]) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    const asked = performance.now() + 1000;
    const tick = clock.deadlineIn(1000);
    assert.ok(tick <= asked + 50);
  }
  const nowMs = clock.tick();
  assert.equal(clock.deadlineIn(1000), nowMs + 1050);
});
