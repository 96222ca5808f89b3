import assert from "node:assert/strict";
import type { NodeRecord } from "#topology";
import { Database } from "./database.ts";
import { Membership } from "./nodes.ts";

const limits = { lateMs: 10_000, expiryMs: 60_000, most: 3 };

function nodeOf(id: string, more: Partial<NodeRecord> = {}): NodeRecord {
  const url = `http://127.0.0.1/${id}`;
  return { id, role: "edge", url, adminUrl: url, version: "0.1.0", weight: 1, ...more };
}

function make(file = ":memory:", nowMs = 0) {
  const database = new Database(file);
  return { database, members: new Membership(database, limits, nowMs) };
}

const ids = (members: Membership) => members.list().map(({ record }) => record.id);

Deno.test("a silent node is late, then expires; a heartbeat keeps it", () => {
  const { members, database } = make();
  members.register(nodeOf("a"), 0);
  members.register(nodeOf("b"), 0);
  members.heartbeat("b", { appliedSeq: 5, snapshot: 1 }, 50_000);
  const late = () => members.list().map((m) => members.isLate(m, 60_000));
  assert.deepEqual(late(), [true, false]);
  assert.deepEqual(members.expire(60_000), []);
  assert.deepEqual(members.expire(60_001), ["a"]);
  assert.deepEqual(ids(members), ["b"]);
  assert.equal(members.get("b")?.appliedSeq, 5);
  members.heartbeat("a", { appliedSeq: 1, snapshot: 1 }, 60_002);
  assert.deepEqual(ids(members), ["b"], "who is no member is not listened to");
  database.close();
});

Deno.test("a name belongs to one URL while that node speaks", () => {
  const { members, database } = make();
  assert.equal(members.register(nodeOf("a"), 0), "registered");
  assert.equal(members.register(nodeOf("a"), 1), "renewed");
  const moved = nodeOf("a", { url: "http://127.0.0.2/a" });
  assert.equal(members.register(moved, 10_000), "name_taken");
  assert.equal(members.register(moved, 10_002), "renewed");
  assert.equal(members.get("a")?.record.url, "http://127.0.0.2/a");
  database.close();
});

Deno.test("there is room for so many nodes and no more", () => {
  const { members, database } = make();
  for (const id of ["a", "b", "c"]) assert.equal(members.register(nodeOf(id), 0), "registered");
  assert.equal(members.register(nodeOf("d"), 0), "full");
  assert.equal(members.register(nodeOf("c"), 0), "renewed");
  assert.equal(members.leave("a"), true);
  assert.equal(members.leave("a"), false);
  assert.equal(members.register(nodeOf("d"), 0), "registered");
  assert.deepEqual(ids(members), ["b", "c", "d"]);
  database.close();
});

Deno.test("members outlive a restart of control, with the whole expiry time again", async () => {
  const dir = await Deno.makeTempDir();
  const first = make(`${dir}/control.db`);
  first.members.register(nodeOf("a"), 0);
  first.members.register(nodeOf("b"), 0);
  first.members.leave("b");
  first.members.heartbeat("a", { appliedSeq: 9, snapshot: 2 }, 1000);
  first.database.close();
  const { members, database } = make(`${dir}/control.db`, 500_000);
  assert.deepEqual(members.list(), [
    {
      record: nodeOf("a"),
      appliedSeq: 0,
      snapshot: 0,
      registeredMs: 500_000,
      lastSeenMs: 500_000,
    },
  ]);
  assert.deepEqual(members.expire(560_000), []);
  database.close();
  await Deno.remove(dir, { recursive: true });
});
