import assert from "node:assert/strict";
import fc from "fast-check";
import { currentAge, parseAge } from "./age.ts";
import { maxDeltaSeconds } from "./cache_control.ts";

/** A 200 ms exchange, no cache on the way, an origin clock that is right. */
const exchange = { requestSentMs: 10_000, receivedMs: 10_200, dateMs: 10_100, ageSeconds: 0 };

// One row for each term of the arithmetic in RFC 9111 §4.2.3.
const rows = [
  { term: "response_delay", set: {}, heldMs: 0, wantMs: 200 },
  { term: "resident_time", set: {}, heldMs: 5_000, wantMs: 5_200 },
  { term: "age_value", set: { ageSeconds: 3 }, heldMs: 0, wantMs: 3_200 },
  { term: "apparent_age", set: { dateMs: 1_200 }, heldMs: 0, wantMs: 9_000 },
  { term: "no part of a second from Date", set: { dateMs: 9_300 }, heldMs: 0, wantMs: 200 },
  { term: "no Date", set: { dateMs: undefined }, heldMs: 0, wantMs: 200 },
];

for (const { term, set, heldMs, wantMs } of rows) {
  Deno.test(`currentAge() counts ${term} (RFC 9111 §4.2.3)`, () => {
    const nowMs = exchange.receivedMs + heldMs;
    assert.equal(currentAge({ ...exchange, ...set }, nowMs), wantMs);
  });
}

Deno.test("currentAge() starts at 0 or more and never falls", () => {
  const ms = fc.integer({ min: 0, max: 2 ** 41 });
  fc.assert(fc.property(ms, ms, ms, ms, (dateMs, receivedMs, nowMs, laterMs) => {
    const at = (ms: number) => currentAge({ ...exchange, dateMs, receivedMs }, ms);
    assert.ok(0 <= at(nowMs) && at(nowMs) <= at(nowMs + laterMs));
  }));
});

// RFC 9111 §5.1: the first member of the first line; what is no delta-seconds is ignored.
const values: { lines: string[]; want: number }[] = [
  { lines: [], want: 0 },
  { lines: ["7"], want: 7 },
  { lines: ["7, 100"], want: 7 },
  { lines: ["7", "100"], want: 7 },
  { lines: ["-7"], want: 0 },
  { lines: ["7.5"], want: 0 },
  { lines: ["abc, 7"], want: 0 },
  { lines: ["4294967296"], want: maxDeltaSeconds },
];

for (const { lines, want } of values) {
  Deno.test(`parseAge() reads ${JSON.stringify(lines)} as ${want}`, () => {
    assert.equal(parseAge(lines.map((line) => ["age", line] as const)), want);
  });
}
