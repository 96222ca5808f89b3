import assert from "node:assert/strict";
import { Database } from "../database.ts";
import { AuditLog } from "./audit.ts";

function make({ retentionCount = 1000 } = {}) {
  const database = new Database(":memory:");
  const clock = { nowMs: 1000 };
  const audit = new AuditLog(database, {
    retentionCount,
    retentionMs: 500,
    nowMs: () => clock.nowMs,
  });
  const add = (count: number) => {
    for (let i = 0; i < count; i++) {
      audit.add({
        atMs: clock.nowMs,
        who: "ops",
        action: "createPurge",
        method: "POST",
        path: "/purges",
        detail: "x".repeat(500),
        address: "127.0.0.1",
        status: 202,
      });
    }
  };
  return { database, clock, audit, add };
}

Deno.test("the audit log keeps the newest by number and by age, and never a number twice", () => {
  const { database, clock, audit, add } = make({ retentionCount: 10 });
  add(25);
  audit.flush();
  audit.trim();
  const ids = audit.read(undefined, 100).map(({ id }) => id);
  assert.deepEqual(ids, Array.from({ length: 10 }, (_, i) => 16 + i));
  clock.nowMs += 501;
  audit.trim();
  assert.deepEqual(audit.read(undefined, 100), []);
  add(1);
  assert.deepEqual(audit.read(0, 100).map(({ id, detail }) => [id, detail.length]), [[26, 200]]);
  database.close();
});

Deno.test("entries that cannot be written are told of, and the log goes on", () => {
  const { database, audit, add } = make();
  const faults: unknown[] = [];
  audit.onFault((reason) => faults.push(reason));
  database.sql.exec("PRAGMA query_only = 1");
  add(1);
  audit.flush();
  database.sql.exec("PRAGMA query_only = 0");
  add(1);
  assert.deepEqual([faults.length, audit.read(0, 10).length], [1, 1]);
  database.close();
});
