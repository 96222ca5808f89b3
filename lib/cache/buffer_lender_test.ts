import assert from "node:assert/strict";
import { BufferLender } from "./buffer_lender.ts";

const MiB = 2 ** 20;

Deno.test("what is lent is nobody else's until it is given back", () => {
  const lender = new BufferLender();
  const one = lender.lend(1000);
  const other = lender.lend(1000);
  assert.ok(one && other && one.bytes.length === 1000);
  assert.notEqual(one.bytes.buffer, other.bytes.buffer);
  one.done(true);
  one.done(true);
  const again = lender.lend(2000);
  assert.equal(again?.bytes.buffer, one.bytes.buffer);
  assert.notEqual(lender.lend(1)?.bytes.buffer, one.bytes.buffer);
});

Deno.test("what somebody may still read is never lent again, and another takes its place", () => {
  const lender = new BufferLender();
  const lent = Array.from({ length: 16 }, () => lender.lend(MiB));
  assert.equal(lender.lend(MiB), undefined, "all are out");
  assert.equal(lender.lend(MiB + 1), undefined, "too large");
  assert.ok(lender.lend(1), "the small ones are others");
  lent[0]?.done(false);
  const fresh = lender.lend(MiB);
  assert.ok(fresh && lent.every((one) => one?.bytes.buffer !== fresh.bytes.buffer));
});
