import assert from "node:assert/strict";
import fc from "fast-check";
import {
  backOffMs,
  chooseWeighted,
  type Damage,
  defaultPlanPolicy,
  formatRange,
  planRepair,
  totalBytes,
} from "./repair_plan.ts";

const symbol = 1400;

/** Holes of whole symbols in an object of `symbols` symbols. */
function lost(symbols: number, ...indexes: readonly number[]): Damage {
  const holes: [number, number][] = [];
  for (const index of indexes) {
    const last = holes.at(-1);
    if (last !== undefined && last[1] === index * symbol) last[1] += symbol;
    else holes.push([index * symbol, (index + 1) * symbol]);
  }
  return { holes, transferBytes: symbols * symbol, divisible: true };
}

const every = (n: number, count: number) => Array.from({ length: count }, (_, i) => i * n);

// One row for each way out of a repair.
const rows: { what: string; damage: Damage; want: readonly (readonly string[])[] | string }[] = [
  { what: "nothing for an object without holes", damage: lost(10), want: "nothing" },
  { what: "one range for one hole", damage: lost(10, 3), want: [["4200-5599"]] },
  { what: "one range for a burst", damage: lost(10, 3, 4, 5), want: [["4200-8399"]] },
  {
    what: "two ranges in one request when a symbol lies between",
    damage: lost(10, 3, 5),
    want: [["4200-5599", "7000-8399"]],
  },
  { what: "the whole when four fifths are gone", damage: lost(10, ...every(1, 9)), want: "whole" },
  { what: "the whole when nothing came", damage: lost(2, 0, 1), want: "whole" },
  {
    what: "the whole of an encoded object",
    damage: { ...lost(10, 3), divisible: false },
    want: "whole",
  },
];

for (const { what, damage, want } of rows) {
  Deno.test(`planRepair() asks for ${what}`, () => {
    const plan = planRepair(damage);
    const got = plan.kind === "ranges"
      ? plan.requests.map((ranges) => ranges.map(([start, end]) => `${start}-${end - 1}`))
      : plan.kind;
    assert.deepEqual(got, want);
  });
}

Deno.test("planRepair() merges holes that are nearer than a range costs", () => {
  const damage = { holes: [[0, 10], [500, 510]], transferBytes: 5000, divisible: true } as const;
  assert.deepEqual(planRepair(damage), { kind: "ranges", requests: [[[0, 510]]] });
});

Deno.test("planRepair() closes the smallest gaps when there are more holes than ranges", () => {
  const damage = lost(40, 0, 3, 5, 20);
  const policy = { ...defaultPlanPolicy, maxRangesPerRequest: 3, maxRequests: 1 };
  const plan = planRepair(damage, policy);
  assert.ok(plan.kind === "ranges");
  assert.deepEqual(plan.requests, [[[0, 1400], [4200, 8400], [28000, 29400]]]);
});

const damages = fc.integer({ min: 1, max: 400 }).chain((symbols) =>
  fc.uniqueArray(fc.integer({ min: 0, max: symbols - 1 }), { maxLength: symbols })
    .map((indexes) => lost(symbols, ...indexes.sort((a, b) => a - b)))
);

Deno.test("planRepair() covers every hole within its caps", () => {
  fc.assert(fc.property(damages, (damage) => {
    const plan = planRepair(damage);
    if (plan.kind !== "ranges") {
      const received = damage.transferBytes - totalBytes(damage.holes);
      assert.ok(plan.kind === "nothing" ? damage.holes.length === 0 : damage.holes.length > 0);
      assert.ok(received <= damage.transferBytes);
      return;
    }
    const ranges = plan.requests.flat();
    assert.ok(plan.requests.length <= defaultPlanPolicy.maxRequests);
    for (const list of plan.requests) {
      assert.ok(list.length > 0 && list.length <= defaultPlanPolicy.maxRangesPerRequest);
    }
    for (const [i, [start, end]] of ranges.entries()) {
      assert.ok(start < end && end <= damage.transferBytes);
      if (i > 0) assert.ok(start > ranges[i - 1][1]);
    }
    for (const [start, end] of damage.holes) {
      assert.ok(ranges.some(([from, to]) => from <= start && end <= to));
    }
    assert.ok(totalBytes(ranges) <= 0.8 * damage.transferBytes + 1);
  }));
});

Deno.test("formatRange() writes inclusive ends", () => {
  assert.equal(formatRange([[0, 1], [10, 20]]), "bytes=0-0,10-19");
});

Deno.test("backOffMs() adds the draw to the fixed period", () => {
  assert.equal(backOffMs({ fixedMs: 10, randomMs: 200 }, 0), 10);
  assert.equal(backOffMs({ fixedMs: 10, randomMs: 200 }, 0.5), 110);
});

Deno.test("chooseWeighted() never draws weight 0, and follows the weights", () => {
  const places = [{ id: "a", weight: 1 }, { id: "off", weight: 0 }, { id: "b", weight: 3 }];
  const draws = Array.from({ length: 1000 }, (_, i) => chooseWeighted(places, i / 1000)?.id);
  assert.equal(draws.filter((id) => id === "a").length, 250);
  assert.equal(draws.filter((id) => id === "b").length, 750);
  assert.equal(chooseWeighted([{ weight: 0 }], 0.5), undefined);
  assert.equal(chooseWeighted([], 0.5), undefined);
});
