import assert from "node:assert/strict";
import fc from "fast-check";
import * as v from "valibot";
import { nodeRecordSchema, parseSnapshot } from "./snapshot.ts";

const node = {
  id: "edge-1",
  role: "edge",
  url: "http://127.0.0.1:8080",
  adminUrl: "http://127.0.0.1:9080",
  version: "0.1.0",
};

Deno.test("a node record is read with a weight of 1 unless it says more", () => {
  assert.deepEqual(v.parse(nodeRecordSchema, { ...node, more: 1 }), { ...node, weight: 1 });
});

const bad = [
  { id: "" },
  { id: "-a" },
  { id: "a/b" },
  { id: "a".repeat(65) },
  { role: "origin" },
  { url: "ftp://127.0.0.1/" },
  { url: "javascript:alert(1)" },
  { url: "http://" },
  { url: `http://127.0.0.1/${"a".repeat(512)}` },
  { adminUrl: undefined },
  { region: "a b" },
  { weight: 0 },
  { weight: Infinity },
  { version: "v".repeat(65) },
];
for (const set of bad) {
  Deno.test(`a node record with ${JSON.stringify(set).slice(0, 40)} is refused`, () => {
    assert.equal(v.safeParse(nodeRecordSchema, { ...node, ...set }).success, false);
  });
}

Deno.test("parseSnapshot() never throws", () => {
  const shaped = fc.record({
    number: fc.anything(),
    controlId: fc.string(),
    issuedMs: fc.nat(),
    shields: fc.array(fc.anything()),
    edges: fc.anything(),
  });
  fc.assert(fc.property(fc.oneof(fc.anything(), shaped), (value) => {
    assert.equal(parseSnapshot(value), undefined);
  }));
});
