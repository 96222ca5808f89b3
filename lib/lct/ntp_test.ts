import assert from "node:assert/strict";
import fc from "fast-check";
import { fromNtp, serialDifference, toNtp } from "./mod.ts";

const wrapMs = Date.parse("2036-02-07T06:28:16Z");

Deno.test("NTP seconds of 32 bits wrap on 2036-02-07T06:28:16Z", () => {
  assert.deepEqual(toNtp(0), { seconds: 2_208_988_800, fraction: 0 });
  assert.deepEqual(toNtp(500), { seconds: 2_208_988_800, fraction: 2 ** 31 });
  assert.equal(toNtp(wrapMs - 1000).seconds, 2 ** 32 - 1);
  assert.equal(toNtp(wrapMs).seconds, 0);
});

Deno.test("a time after the wrap is later than one before it", () => {
  assert.equal(serialDifference(5, 2 ** 32 - 5), 10);
  assert.equal(serialDifference(2 ** 32 - 5, 5), -10);
});

Deno.test("fromNtp() finds the era next to now", () => {
  const nowMs = Date.parse("2026-11-22T00:00:00Z");
  assert.equal(fromNtp(0, 0, nowMs), wrapMs);
  const { seconds } = toNtp(nowMs + 60_000);
  assert.equal(fromNtp(seconds, 2 ** 31, nowMs), nowMs + 60_500);
});

Deno.test("a time survives NTP to less than a microsecond within 60 years of now", () => {
  const ms = fc.integer({ min: 0, max: 2 ** 42 });
  const years = fc.integer({ min: -60, max: 60 });
  fc.assert(fc.property(ms, years, (at, away) => {
    const { seconds, fraction } = toNtp(at);
    const nearMs = at + away * 365 * 86_400_000;
    assert.ok(Math.abs(fromNtp(seconds, fraction, nearMs) - at) < 0.001);
  }));
});
