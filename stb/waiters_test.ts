import assert from "node:assert/strict";
import { Waiters } from "./waiters.ts";

Deno.test("Waiters wakes all who wait for a name, and nobody else", async () => {
  const waiters = new Waiters();
  const waits = [waiters.wait("a", 1000), waiters.wait("a", 1000), waiters.wait("b", 5)];
  assert.equal(waiters.count, 3);
  waiters.wake("a");
  waiters.wake("nobody");
  assert.deepEqual(await Promise.all(waits), [true, true, false]);
  assert.equal(waiters.count, 0);
});

Deno.test("Waiters ends with the signal", async () => {
  const waiters = new Waiters();
  const abort = new AbortController();
  const wait = waiters.wait("a", 60_000, abort.signal);
  abort.abort();
  assert.equal(await wait, false);
  assert.equal(await waiters.wait("a", 60_000, abort.signal), false);
  assert.equal(await waiters.wait("a", 0), false);
  assert.equal(waiters.count, 0);
});
