import assert from "node:assert/strict";
import { RateMeter } from "./rate_meter.ts";

Deno.test("the rate is that of the last five full seconds", () => {
  const meter = new RateMeter(0);
  assert.equal(meter.bitsPerSecond(500), 0);
  for (let second = 0; second < 10; second++) meter.add(1000 * second, second * 1000 + 500);
  assert.equal(meter.bitsPerSecond(10_200), (5 + 6 + 7 + 8 + 9) * 8000 / 5);
  assert.equal(meter.bitsPerSecond(30_000), 0);
});

Deno.test("shortly after the start the seconds since then count", () => {
  const meter = new RateMeter(0);
  meter.add(1000, 100);
  assert.equal(meter.bitsPerSecond(1100), 8000);
});
