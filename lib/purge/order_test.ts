import assert from "node:assert/strict";
import fc from "fast-check";
import { maxOrderValues, readOrder } from "./order.ts";

Deno.test("an order is hard unless it says soft, and counts equal values once", () => {
  const values = ["/a", "http://cdn.example/a", "/b/../a", "/c"];
  assert.deepEqual(readOrder({ kind: "url", values }), {
    kind: "order",
    order: { kind: "url", values: ["/a", "/c"], soft: false, dryRun: false },
  });
});

Deno.test("an order for all needs no values", () => {
  for (const values of [undefined, [], [""], ["*"]]) {
    assert.deepEqual(readOrder({ kind: "all", values, soft: true, dryRun: true }), {
      kind: "order",
      order: { kind: "all", values: [""], soft: true, dryRun: true },
    });
  }
});

const refused = [
  { what: "no object", body: 7, says: /need Object as body: received 7$/ },
  { what: "null", body: null, says: /need Object as body: received null$/ },
  { what: "no kind", body: { values: ["a"] }, says: /as kind/ },
  {
    what: "an unknown kind",
    body: { kind: "host", values: ["a"] },
    says: /as kind: received "host"$/,
  },
  { what: "no values", body: { kind: "tag" }, says: /need 1 to 500 values: received none$/ },
  {
    what: "a value that is no text",
    body: { kind: "tag", values: [1] },
    says: /as values\.0: received 1$/,
  },
  {
    what: "too many values",
    body: { kind: "tag", values: Array(501).fill("a") },
    says: /as values/,
  },
  { what: "a bad value", body: { kind: "url", values: ["/a", "b"] }, says: /received "b"$/ },
  { what: "soft that is no boolean", body: { kind: "all", soft: "no" }, says: /as soft/ },
  { what: "a word too much", body: { kind: "all", host: "a" }, says: /as host/ },
];

for (const { what, body, says } of refused) {
  Deno.test(`an order with ${what} is refused in one sentence`, () => {
    const reading = readOrder(body);
    assert.equal(reading.kind, "refused");
    const sentence = reading.kind === "refused" ? reading.sentence : "";
    assert.match(sentence, /^Cannot purge: need [^\n]{1,200}$/);
    assert.match(sentence, says);
  });
}

Deno.test("readOrder() never throws", () => {
  const shaped = fc.record({ kind: fc.anything(), values: fc.anything(), soft: fc.anything() }, {
    requiredKeys: [],
  });
  fc.assert(fc.property(fc.oneof(fc.anything(), shaped), (body) => {
    const reading = readOrder(body);
    if (reading.kind === "order") assert.ok(reading.order.values.length <= maxOrderValues);
  }));
});
