import assert from "node:assert/strict";
import fc from "fast-check";
import { parseLogEntry } from "./record.ts";

const record = {
  seq: 7,
  id: "one",
  kind: "tag",
  value: "news",
  soft: false,
  issuedMs: 1,
  issuer: "api",
} as const;

Deno.test("a record is read as it is, without what it does not need", () => {
  assert.deepEqual(parseLogEntry({ ...record, later: 1 }), record);
});

Deno.test("a kind that is not known yet is honoured as all", () => {
  const entry = parseLogEntry({ ...record, kind: "host", value: "cdn.example", soft: true });
  assert.deepEqual(entry, { ...record, kind: "all", value: "", soft: true });
});

Deno.test("a hole in the log is read; a hole that ends before it starts is not", () => {
  assert.deepEqual(parseLogEntry({ kind: "skipped", fromSeq: 3, seq: 9 }), {
    kind: "skipped",
    fromSeq: 3,
    seq: 9,
  });
  assert.equal(parseLogEntry({ kind: "skipped", fromSeq: 9, seq: 3 }), undefined);
});

const bad = [
  { seq: 0 },
  { seq: 1.5 },
  { seq: 2 ** 53 },
  { seq: "7" },
  { id: "" },
  { id: "x".repeat(65) },
  { value: "x".repeat(8193) },
  { soft: 1 },
  { issuedMs: -1 },
  { issuer: null },
];
for (const set of bad) {
  Deno.test(`a record with ${JSON.stringify(set).slice(0, 30)} is none`, () => {
    assert.equal(parseLogEntry({ ...record, ...set }), undefined);
  });
}

Deno.test("parseLogEntry() never throws", () => {
  fc.assert(fc.property(fc.anything(), (value) => {
    parseLogEntry(value);
  }));
});
