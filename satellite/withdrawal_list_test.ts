import assert from "node:assert/strict";
import fc from "fast-check";
import type { LogEntry } from "#purge";
import { WithdrawalFile } from "./withdrawal_file.ts";
import { WithdrawalList } from "./withdrawal_list.ts";

function record(seq: number, value = "news"): LogEntry {
  return { seq, id: `p${seq}`, kind: "tag", value, soft: false, issuedMs: 0, issuer: "ops" };
}

Deno.test("entries that follow are listed; a hole or another log begins the list anew", () => {
  assert.equal(new WithdrawalList().withdrawals, undefined);
  const list = new WithdrawalList();
  list.note("L", [], 7);
  assert.deepEqual(list.withdrawals, { logId: "L", afterSeq: 7, entries: [] });
  list.note("L", [record(8), record(9)], 9);
  list.note("L", [], 9);
  assert.deepEqual(list.withdrawals?.entries.map(({ seq }) => seq), [8, 9]);
  list.note("L", [{ kind: "skipped", fromSeq: 10, seq: 19 }, record(20)], 20);
  assert.deepEqual(list.withdrawals?.entries.map(({ seq }) => seq), [8, 9, 19, 20]);
  list.note("L", [record(30)], 30);
  assert.deepEqual(list.withdrawals, { logId: "L", afterSeq: 29, entries: [record(30)] });
  list.note("M", [], 3);
  assert.deepEqual(list.withdrawals, { logId: "M", afterSeq: 3, entries: [] });
});

Deno.test("the list is bounded in number and bytes, and stays without a hole", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 1, max: 8000 }), { maxLength: 60 }),
    fc.integer({ min: 0, max: 3000 }),
    (lengths, small) => {
      const list = new WithdrawalList();
      let seq = 0;
      for (const length of lengths) list.note("L", [record(++seq, "x".repeat(length))], seq);
      list.note("L", Array.from({ length: small }, () => record(++seq)), seq);
      const { afterSeq, entries } = list.withdrawals!;
      assert.ok(entries.length <= 1024 && JSON.stringify(entries).length <= 49_200);
      entries.forEach((entry, at) => assert.equal(entry.seq, afterSeq + at + 1));
      assert.equal(afterSeq + entries.length, seq);
    },
  ));
});

Deno.test("the list outlives a restart, and a damaged file is an empty list", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const path = `${dir}/withdrawals.json`;
    const file = await WithdrawalFile.open(path);
    file.note(undefined, [record(1)], 1);
    file.note("L", [record(1), record(2)], 2);
    file.note("L", [record(3)], 3);
    await file.close();
    const again = await WithdrawalFile.open(path);
    assert.deepEqual(again.list.withdrawals, file.list.withdrawals);
    again.note("L", [record(4)], 4);
    assert.equal(again.list.withdrawals?.entries.length, 4);
    await again.close();
    await Deno.writeTextFile(path, '{"logId":"L","afterSeq":0,"entries":[{"seq":"one"}]}');
    assert.equal((await WithdrawalFile.open(path)).list.withdrawals, undefined);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
