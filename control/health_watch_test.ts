import assert from "node:assert/strict";
import { Database } from "./database.ts";
import { HealthWatch } from "./health_watch.ts";
import { Membership } from "./nodes.ts";

Deno.test("each change of health is told once, departures are not", () => {
  const database = new Database(":memory:");
  const members = new Membership(database, { lateMs: 10_000, expiryMs: 60_000, most: 9 }, 0);
  for (const id of ["a", "b"]) {
    const url = `http://127.0.0.1/${id}`;
    members.register({ id, role: "edge", url, adminUrl: url, version: "0", weight: 1 }, 0);
  }
  const watch = new HealthWatch();
  const told = (nowMs: number) =>
    watch.look(members, nowMs).map(({ id, reason }) => `${id} ${reason}`);
  const beat = (id: string, nowMs: number) =>
    members.heartbeat(id, { appliedSeq: 0, snapshot: 0 }, nowMs);
  assert.deepEqual(told(0), []);
  beat("a", 8000);
  assert.deepEqual(told(11_000), ["b missed_heartbeats"]);
  assert.deepEqual(told(12_000), []);
  members.setStatus("b", { status: "ADMIN_DOWN", statusReason: "" }, 12_000);
  assert.deepEqual(told(12_000), ["b admin_down"]);
  members.setStatus("b", { status: "REPORTED", statusReason: "" }, 13_000);
  beat("b", 13_000);
  assert.deepEqual(told(13_000), ["b available"]);
  assert.deepEqual(told(30_000), ["a missed_heartbeats", "b missed_heartbeats"]);
  members.leave("a");
  assert.deepEqual(told(31_000), []);
  database.close();
});

Deno.test("what an operator says of a node outlives restarts, OFFLINE takes it out of the topology", async () => {
  const dir = await Deno.makeTempDir();
  const open = () => {
    const database = new Database(`${dir}/control.db`);
    const limits = { lateMs: 10_000, expiryMs: 60_000, most: 9 };
    return { database, members: new Membership(database, limits, 0) };
  };
  const first = open();
  const url = "http://127.0.0.1/a";
  const record = { id: "a", role: "edge" as const, url, adminUrl: url, version: "0", weight: 1 };
  first.members.register(record, 0);
  first.members.setStatus("a", { status: "OFFLINE", statusReason: "moved" }, 0);
  assert.deepEqual(first.members.inTopology(), []);
  first.database.close();
  const second = open();
  assert.deepEqual(second.members.status("a"), { status: "OFFLINE", statusReason: "moved" });
  assert.deepEqual(second.members.inTopology(), []);
  second.members.leave("a");
  second.members.register(record, 0);
  assert.deepEqual(second.members.unavailable("edge", 0), ["a"], "also after it came anew");
  second.members.setStatus("a", { status: "REPORTED", statusReason: "" }, 0);
  assert.deepEqual(second.members.inTopology(), [record]);
  second.database.close();
  await Deno.remove(dir, { recursive: true });
});
