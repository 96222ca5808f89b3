import assert from "node:assert/strict";
import fc from "fast-check";
import { formatBytes, formatCount, formatShare, History, hitShare, shares } from "./page/model.js";

const bytes = (satellite: number, repair = 0, internet = 0) => ({ satellite, repair, internet });

Deno.test("History interpolates between samples and is flat outside", () => {
  const history = new History(10_000);
  assert.equal(history.bytesAt("satellite", 5), 0);
  history.push({ atMs: 1000, bytes: bytes(100) });
  history.push({ atMs: 2000, bytes: bytes(300) });
  assert.equal(history.bytesAt("satellite", 0), 100);
  assert.equal(history.bytesAt("satellite", 1500), 200);
  assert.equal(history.bytesAt("satellite", 9000), 300);
  assert.equal(history.rate("satellite", 2000, 1000), 1600);
});

Deno.test("History starts again when a counter falls, and ignores a moment that is not later", () => {
  const history = new History(10_000);
  history.push({ atMs: 1000, bytes: bytes(100, 50) });
  history.push({ atMs: 1000, bytes: bytes(900) });
  assert.equal(history.bytesAt("satellite", 1000), 100);
  history.push({ atMs: 2000, bytes: bytes(200, 0) });
  assert.equal(history.bytesAt("satellite", 1000), 200);
});

Deno.test("History never gives a negative rate and stays small", () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 900 }), fc.nat(1e6)), {
    minLength: 1,
    maxLength: 200,
  });
  fc.assert(fc.property(steps, fc.integer({ min: 0, max: 200_000 }), (steps, atMs) => {
    const history = new History(60_000);
    let [now, total] = [0, 0];
    for (const [ms, more] of steps) {
      history.push({ atMs: now += ms, bytes: bytes(total += more) });
    }
    assert.ok(history.rate("satellite", atMs, 4000) >= 0);
  }));
});

for (
  const [value, want] of [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [182_300, "182 kB"],
    [999_600, "1.00 MB"],
    [14_200_000, "14.2 MB"],
    [10_737_418_240, "10.7 GB"],
  ] as const
) {
  Deno.test(`${value} bytes read ${want}`, () => assert.equal(formatBytes(value), want));
}

for (
  const [value, want] of [
    [0, "0 %"],
    [0.0002, "< 0.1 %"],
    [0.5, "50 %"],
    [0.1234, "12.3 %"],
    [0.9999, "> 99.9 %"],
    [1, "100 %"],
  ] as const
) {
  Deno.test(`a share of ${value} reads ${want}`, () => assert.equal(formatShare(value), want));
}

Deno.test("shares of nothing are 0, of something add up to 1", () => {
  assert.deepEqual(shares(bytes(0)), bytes(0));
  assert.deepEqual(shares(bytes(3, 1)), bytes(0.75, 0.25));
});

Deno.test("requests answered while arriving count as hits", () => {
  assert.equal(hitShare({ hit: 0, arriving: 0, miss: 0, error: 0 }), undefined);
  assert.equal(hitShare({ hit: 2, arriving: 1, miss: 1, error: 0 }), 0.75);
});

Deno.test("one object, two objects", () => {
  assert.equal(formatCount(1, "object"), "1 object");
  assert.equal(formatCount(1200, "object"), "1,200 objects");
});
