import assert from "node:assert/strict";
import { Database } from "./database.ts";
import { Membership } from "./nodes.ts";
import { Snapshots } from "./snapshots.ts";
import { TopologyRefresh } from "./topology_refresh.ts";

/** A refresh whose snapshots cost `costMs` each, by a clock that the test moves. */
function make(costMs: number) {
  const database = new Database(":memory:");
  const membership = new Membership(database, { lateMs: 1, expiryMs: 1, most: 1000 }, 0);
  const snapshots = new Snapshots(database, [], 0);
  const clock = { steadyMs: 0 };
  const numbers: number[] = [];
  const refresh = new TopologyRefresh({
    membership,
    snapshots,
    nowMs: () => 0,
    steadyMs: () => clock.steadyMs,
    onSnapshot: (number) => {
      clock.steadyMs += costMs;
      numbers.push(number);
    },
  });
  let count = 0;
  const join = () => {
    const url = `http://127.0.0.1/${++count}`;
    const id = `edge-${String(count).padStart(4, "0")}`;
    membership.register({ id, role: "edge", url, adminUrl: url, version: "0", weight: 1 }, 0);
    refresh.changed();
  };
  const close = () => {
    refresh.close();
    database.close();
  };
  return { snapshots, clock, numbers, refresh, join, close };
}

Deno.test("the topology follows each change at once while that is cheap", () => {
  const { numbers, join, refresh, snapshots, close } = make(0.2);
  for (let i = 0; i < 100; i++) join();
  assert.equal(numbers.length, 100);
  refresh.changed();
  assert.equal(numbers.length, 100, "no change, no number");
  assert.equal(snapshots.current.edges.length, 100);
  close();
});

Deno.test("a flood of changes that cost much makes few snapshots, and the last one counts", async () => {
  const { numbers, join, snapshots, clock, close } = make(30);
  for (let i = 0; i < 200; i++) join();
  assert.equal(numbers.length, 2, "then it owes too much");
  while (snapshots.current.edges.length < 200) {
    clock.steadyMs += 10;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(numbers.length, 3);
  clock.steadyMs += 10_000;
  join();
  assert.equal(numbers.length, 4, "the debt is paid off");
  close();
});

Deno.test("a snapshot that storage refuses is told of, and made when storage works again", async () => {
  const database = new Database(":memory:");
  const membership = new Membership(database, { lateMs: 1, expiryMs: 1, most: 10 }, 0);
  const snapshots = new Snapshots(database, [], 0);
  const faults: unknown[] = [];
  const made = Promise.withResolvers<number>();
  const refresh = new TopologyRefresh({
    membership,
    snapshots,
    nowMs: () => 0,
    steadyMs: () => 0,
    onSnapshot: made.resolve,
    onFault: (error) => faults.push(error),
  });
  const url = "http://127.0.0.1/1";
  membership.register({ id: "a", role: "edge", url, adminUrl: url, version: "0", weight: 1 }, 0);
  database.sql.exec("ALTER TABLE snapshots RENAME TO away");
  refresh.changed();
  assert.equal(faults.length, 1);
  assert.equal(snapshots.current.number, 1);
  database.sql.exec("ALTER TABLE away RENAME TO snapshots");
  assert.equal(await made.promise, 2);
  assert.deepEqual(snapshots.current.edges.map(({ id }) => id), ["a"]);
  refresh.close();
  database.close();
});
