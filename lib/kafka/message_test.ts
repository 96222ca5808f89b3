import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeMessage, encodeMark, encodePurge, EntryReader, type LogLife } from "./message.ts";

const life: LogLife = { logId: "log-1", base: 0 };
const bytes = (text: string) => new TextEncoder().encode(text);
const purge = { id: "p", kind: "tag", value: "news", soft: true, issuer: "ops" } as const;
const at = (offset: number, text: string) => ({ offset, value: bytes(text) });

Deno.test("a purge comes back as it was, with its number", () => {
  const { life: told, record } = decodeMessage(at(7, encodePurge(purge, 5, life)), life);
  assert.deepEqual(record, { ...purge, seq: 7, issuedMs: 5 });
  assert.deepEqual(told, life);
});

Deno.test("a base is added to the offset, and never shrinks within one log", () => {
  const raised = { logId: "log-1", base: 100 };
  assert.equal(decodeMessage(at(7, encodePurge(purge, 5, raised)), life).record?.seq, 107);
  const stale = decodeMessage(at(8, encodePurge(purge, 5, life)), raised);
  assert.deepEqual([stale.record?.seq, stale.life.base], [108, 100]);
});

Deno.test("numbers without a purge are said to be skipped; the first mark of a log is none", () => {
  const reader = new EntryReader(life, 0);
  const entries = reader.read([
    at(0, encodeMark(life)),
    at(1, encodePurge(purge, 1, life)),
    at(2, encodeMark(life)),
    at(4, encodePurge(purge, 1, life)),
    at(5, encodeMark({ ...life, base: 10 })),
    at(6, encodePurge(purge, 1, { ...life, base: 10 })),
  ]);
  const shown = entries?.map((one) => one.kind === "skipped" ? [one.fromSeq, one.seq] : one.seq);
  assert.deepEqual(shown, [1, [2, 2], [3, 3], 4, [5, 15], 16]);
  assert.equal(reader.life.base, 10);
  assert.deepEqual(reader.read([at(6, encodeMark(life))]), [], "read before");
});

Deno.test("a message of another log ends the reading", () => {
  const reader = new EntryReader(life, 0);
  const other = encodePurge(purge, 1, { logId: "log-2", base: 0 });
  assert.equal(reader.read([at(1, encodePurge(purge, 1, life)), at(2, other)]), undefined);
});

Deno.test("what cannot be read purges everything, at its own number", () => {
  for (const value of [null, bytes(""), bytes("7"), bytes('{"log":"log-1"}'), bytes("\xff")]) {
    const { record } = decodeMessage({ offset: 3, value }, { logId: "log-1", base: 4 });
    assert.deepEqual([record?.kind, record?.seq, record?.soft], ["all", 7, false]);
  }
  const later = { ...JSON.parse(encodePurge(purge, 1, life)), kind: "host", value: "a" };
  assert.equal(decodeMessage(at(3, JSON.stringify(later)), life).record?.kind, "all");
});

Deno.test("random messages never throw and never leave a hole", () => {
  const value = fc.oneof(fc.uint8Array(), fc.json().map(bytes), fc.constant(null));
  fc.assert(fc.property(fc.array(value, { maxLength: 20 }), (values) => {
    const reader = new EntryReader(life, 0);
    let seq = 0;
    for (const entry of reader.read(values.map((value, offset) => ({ offset, value }))) ?? []) {
      assert.equal(entry.kind === "skipped" ? entry.fromSeq : entry.seq, seq + 1);
      seq = entry.seq;
    }
  }));
});
