import assert from "node:assert/strict";
import fc from "fast-check";
import { Pacer, wireBytes } from "./mod.ts";

Deno.test("wireBytes() counts UDP and IPv4 headers", () => {
  assert.equal(wireBytes(1400), 1428);
});

Deno.test("a pacer lets a burst go, then asks for the time that one packet takes", () => {
  const pacer = new Pacer({ bitsPerSecond: 8_000_000, burstBytes: 2000, nowMs: 0 }); // 1000 bytes/ms
  assert.equal(pacer.take(972, 0), 0);
  assert.equal(pacer.take(972, 0), 0);
  assert.equal(pacer.take(972, 0), 1);
  assert.equal(pacer.take(972, 0.5), 0.5);
  assert.equal(pacer.take(972, 1), 0);
});

Deno.test("a packet larger than the bucket goes when the bucket is full, and is paid for", () => {
  const pacer = new Pacer({ bitsPerSecond: 8_000_000, burstBytes: 100, nowMs: 0 });
  assert.equal(pacer.take(972, 0), 0);
  assert.equal(pacer.take(72, 0), 1);
});

Deno.test("the rate changes from now on", () => {
  const pacer = new Pacer({ bitsPerSecond: 8_000_000, burstBytes: 1000, nowMs: 0 });
  assert.equal(pacer.take(972, 0), 0);
  pacer.setRate(16_000_000, 0);
  assert.equal(pacer.bitsPerSecond, 16_000_000);
  assert.equal(pacer.take(972, 0), 0.5);
});

Deno.test("a clock that steps back costs time, never lets more go", () => {
  const pacer = new Pacer({ bitsPerSecond: 8_000_000, burstBytes: 1000, nowMs: 1000 });
  assert.equal(pacer.take(972, 1000), 0);
  assert.equal(pacer.take(972, 0), 1);
  assert.equal(pacer.take(972, 1), 0);
});

Deno.test("no schedule gets more than the rate and one burst", () => {
  const steps = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 2000 }), fc.double({ min: 0, max: 5, noNaN: true })),
    {
      maxLength: 200,
    },
  );
  fc.assert(fc.property(steps, (wanted) => {
    const pacer = new Pacer({ bitsPerSecond: 4_000_000, burstBytes: 3000, nowMs: 0 });
    let nowMs = 0;
    let sent = 0;
    for (const [payload, waitMs] of wanted) {
      nowMs += waitMs;
      const delayMs = pacer.take(payload, nowMs);
      assert.ok(delayMs >= 0 && delayMs <= 6);
      if (delayMs === 0) sent += wireBytes(payload);
      assert.ok(sent <= 3000 + 500 * nowMs + 0.01);
    }
  }));
});

Deno.test("a caller that waits as told reaches the rate", () => {
  const pacer = new Pacer({ bitsPerSecond: 61_000_000, nowMs: 0 });
  let nowMs = 0;
  let sent = 0;
  while (nowMs < 1000) {
    const delayMs = pacer.take(1416, nowMs);
    if (delayMs === 0) sent += wireBytes(1416);
    else nowMs += delayMs;
  }
  assert.ok(Math.abs(sent * 8 - 61_000_000) < 61_000_000 * 0.003);
});

Deno.test("a pacer needs a positive rate", () => {
  assert.throws(() => new Pacer({ bitsPerSecond: 0, nowMs: 0 }), /must be above 0: received 0/);
});
