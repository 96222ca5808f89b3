import assert from "node:assert/strict";
import { Slots } from "./slots.ts";

Deno.test("jobs wait for a slot in the order they came, and a failed one frees its slot", async () => {
  const slots = new Slots(1);
  const order: number[] = [];
  const job = (n: number, fails = false) =>
    slots.run(async () => {
      await Promise.resolve();
      order.push(n);
      if (fails) throw new Error("failed");
    });
  const results = await Promise.allSettled([job(1), job(2, true), job(3)]);
  assert.deepEqual(order, [1, 2, 3]);
  assert.deepEqual(results.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
});
