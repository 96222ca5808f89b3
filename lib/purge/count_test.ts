import assert from "node:assert/strict";
import { countHits, parsePurgeCount } from "./count.ts";
import { readOrder } from "./order.ts";

const entries = ["/news/1", "/news/2?x", "/film/1"].map((key, i) => ({
  key,
  tags: i === 2 ? ["a", "b"] : ["a"],
  bodyBytes: 10 ** i,
}));

async function count(body: unknown) {
  const reading = readOrder(body);
  assert.ok(reading.kind === "order");
  return await countHits(entries, reading.order, 1000);
}

const rows = [
  { body: { kind: "url", values: ["/news/1", "/none"] }, objects: 1, bytes: 1 },
  { body: { kind: "prefix", values: ["/news"] }, objects: 2, bytes: 11 },
  { body: { kind: "tag", values: ["b", "a"], soft: true }, objects: 3, bytes: 111 },
  { body: { kind: "tag", values: ["b"] }, objects: 1, bytes: 100 },
  { body: { kind: "all" }, objects: 3, bytes: 111 },
];
for (const { body, objects, bytes } of rows) {
  Deno.test(`a count of ${JSON.stringify(body)} is what the purge would hit`, async () => {
    const counted = await count(body);
    assert.deepEqual([counted.objects, counted.bytes, counted.complete], [objects, bytes, true]);
    assert.equal(counted.examples.length, objects);
    assert.deepEqual(parsePurgeCount(JSON.stringify(counted)), counted);
  });
}

Deno.test("a count ends when its time does, and says so", async () => {
  function* endless() {
    for (let i = 0;; i++) yield { ...entries[0], key: `/${i}` };
  }
  const reading = readOrder({ kind: "all" });
  assert.ok(reading.kind === "order");
  const counted = await countHits(endless(), reading.order, 20);
  assert.equal(counted.complete, false);
  assert.ok(counted.objects > 0);
  assert.equal(counted.examples.length, 10);
});

for (const text of ["", "{}", "[]", '{"objects":-1,"bytes":0,"examples":[],"complete":true}']) {
  Deno.test(`${text || "nothing"} is no count`, () =>
    assert.equal(parsePurgeCount(text), undefined));
}
