import assert from "node:assert/strict";
import fc from "fast-check";
import { LineSplitter } from "./lines.ts";

const encoder = new TextEncoder();

Deno.test("lines are the same wherever the chunks are cut", () => {
  const line = fc.string({ unit: "grapheme", maxLength: 20 }).map((s) => s.replaceAll("\n", ""));
  fc.assert(fc.property(fc.array(line), fc.array(fc.nat(30)), (lines, cuts) => {
    const bytes = encoder.encode(lines.map((line) => `${line}\n`).join(""));
    const splitter = new LineSplitter();
    const got: string[] = [];
    let at = 0;
    for (const cut of [...cuts, bytes.length]) {
      got.push(...splitter.push(bytes.slice(at, at + cut))!);
      at += cut;
    }
    assert.deepEqual(got, lines);
  }));
});

Deno.test("a line too long is told, whole or not", () => {
  assert.equal(new LineSplitter(4).push(encoder.encode("12345")), undefined);
  assert.equal(new LineSplitter(4).push(encoder.encode("12345\n")), undefined);
  assert.deepEqual(new LineSplitter(4).push(encoder.encode("1234\n1234")), ["1234"]);
});

Deno.test("bytes that are no UTF-8 do not throw", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => {
    new LineSplitter().push(bytes);
  }));
});
