import assert from "node:assert/strict";
import { PlaceHealth } from "./place_health.ts";

Deno.test("PlaceHealth lets a place rest longer with each failure, and no longer than half a minute", () => {
  const health = new PlaceHealth();
  assert.equal(health.rests("a", 0), false);
  for (const restMs of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
    health.failed("a", 0);
    assert.equal(health.rests("a", restMs - 1), true);
    assert.equal(health.rests("a", restMs), false);
  }
  assert.equal(health.rests("b", 0), false);
  health.well("a");
  assert.equal(health.rests("a", 0), false);
});
