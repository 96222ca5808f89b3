import assert from "node:assert/strict";
import fc from "fast-check";
import { DiskRate } from "./disk_rate.ts";

const rate = 1000;

Deno.test("DiskRate gives no more than a second's worth at once and the rate from then on", () => {
  const step = fc.record({
    bytes: fc.integer({ min: 0, max: 3 * rate }),
    afterMs: fc.integer({ min: 0, max: 2000 }),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const bucket = new DiskRate(rate);
    const taken: { readonly atMs: number; readonly bytes: number }[] = [];
    let nowMs = 5000;
    for (const { bytes, afterMs } of steps) {
      nowMs += afterMs;
      if (bucket.take(bytes, nowMs)) taken.push({ atMs: nowMs, bytes });
    }
    for (let from = 0; from < taken.length; from++) {
      let sum = 0;
      for (const { atMs, bytes } of taken.slice(from)) {
        // Before the last of them there was room left; it alone may exceed it.
        assert.ok(sum <= rate + rate * (atMs - taken[from].atMs) / 1000 + 1e-6);
        sum += bytes;
      }
    }
  }));
});

Deno.test("DiskRate agrees again when waitMs() has passed, and not before half of it", () => {
  fc.assert(fc.property(fc.integer({ min: rate, max: 50 * rate }), (bytes) => {
    const bucket = new DiskRate(rate);
    assert.equal(bucket.waitMs(0), 0);
    assert.ok(bucket.take(bytes, 0));
    const waitMs = bucket.waitMs(0);
    if (waitMs > 4) assert.ok(!bucket.take(1, waitMs / 2));
    assert.ok(bucket.take(1, waitMs));
  }));
});

Deno.test("DiskRate lets an object that says no length owe a second's worth and no more", () => {
  const bucket = new DiskRate(rate);
  assert.ok(bucket.take(1, 0));
  assert.ok(bucket.takeMore(1998, 0));
  assert.ok(!bucket.takeMore(1, 0));
});

Deno.test("DiskRate without a bound always agrees, also when the clock stands or steps back", () => {
  const free = new DiskRate(Infinity);
  for (const nowMs of [5, 5, 4, 6]) assert.ok(free.take(2 ** 40, nowMs) && free.takeMore(1, nowMs));
  assert.equal(free.waitMs(0), 0);
  const bucket = new DiskRate(rate);
  assert.ok(bucket.take(rate, 10));
  assert.ok(!bucket.take(1, 10));
  assert.ok(!bucket.take(1, 0));
  assert.throws(() => new DiskRate(0), RangeError);
});
