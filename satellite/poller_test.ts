import assert from "node:assert/strict";
import { backOffMs, Poller } from "./poller.ts";

/** Waits until something holds, half a minute at most. */
async function until(holds: () => boolean): Promise<void> {
  for (const lastMs = performance.now() + 30_000; !holds() && performance.now() < lastMs;) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assert.ok(holds());
}

Deno.test("turns follow each other after the pause that each asks for", async () => {
  let turns = 0;
  const poller = new Poller(() => Promise.resolve(++turns < 3 ? 1 : 60_000));
  poller.start();
  await until(() => turns === 3);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(turns, 3);
  await poller.stop();
});

Deno.test("a kick ends the pause, and one that comes during a turn makes another follow", async () => {
  let turns = 0;
  const poller = new Poller(async () => {
    turns++;
    await new Promise((resolve) => setTimeout(resolve, 10));
    return 60_000;
  });
  poller.start();
  poller.kick();
  await until(() => turns === 2);
  poller.kick();
  await until(() => turns === 3);
  await poller.stop();
});

Deno.test("stop() aborts the turn under way and waits for its end", async () => {
  let ended = false;
  const poller = new Poller((signal) =>
    new Promise((resolve) =>
      signal.addEventListener("abort", () => {
        ended = true;
        resolve(60_000);
      })
    )
  );
  poller.start();
  await poller.stop();
  assert.equal(ended, true);
});

Deno.test("the wait doubles with each failure up to its limit", () => {
  const limits = { firstMs: 250, lastMs: 4000 };
  assert.deepEqual([1, 2, 3, 5, 99].map((n) => backOffMs(n, limits)), [250, 500, 1000, 4000, 4000]);
});
