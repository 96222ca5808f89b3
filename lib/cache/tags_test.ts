import assert from "node:assert/strict";
import { type Fields } from "#http";
import { tagsOf } from "./tags.ts";

const tags = (count: number) => Array.from({ length: count }, (_, i) => `t${i}`);

const rows: { rule: string; fields: Fields; want: readonly string[] | "over_limit" }[] = [
  { rule: "none", fields: [["x", "a"]], want: [] },
  {
    rule: "Surrogate-Key by blanks",
    fields: [["surrogate-key", " a  b\tc,d "]],
    want: ["a", "b", "c,d"],
  },
  { rule: "Cache-Tag by commas", fields: [["cache-tag", "a b , c,,"]], want: ["a b", "c"] },
  {
    rule: "several lines, each tag once",
    fields: [["surrogate-key", "a b"], ["cache-tag", "b,c"]],
    want: ["a", "b", "c"],
  },
  { rule: "case matters", fields: [["surrogate-key", "a A"]], want: ["a", "A"] },
  { rule: "128 tags", fields: [["surrogate-key", tags(128).join(" ")]], want: tags(128) },
  { rule: "129 tags", fields: [["surrogate-key", tags(129).join(" ")]], want: "over_limit" },
  {
    rule: "16 KiB and more",
    fields: [["cache-tag", "a".repeat(16 * 1024 + 1)]],
    want: "over_limit",
  },
];

for (const { rule, fields, want } of rows) {
  Deno.test(`tagsOf(): ${rule}`, () => assert.deepEqual(tagsOf(fields), want));
}
