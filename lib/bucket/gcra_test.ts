import assert from "node:assert/strict";
import fc from "fast-check";
import { drained, limitOf, roomFor, waitUs } from "./gcra.ts";

/** A rate, with windows and quotas that do not divide each other. */
const rates = fc.record({
  quota: fc.integer({ min: 1, max: 100_000 }),
  windowMs: fc.integer({ min: 1, max: 60_000 }),
  burst: fc.integer({ min: 1, max: 1_000 }),
});
const arrivals = fc.array(
  fc.record({ gapUs: fc.nat({ max: 300_000 }), tokens: fc.integer({ min: 1, max: 5 }) }),
  { maxLength: 80 },
);

/**
 * The other form of the algorithm, virtual scheduling, in exact fractions: a theoretical arrival time
 * (TAT) counted in 1/quota of a microsecond.
 */
class VirtualScheduling {
  #tat = 0n;
  constructor(readonly rate: { quota: number; windowMs: number; burst: number }) {}

  take(tokens: number, nowUs: number): boolean {
    const quota = BigInt(this.rate.quota);
    const emission = BigInt(this.rate.windowMs) * 1000n;
    const tolerance = emission * BigInt(this.rate.burst);
    const now = BigInt(nowUs) * quota;
    const tat = (this.#tat > now ? this.#tat : now) + emission * BigInt(tokens);
    if (tat - now > tolerance) return false;
    this.#tat = tat;
    return true;
  }
}

Deno.test("the level decides as virtual scheduling does, to the last unit", () => {
  fc.assert(
    fc.property(rates, fc.nat({ max: 2 ** 46 }), arrivals, (rate, startUs, steps) => {
      const limit = limitOf(rate);
      const model = new VirtualScheduling(rate);
      let [level, atUs, nowUs] = [0, startUs, startUs];
      for (const { gapUs, tokens } of steps) {
        nowUs += gapUs;
        level = drained(level, limit, { atUs, nowUs });
        atUs = nowUs;
        const fits = waitUs(level, tokens, limit) === 0;
        assert.equal(fits, model.take(tokens, nowUs));
        assert.equal(fits, roomFor(level, limit) >= tokens);
        if (fits) level += tokens * limit.tokenUnits;
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("no window of any length takes more than the burst and what its time gives", () => {
  fc.assert(fc.property(rates, arrivals, (rate, steps) => {
    const limit = limitOf(rate);
    let [level, nowUs] = [0, 0];
    const taken: { atUs: number; tokens: number }[] = [];
    for (const { gapUs, tokens } of steps) {
      level = drained(level, limit, { atUs: nowUs, nowUs: nowUs + gapUs });
      nowUs += gapUs;
      if (waitUs(level, tokens, limit) > 0) continue;
      level += tokens * limit.tokenUnits;
      taken.push({ atUs: nowUs, tokens });
    }
    for (let from = 0; from < taken.length; from++) {
      let sum = 0;
      for (const { atUs, tokens } of taken.slice(from)) {
        sum += tokens;
        const most = rate.burst + (atUs - taken[from].atUs) * rate.quota / (rate.windowMs * 1000);
        assert.ok(sum <= most + 1e-6, `${sum} of ${most}`);
      }
    }
  }));
});

Deno.test("who waits as long as told is let in, and not a microsecond earlier", () => {
  fc.assert(fc.property(rates, fc.integer({ min: 1, max: 1_000 }), (rate, tokens) => {
    const limit = limitOf(rate);
    const full = limit.capacityUnits;
    const wait = waitUs(full, tokens, limit);
    if (tokens > rate.burst) return assert.equal(wait, Infinity);
    const after = (nowUs: number) => drained(full, limit, { atUs: 0, nowUs });
    assert.equal(waitUs(after(wait), tokens, limit), 0);
    assert.ok(waitUs(after(wait - 1), tokens, limit) > 0);
  }));
});

Deno.test("a clock that steps back drains nothing", () => {
  const limit = limitOf({ quota: 10, windowMs: 1000, burst: 10 });
  assert.equal(drained(limit.capacityUnits, limit, { atUs: 5e6, nowUs: 1e6 }), limit.capacityUnits);
});

for (
  const rate of [{ quota: 0 }, { quota: 1.5 }, { burst: 0 }, { windowMs: -1 }, { burst: 1e13 }]
) {
  Deno.test(`a rate with ${JSON.stringify(rate)} is refused`, () => {
    const whole = { quota: 10, windowMs: 1000, burst: 10, ...rate };
    assert.throws(() => limitOf(whole), /^RangeError: Cannot limit: need whole numbers.*received/);
  });
}
