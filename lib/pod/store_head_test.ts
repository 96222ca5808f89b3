import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import type { StoredResponse } from "#cache";
import { type Field, isFieldName, isFieldValue } from "#http";
import { readStoreFields, storeFields } from "./store_head.ts";
import { chosenBy, fieldsOf, storePath, varyOf } from "./store_path.ts";

const text = fc.string({ unit: "binary" });
const response: fc.Arbitrary<StoredResponse> = fc.record({
  key: text,
  variant: text,
  status: fc.integer({ min: 200, max: 599 }),
  fields: fc.array(fc.tuple(text, text)),
  requestSentMs: fc.nat(),
  receivedMs: fc.nat(),
  fillSeq: fc.nat(),
  tags: fc.array(text),
});

Deno.test("a head comes back from the store as it went, whatever is in it", () => {
  fc.assert(fc.property(response, fc.nat(), (head, written) => {
    const object = { kind: "response" as const, written, response: { ...head } };
    const fields = storeFields(object)!;
    for (const [name, value] of fields) assert.ok(isFieldName(name) && isFieldValue(value), name);
    assert.deepEqual(readStoreFields(fields), object);
  }));
});

Deno.test("a head that is too long for a field is not kept", () => {
  const long: StoredResponse = {
    key: "/a",
    variant: "",
    status: 200,
    fields: [["x-long", "x".repeat(50_000)]],
    requestSentMs: 0,
    receivedMs: 0,
    fillSeq: 0,
    tags: [],
  };
  assert.equal(storeFields({ kind: "response", written: 1, response: long }), undefined);
});

Deno.test("what is no head of ours is none", () => {
  fc.assert(fc.property(fc.array(fc.tuple(text, text)), text, text, (fields, head, written) => {
    const sent: Field[] = [...fields, ["downlink-written", written], ["downlink-head", head]];
    const read = readStoreFields(sent);
    assert.ok(read === undefined || read.kind === "response");
  }));
  const good = Buffer.from(JSON.stringify({ key: "/a" })).toString("base64");
  assert.equal(readStoreFields([["downlink-written", "1"], ["downlink-head", good]]), undefined);
  assert.equal(readStoreFields([["downlink-written", "1"], ["downlink-vary", "a,,b"]]), undefined);
});

const rows = [
  [{ key: "/a?b=c", variant: "" }, "/e/-/a?b=c"],
  [{ key: "/film", variant: " outline\n" }, "/e/-/film"],
  [{ key: "/film 12", variant: "" }, "/e/-.12/film"],
  [{ key: "/film", variant: " part\n" }, undefined],
  [{ key: "*", variant: "" }, undefined],
  [{ key: "/a b c", variant: "" }, undefined],
] as const;

for (const [place, path] of rows) {
  Deno.test(`${JSON.stringify(place)} lies at ${path}`, () => {
    assert.equal(storePath("e", place), path);
  });
}

Deno.test("no two places share a path, and none leaves its epoch", () => {
  const key = fc.constantFrom("/a", "/-/a", "/-.1/a", "/a%201", "/b?c=-/a", "//a", "/e/-/a");
  const place = fc.record({
    key: fc.oneof(key, key.map((of) => `${of} 1`)),
    variant: fc.constantFrom("", "accept-encoding:br", "accept-encoding", "a:b\nc:d"),
  });
  fc.assert(fc.property(place, place, (a, b) => {
    assert.ok(storePath("e", a)!.startsWith("/e/"));
    const same = a.key === b.key && a.variant === b.variant;
    assert.equal(storePath("e", a) === storePath("e", b), same);
  }));
});

Deno.test("a variant says which fields chose it, and what was in them", () => {
  const variant = "accept-encoding:gzip,br\naccept-language";
  assert.deepEqual(varyOf(variant), ["accept-encoding", "accept-language"]);
  assert.deepEqual(fieldsOf(variant), [["accept-encoding", "gzip,br"]]);
  assert.equal(chosenBy(` outline\n${variant}`), variant);
});
