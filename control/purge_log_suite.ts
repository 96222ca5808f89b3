/**
 * What every purge log must do, as tests: one suite for all logs.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { NewPurge, PurgeLog } from "#purge";

/** A log under test that can be closed and opened again on the same storage. */
export interface LogUnderTest {
  readonly log: PurgeLog;
  reopen(): Promise<LogUnderTest>;
  close(): Promise<void>;
}

/** Returns an order of purges by path. */
export function orderOf(id: string, ...values: readonly string[]): NewPurge[] {
  return values.map((value) => ({ id, kind: "url", value, soft: false, issuer: "test" }));
}

/** How the suite is registered. */
export interface SuiteOptions {
  readonly ignore?: boolean;
  /** The logs share a server that outlives each test. */
  readonly shared?: boolean;
}

/** Registers the suite for one kind of log. */
export function purgeLogSuite(
  name: string,
  open: () => Promise<LogUnderTest>,
  { ignore = false, shared = false }: SuiteOptions = {},
): void {
  const test = (what: string, work: (opened: LogUnderTest) => Promise<LogUnderTest | void>) =>
    Deno.test({
      name: `${name}: ${what}`,
      ignore,
      sanitizeOps: !shared,
      sanitizeResources: !shared,
      async fn() {
        const opened = await open();
        const last = await work(opened) ?? opened;
        await last.close();
      },
    });

  test("an empty log starts at 1 and holds nothing", async ({ log }) => {
    assert.deepEqual([log.firstSeq, log.lastSeq], [1, 0]);
    assert.deepEqual(await log.read(0, 10), []);
    assert.notEqual(log.logId, "");
  });

  test("an order gets numbers without a hole, in order", async ({ log }) => {
    const records = await log.append(orderOf("one", "/a", "/b", "/c"));
    assert.deepEqual(records.map(({ seq }) => seq), [1, 2, 3]);
    assert.deepEqual(log.read(0, 10), records);
    assert.deepEqual(log.read(1, 1), [records[1]]);
    assert.deepEqual(log.order("one"), records);
    assert.deepEqual(log.order("two"), []);
    assert.deepEqual(log.newest(2), [records[2], records[1]]);
    assert.equal(log.lastSeq, 3);
  });

  test("orders at the same time do not mix", async ({ log }) => {
    const orders = Array.from({ length: 20 }, (_, i) => log.append(orderOf(`${i}`, "/a", "/b")));
    const seqs = (await Promise.all(orders)).map((records) => records.map(({ seq }) => seq));
    for (const [first, second] of seqs) assert.equal(second, first + 1);
    assert.deepEqual(seqs.flat().sort((a, b) => a - b), log.read(0, 100).map(({ seq }) => seq));
    for (const [i, [first]] of seqs.entries()) assert.equal(log.order(`${i}`)[0].seq, first);
  });

  test("everything is there after it was opened again", async (opened) => {
    const records = await opened.log.append(orderOf("one", "/a", "/\u00e9\n\"'", ""));
    const { logId } = opened.log;
    const again = await opened.reopen();
    assert.equal(again.log.logId, logId);
    assert.deepEqual(again.log.read(0, 10), records);
    const [next] = await again.log.append(orderOf("two", "/b"));
    assert.equal(next.seq, 4);
    return again;
  });

  test("waitBeyond() wakes at an append, or at once, or when aborted", async ({ log }) => {
    const never = new AbortController();
    let woken = 0;
    const waits = Array.from(
      { length: 3 },
      () => log.waitBeyond(0, never.signal).then(() => woken++),
    );
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(woken, 0);
    await log.append(orderOf("one", "/a"));
    await Promise.all(waits);
    await log.waitBeyond(0, never.signal);
    const stop = new AbortController();
    const stopped = log.waitBeyond(1, stop.signal);
    stop.abort();
    await stopped;
    await log.waitBeyond(1, stop.signal);
  });

  test("skipTo() leaves a hole that readers see, and never goes back", async (opened) => {
    const { log } = opened;
    await log.append(orderOf("one", "/a"));
    assert.equal(await log.skipTo(1), false);
    assert.equal(await log.skipTo(9), true);
    assert.equal(await log.skipTo(9), false);
    assert.equal(await log.skipTo(4), false);
    const [record] = await log.append(orderOf("two", "/b"));
    assert.equal(record.seq, 10);
    assert.deepEqual(log.read(1, 10), [{ kind: "skipped", fromSeq: 2, seq: 9 }, record]);
    assert.deepEqual(log.newest(5).map(({ seq }) => seq), [10, 1]);
    await assert.rejects(
      log.skipTo(Number.MAX_SAFE_INTEGER),
      /^RangeError: Cannot skip purge numbers/,
    );
    const again = await opened.reopen();
    assert.equal(again.log.lastSeq, 10);
    assert.equal(again.log.read(1, 10).length, 2);
    return again;
  });
}
