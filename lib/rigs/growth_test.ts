import assert from "node:assert/strict";
import { growthOf } from "./growth.ts";

/** Does so many steps that cannot be left out. */
function spend(steps: number): void {
  let state = 1;
  for (let i = 0; i < steps; i++) state = Math.imul(state, 48_271) ^ i;
  assert.notEqual(state, 0.5);
}

Deno.test("growthOf() tells what grows with its length from what grows with its square", () => {
  assert.ok(growthOf((size) => spend(size * 1000), 16_000) < 64);
  assert.ok(growthOf((size) => spend(size ** 2), 16_000) > 64);
});

Deno.test("growthOf() makes nothing of what takes no time", () => {
  assert.ok(growthOf(() => {}, 16_000) < 64);
});
