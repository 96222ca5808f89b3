import assert from "node:assert/strict";
import { Database } from "./database.ts";
import { SqlitePurgeLog } from "./purge_log.ts";
import { type LogUnderTest, orderOf, purgeLogSuite } from "./purge_log_suite.ts";

const hourMs = 3_600_000;

/** Opens a log on a file; `clock` is what it takes for now. */
function openLog(
  file: string,
  { retentionCount = 1000, clock = { nowMs: 1_800_000_000_000 } } = {},
) {
  const database = new Database(file);
  const nowMs = () => clock.nowMs;
  const log = new SqlitePurgeLog(database, { retentionCount, retentionMs: hourMs, nowMs });
  const close = () => {
    log.close();
    database.close();
  };
  return { log, database, clock, close };
}

purgeLogSuite("embedded log", async () => {
  const dir = await Deno.makeTempDir();
  const open = (): LogUnderTest => {
    const { log, close } = openLog(`${dir}/control.db`);
    return {
      log,
      reopen: () => {
        close();
        return Promise.resolve(open());
      },
      close: () => {
        close();
        return Deno.remove(dir, { recursive: true });
      },
    };
  };
  return open();
});

Deno.test("retention by count keeps the newest and says where it starts", async () => {
  const dir = await Deno.makeTempDir();
  const { log, close } = openLog(`${dir}/control.db`, { retentionCount: 3 });
  await log.append(orderOf("one", "/a", "/b", "/c", "/d", "/e"));
  assert.equal(log.trim(), 2);
  assert.equal(log.trim(), 0);
  assert.deepEqual([log.firstSeq, log.lastSeq], [3, 5]);
  assert.deepEqual(log.read(0, 10).map(({ seq }) => seq), [3, 4, 5]);
  close();
  const again = openLog(`${dir}/control.db`);
  assert.deepEqual([again.log.firstSeq, again.log.lastSeq], [3, 5]);
  again.close();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("retention by age; a log that lost all its records still knows its numbers", async () => {
  const dir = await Deno.makeTempDir();
  const { log, clock, close } = openLog(`${dir}/control.db`);
  await log.append(orderOf("old", "/a", "/b"));
  clock.nowMs += hourMs / 2;
  await log.append(orderOf("young", "/c"));
  clock.nowMs += hourMs / 2 + 1;
  assert.equal(log.trim(), 2);
  assert.equal(log.firstSeq, 3);
  clock.nowMs += hourMs;
  assert.equal(log.trim(), 1);
  assert.deepEqual([log.firstSeq, log.lastSeq], [4, 3]);
  close();
  const again = openLog(`${dir}/control.db`);
  assert.deepEqual([again.log.firstSeq, again.log.lastSeq], [4, 3]);
  const [next] = await again.log.append(orderOf("next", "/d"));
  assert.equal(next.seq, 4);
  again.close();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("an append that storage refuses adds nothing and uses up no number", async () => {
  const dir = await Deno.makeTempDir();
  const { log, database, close } = openLog(`${dir}/control.db`);
  await log.append(orderOf("one", "/a"));
  const pages = Number(database.sql.prepare("PRAGMA page_count").get()?.page_count);
  database.sql.exec(`PRAGMA max_page_count = ${pages}`);
  const long = orderOf("two", ...Array.from({ length: 400 }, (_, i) => `/${i}`.padEnd(8000, "x")));
  await assert.rejects(log.append(long), /full/);
  assert.equal(log.lastSeq, 1);
  assert.equal(log.read(0, 10).length, 1);
  database.sql.exec("PRAGMA max_page_count = 100000");
  const [record] = await log.append(orderOf("three", "/b"));
  assert.equal(record.seq, 2);
  close();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a database that is damaged is not opened", async () => {
  const dir = await Deno.makeTempDir();
  const file = `${dir}/control.db`;
  const { log, close } = openLog(file);
  await log.append(orderOf("one", ...Array.from({ length: 500 }, (_, i) => `/${i}`.repeat(20))));
  close();
  const bytes = await Deno.readFile(file);
  for (let at = 8192; at < bytes.length; at += 512) bytes[at] ^= 0xff;
  await Deno.writeFile(file, bytes);
  assert.throws(() => openLog(file));
  await Deno.writeTextFile(file, "not a database at all, but long enough to look at");
  assert.throws(() => openLog(file), /not a database/);
  await Deno.remove(dir, { recursive: true });
});
