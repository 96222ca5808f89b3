import assert from "node:assert/strict";
import fc from "fast-check";
import { type Subject, subjectOf } from "./bucket.ts";
import { BucketTable } from "./bucket_table.ts";
import { limitOf } from "./gcra.ts";

const rate = { quota: 10, windowMs: 1000, burst: 10 };
const limit = limitOf(rate);

/** A table with one set of eight places: everybody meets. */
const crowded = () => new BucketTable(limit, 8);
const someone = (n: number): Subject => ({ name: `s${n}`, hash: { low: n, high: n } });

Deno.test("each subject has a bucket of its own", () => {
  const table = new BucketTable(limit, 1024);
  for (let n = 0; n < 100; n++) {
    const subject = subjectOf(`client 192.0.2.${n}`);
    for (let taken = 0; taken < rate.burst; taken++) assert.ok(table.take(subject, 1, 0));
    assert.ok(!table.take(subject, 1, 0));
    assert.equal(table.waitUs(subject, 1, 0), 100_000);
  }
  assert.equal(table.count(0), 100);
  assert.equal(table.count(1_000_000), 0);
});

Deno.test("nobody gets a new burst by pushing himself out with other addresses", () => {
  const table = crowded();
  const me = someone(1);
  while (table.take(me, 1, 0));
  // A thousand other addresses take what they can, and with it every place of the set.
  for (let n = 2; n < 1000; n++) while (table.take(someone(n), 1, 0));
  assert.ok(!table.take(me, 1, 0));
  assert.ok(!table.take(me, 1, 99_999));
  assert.ok(table.take(me, 1, 100_000));
});

Deno.test("whoever cycles addresses takes no more than the places of the set together", () => {
  const table = crowded();
  let taken = 0;
  for (let n = 0; n < 100_000; n++) if (table.take(someone(n), 1, n * 10)) taken++;
  assert.ok(taken <= 8 * (rate.burst + 1 * rate.quota), `${taken}`);
});

Deno.test("a place whose bucket is full again is given away for nothing", () => {
  const table = crowded();
  for (let n = 0; n < 8; n++) while (table.take(someone(n), 1, 0));
  assert.ok(!table.take(someone(9), 1, 0));
  const later = 1_000_000;
  for (let taken = 0; taken < rate.burst; taken++) assert.ok(table.take(someone(9), 1, later));
});

Deno.test("a subject never takes more than alone, whoever else comes", () => {
  const steps = fc.array(
    fc.record({ who: fc.nat({ max: 30 }), gapUs: fc.nat({ max: 200_000 }) }),
    { maxLength: 400 },
  );
  fc.assert(fc.property(steps, (steps) => {
    const table = crowded();
    const alone = new BucketTable(limit, 8);
    let nowUs = 0;
    for (const { who, gapUs } of steps) {
      nowUs += gapUs;
      const got = table.take(someone(who), 1, nowUs);
      // What was got in the crowd fits the bucket of one who has it to himself.
      if (who === 0 && got) assert.ok(alone.take(someone(0), 1, nowUs));
    }
  }));
});

Deno.test("what is charged after the fact keeps the next one out until it has drained", () => {
  const table = crowded();
  table.charge(someone(1), 25, 0);
  assert.equal(table.waitUs(someone(1), 1, 0), 1_600_000);
  assert.ok(!table.take(someone(1), 1, 1_599_999));
  assert.ok(table.take(someone(1), 1, 1_600_000));
});

Deno.test("a refund gives back no more than was taken", () => {
  const table = crowded();
  table.take(someone(1), 3, 0);
  table.refund(someone(1), 5, 0);
  assert.equal(table.count(0), 0);
  for (let taken = 0; taken < rate.burst; taken++) assert.ok(table.take(someone(1), 1, 0));
  assert.ok(!table.take(someone(1), 1, 0));
});
