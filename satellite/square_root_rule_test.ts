import assert from "node:assert/strict";
import fc from "fast-check";
import { type CarouselItem, CarouselPlanner, type Outgoing } from "./planner.ts";
import { leastMeanWaitMs, planCarousel, type RuledFile } from "./square_root_rule.ts";

const mbit = 1e6;
const hourMs = 3_600_000;

Deno.test("periods go with the square root of size over popularity", () => {
  const files = [
    { wireBytes: 1e6, popularity: 1, acquisitionMs: hourMs },
    { wireBytes: 4e6, popularity: 1, acquisitionMs: hourMs },
    { wireBytes: 1e6, popularity: 9, acquisitionMs: hourMs },
  ];
  const { periods, fits } = planCarousel(files, 8 * mbit);
  // sqrt(1) + sqrt(4) + sqrt(9) = 6 seconds, as each megabyte takes a second.
  assert.deepEqual(periods.map(({ periodMs }) => Math.round(periodMs)), [6000, 12_000, 2000]);
  assert.deepEqual(periods.map(({ share }) => share.toFixed(3)), ["0.167", "0.333", "0.500"]);
  assert.ok(fits);
});

Deno.test("the plan uses all of the rate and is the best there is", () => {
  fc.assert(fc.property(carousels(), (files) => {
    const plan = planCarousel(files, 50 * mbit);
    const used = plan.periods.reduce((sum, { share }) => sum + share, 0);
    assert.ok(Math.abs(used - 1) < 1e-9, `${used} of the rate`);
    assert.ok(plan.meanWaitMs >= leastMeanWaitMs(files, 50 * mbit) * (1 - 1e-9));
    // Moving rate from one file to another only makes it worse.
    const wait = (shares: number[]) =>
      shares.reduce((sum, share, at) => {
        return sum + files[at].popularity * plan.periods[at].passMs / share / 2;
      }, 0);
    const shares = plan.periods.map(({ share }) => share);
    const moved = shares.with(0, shares[0] * 1.1).with(1, shares[1] - shares[0] * 0.1);
    if (moved[1] > 0) assert.ok(wait(moved) >= wait(shares) * (1 - 1e-9));
  }));
});

Deno.test("no file waits longer than it may; the others share what that leaves", () => {
  const files = [
    { wireBytes: 1e6, popularity: 0, acquisitionMs: 20_000 },
    { wireBytes: 1e6, popularity: 1, acquisitionMs: hourMs },
    { wireBytes: 1e6, popularity: 1, acquisitionMs: 1500 },
  ];
  const { periods, fits } = planCarousel(files, 8 * mbit);
  const [rare, usual, urgent] = periods.map(({ periodMs }) => periodMs);
  assert.ok(fits);
  assert.equal(rare, 20_000);
  assert.equal(urgent, 1500);
  assert.ok(Math.abs(1000 / usual - (1 - 1000 / 20_000 - 1000 / 1500)) < 1e-9);
});

Deno.test("a plan that cannot fit says what it needs", () => {
  const files = [
    { wireBytes: 1e6, popularity: 1, acquisitionMs: 1000 },
    { wireBytes: 3e6, popularity: 1, acquisitionMs: 4000 },
  ];
  const plan = planCarousel(files, 8 * mbit);
  assert.equal(plan.fits, false);
  assert.equal(plan.neededBitsPerSecond, 14 * mbit);
  assert.deepEqual(plan.periods.map(({ periodMs }) => periodMs), [1750, 7000]);
});

/** A file that notes when its passes begin. */
class Airing implements CarouselItem {
  readonly starts: number[] = [];
  readonly refillMs = 1;
  constructor(readonly file: RuledFile) {}
  get acquisitionMs(): number {
    return this.file.acquisitionMs;
  }
  get popularity(): number {
    return this.file.popularity;
  }
  wireBytes(): number {
    return this.file.wireBytes;
  }
  *open(nowMs: number): Iterable<Outgoing> {
    this.starts.push(nowMs);
    for (let left = this.file.wireBytes; left > 0; left -= 20_000) {
      yield { packet: new Uint8Array(Math.min(left, 20_000)), traffic: "file" };
    }
  }
}

/** The mean wait of receivers that tune in at random, to the last packet of a pass. */
function airedMeanWaitMs(files: readonly RuledFile[], bitsPerSecond: number): number {
  const planner = new CarouselPlanner({ bitsPerSecond });
  const airings = files.map((file) => new Airing(file));
  for (const airing of airings) planner.repeat(airing);
  const longest = Math.max(...planCarousel(files, bitsPerSecond).periods.map((p) => p.periodMs));
  const endMs = 12 * longest;
  for (let nowMs = 0; nowMs < endMs;) {
    const next = planner.next(nowMs);
    nowMs += next === undefined ? 1 : next.packet.length * 8000 / bitsPerSecond;
  }
  const total = files.reduce((sum, { popularity }) => sum + popularity, 0);
  return airings.reduce((sum, { file, starts }) => {
    // In a gap of g somebody waits g / 2, and falls into it in proportion to g.
    const gaps = starts.slice(1).map((start, at) => start - starts[at]);
    const span = gaps.reduce((a, b) => a + b, 0);
    const wait = gaps.reduce((a, gap) => a + gap ** 2, 0) / span / 2;
    const passMs = file.wireBytes * 8000 / bitsPerSecond;
    return sum + file.popularity / total * (wait + passMs);
  }, 0);
}

Deno.test("what is aired keeps the mean wait within 1.10 of the least, for any popularity", () => {
  for (const skew of [0, 0.6, 1, 1.4]) {
    for (const count of [8, 40]) {
      const files = Array.from({ length: count }, (_, at): RuledFile => ({
        wireBytes: 200_000 * (1 + (at * 7) % 23), // 0.2 to 4.6 MB, in no order
        popularity: 1 / (at + 1) ** skew,
        acquisitionMs: hourMs,
      }));
      const aired = airedMeanWaitMs(files, 40 * mbit);
      const ratio = aired / leastMeanWaitMs(files, 40 * mbit);
      assert.ok(ratio <= 1.1, `${ratio.toFixed(3)} for ${count} files of skew ${skew}`);
    }
  }
});

function carousels(): fc.Arbitrary<RuledFile[]> {
  return fc.array(
    fc.record({
      wireBytes: fc.integer({ min: 1000, max: 10_000_000 }),
      popularity: fc.integer({ min: 1, max: 1000 }),
      acquisitionMs: fc.constant(1e12),
    }),
    { minLength: 2, maxLength: 30 },
  );
}
