import assert from "node:assert/strict";
import fc from "fast-check";
import { formatDuration, formatTimePoint, parseDuration, parseTimePoint } from "./time.ts";

const durations = [
  { text: "PT5.005S", ms: 5005 },
  { text: "PT2M", ms: 120_000 },
  { text: "P1DT1H", ms: 90_000_000 },
  { text: "P1Y1M", ms: 395 * 86_400_000 },
  { text: "PT0S", ms: 0 },
  { text: "-PT1S", ms: undefined },
  { text: "P", ms: undefined },
  { text: "P1DT", ms: undefined },
  { text: "5", ms: undefined },
];
for (const { text, ms } of durations) {
  Deno.test(`parseDuration() reads ${text}`, () => assert.equal(parseDuration(text), ms));
}

const timePoints = [
  { text: "2099-06-26T07:01:50:000F1000", ms: Date.UTC(2099, 5, 26, 7, 1, 50) },
  { text: "2026-01-02T03:04:05:1F4", ms: Date.UTC(2026, 0, 2, 3, 4, 5, 250) },
  { text: "2026-01-02T03:04:05.25Z", ms: Date.UTC(2026, 0, 2, 3, 4, 5, 250) },
  { text: "2026-01-02T03:04:05+01:00", ms: Date.UTC(2026, 0, 2, 2, 4, 5) },
  { text: "2026-01-02T03:04", ms: Date.UTC(2026, 0, 2, 3, 4) },
  { text: "2026-01-02", ms: Date.UTC(2026, 0, 2) },
  { text: "2026-13-02", ms: undefined },
  { text: "2026-01-02T03:04:05:5F4", ms: undefined },
  { text: "2026-01-02T03:04:05:0F0", ms: undefined },
  { text: "soon", ms: undefined },
];
for (const { text, ms } of timePoints) {
  Deno.test(`parseTimePoint() reads ${text}`, () => assert.equal(parseTimePoint(text), ms));
}

Deno.test("what is written is read back to the millisecond", () => {
  fc.assert(fc.property(fc.nat(2 ** 40), (ms) => {
    assert.equal(parseDuration(formatDuration(ms)), ms);
    assert.equal(parseTimePoint(formatTimePoint(ms)), ms);
  }));
});
