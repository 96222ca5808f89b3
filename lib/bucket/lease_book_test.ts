import assert from "node:assert/strict";
import fc from "fast-check";
import { subjectOf } from "./bucket.ts";
import { LeaseBook } from "./lease_book.ts";
import { type ModelStep, runModel, worstExcess } from "./lease_model_rig.ts";
import { leaseTimes } from "./lease_times.ts";

const rates = fc.record({
  quota: fc.integer({ min: 1, max: 2000 }),
  windowMs: fc.constantFrom(1000, 10_000),
  burst: fc.integer({ min: 1, max: 500 }),
});

const step = (answerUs: fc.Arbitrary<number | undefined>) =>
  fc.record({ requests: fc.array(fc.nat({ max: 60 }), { maxLength: 5 }), answerUs });
const prompt = fc.integer({ min: 100, max: 60_000 });

/** What each node may take before Redis has answered, all together. */
function credits(burst: number, nodes: number): number {
  return nodes * Math.max(Math.ceil(burst / nodes), Math.min(burst, 4));
}

/** What docs/buckets.md promises while Redis answers. */
function promised(
  { quota, windowMs, burst }: { quota: number; windowMs: number; burst: number },
  nodes: number,
) {
  return quota * leaseTimes.lifeUs / (windowMs * 1000) + credits(burst, nodes);
}

Deno.test("all nodes together let in no more than the limit and the promised error", () => {
  const steps = fc.array(step(prompt), { minLength: 50, maxLength: 250 });
  fc.assert(fc.property(rates, fc.integer({ min: 1, max: 5 }), steps, (rate, nodes, steps) => {
    const excess = worstExcess(runModel(rate, nodes, steps), rate);
    assert.ok(excess <= promised(rate, nodes) + 1e-6, `${excess} of ${promised(rate, nodes)}`);
  }));
});

Deno.test("an outage and its end let in one more burst and one more credit at most", () => {
  const steps = fc.tuple(
    fc.array(step(prompt), { minLength: 30, maxLength: 80 }),
    fc.array(step(fc.constant(undefined)), { minLength: 1, maxLength: 120 }),
    fc.array(step(prompt), { minLength: 60, maxLength: 120 }),
  );
  fc.assert(fc.property(rates, fc.integer({ min: 1, max: 5 }), steps, (rate, nodes, parts) => {
    const all = parts.flat();
    const excess = worstExcess(runModel(rate, nodes, all), rate);
    // During the outage the parts may add up to a quarter more than the limit.
    const outageUs = parts[1].length * leaseTimes.tickUs + leaseTimes.settleUs;
    const more = 0.25 * rate.quota * outageUs / (rate.windowMs * 1000);
    const most = promised(rate, nodes) + rate.burst + credits(rate.burst, nodes) + more + nodes;
    assert.ok(excess <= most, `${excess} of ${most}`);
  }));
});

/** Steps of steady load, in requests a second for each node. */
function steady(perSecond: readonly number[], seconds: number, answerUs: number | undefined) {
  const ticks = seconds * 1e6 / leaseTimes.tickUs;
  const owed = perSecond.map(() => 0);
  return Array.from({ length: ticks }, (): ModelStep => {
    const requests = perSecond.map((rate, node) => {
      owed[node] += rate * leaseTimes.tickUs / 1e6;
      const whole = Math.floor(owed[node]);
      owed[node] -= whole;
      return whole;
    });
    return { requests, answerUs };
  });
}

const rate = { quota: 1000, windowMs: 1000, burst: 200 };
const sum = (taken: readonly { tokens: number }[]) =>
  taken.reduce((all, { tokens }) => all + tokens, 0);

Deno.test("with load enough anywhere, the whole limit is used", () => {
  for (const load of [[5000], [5000, 0, 0, 0], [900, 900, 100, 0], [400, 400, 400, 400]]) {
    const got = sum(runModel(rate, load.length, steady(load, 10, 2000)));
    assert.ok(got >= 0.97 * 10_000, `${load}: ${got}`);
  }
});

Deno.test("load below the limit is let in, wherever it comes", () => {
  for (const load of [[900], [800, 50, 50, 0], [225, 225, 225, 225]]) {
    const asked = load.reduce((all, one) => all + one) * 10;
    const got = sum(runModel(rate, load.length, steady(load, 10, 2000)));
    assert.ok(got >= 0.99 * asked, `${load}: ${got} of ${asked}`);
  }
});

Deno.test("with Redis gone the nodes go on with their parts, together about the limit", () => {
  const load = [3000, 1500, 500, 0];
  const before = steady(load, 2, 2000);
  const taken = runModel(rate, 4, [...before, ...steady(load, 10, undefined)]);
  const during = sum(taken.filter(({ atUs }) => atUs >= 2e6));
  assert.ok(during >= 0.8 * 10_000 && during <= 1.25 * 10_000 + rate.burst, `${during}`);
});

Deno.test("a request never waits: the first of somebody unknown come in on credit", () => {
  const book = new LeaseBook({
    rate: { quota: 10, windowMs: 1000, burst: 40 },
    times: leaseTimes,
    nodes: () => 4,
    most: 10,
    onWork: () => {},
  });
  book.back(0);
  book.settled(0);
  const subject = subjectOf("client 192.0.2.1");
  let got = 0;
  while (book.take(subject, 1, 0)) got++;
  assert.equal(got, 10);
  const [call] = book.due(0, 10);
  assert.ok(call.want >= 10, `${call.want}`);
  book.answered(call, { granted: 10, waitUs: 0, part: 1, nodes: 1, left: 30 }, 1000);
  assert.ok(book.take(subject, 1, 1000));
});

Deno.test("tokens that are not spent in the life of their lease are gone, each with its own", () => {
  const book = new LeaseBook({
    rate: { quota: 1000, windowMs: 1000, burst: 100 },
    times: leaseTimes,
    nodes: () => 25,
    most: 10,
    onWork: () => {},
  });
  book.back(0);
  book.settled(0);
  const subject = subjectOf("class /live/");
  const spend = (most: number, nowUs: number) => {
    let got = 0;
    while (got < most && book.take(subject, 1, nowUs)) got++;
    return got;
  };
  const grant = (granted: number, sentUs: number) => {
    const call = { subject: subject.name, want: granted, spent: 0, demand: 1000, sentUs };
    book.answered(call, { granted, waitUs: 0, part: 1, nodes: 25, left: 50 }, sentUs);
  };
  const credit = 4;
  assert.equal(spend(9, 0), credit);
  grant(24, 0);
  assert.equal(spend(5, 100_000), 5);
  grant(10, 300_000);
  // 15 of the first lease are left until its end, then the 10 of the second.
  assert.equal(spend(2, 499_999), 2);
  assert.equal(spend(99, 500_000), 10 + credit);
  grant(20, 900_000);
  assert.equal(spend(99, 1_400_000), credit);
});

Deno.test("whoever owes is not forgotten, and has no new credit after a pause", () => {
  const book = new LeaseBook({
    rate: { quota: 1, windowMs: 60_000, burst: 4 },
    times: leaseTimes,
    nodes: () => 1,
    most: 10,
    onWork: () => {},
  });
  book.back(0);
  book.settled(0);
  const subject = subjectOf("client 192.0.2.1");
  while (book.take(subject, 1, 0));
  const nothing = { granted: 0, waitUs: 60e6, part: 1, nodes: 1, left: 0 };
  for (let nowUs = 0; nowUs < 20e6; nowUs += 250_000) {
    for (const call of book.due(nowUs, 10)) book.answered(call, nothing, nowUs);
    book.forgetIdle(nowUs);
  }
  assert.ok(!book.take(subject, 1, 20e6));
});

Deno.test("more subjects than there are accounts share a table, at a node's part of the limit", () => {
  const book = new LeaseBook({
    rate: { quota: 10, windowMs: 1000, burst: 40 },
    times: leaseTimes,
    nodes: () => 4,
    most: 2,
    onWork: () => {},
  });
  for (let n = 0; n < 2; n++) book.take(subjectOf(`client ${n}`), 1, 0);
  const third = subjectOf("client 3");
  let got = 0;
  while (book.take(third, 1, 0)) got++;
  assert.equal(got, 10);
  assert.equal(book.count(), 2);
});
