import assert from "node:assert/strict";
import { layOut } from "./screen.ts";

Deno.test("rows line up, and the last column is broken between words", () => {
  const long = "word ".repeat(20).trim();
  const lines = layOut([["a", "long name", "short"], ["bcd", "x", long]]);
  assert.equal(lines[0], "a    long name  short");
  assert.equal(lines[1].indexOf("word"), lines[2].indexOf("word"));
  assert.ok(lines.every((line) => line.length <= 80 && line === line.trimEnd()));
  assert.equal(lines.slice(1).join(" ").match(/word/g)?.length, 20);
});

Deno.test("a word longer than its column stands alone", () => {
  const url = "x".repeat(90);
  assert.deepEqual(layOut([["a", `see ${url}`]]), ["a  see", `   ${url}`]);
});
