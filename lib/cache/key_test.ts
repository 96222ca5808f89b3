import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalTarget } from "#http";
import { cacheKey } from "./key.ts";

// One row a rule; the rest of the canonical form is tested where it lives.
const rows = [
  { rule: "plain", target: "/one/seg-1.ts", want: "/one/seg-1.ts" },
  { rule: "unreserved escapes", target: "/%6Fne", want: "/one" },
  { rule: "dot segments", target: "/a/../b/./c", want: "/b/c" },
  { rule: "an empty query", target: "/a?", want: "/a" },
  { rule: "the order of a query", target: "/a?b=2&a=1", want: "/a?b=2&a=1" },
  { rule: "double slashes", target: "//a//b", want: "//a//b" },
  { rule: "hidden files", target: "/.well-known/x", want: "/.well-known/x" },
  { rule: "a backslash", target: "/a\\b", want: "/a%5Cb" },
  { rule: "a blank and a control", target: "/a b\0", want: "/a%20b%00" },
  { rule: "half a surrogate pair", target: "/\ud800", want: "/%EF%BF%BD" },
  { rule: "the target of OPTIONS", target: "*", want: "*" },
];

for (const { rule, target, want } of rows) {
  Deno.test(`cacheKey(): ${rule}`, () => assert.equal(cacheKey(target), want));
}

const piece = fc.oneof(
  fc.constantFrom(
    "/",
    ".",
    "..",
    "%2e",
    "%2E",
    "%2f",
    "%",
    "%zz",
    "?",
    "&",
    "=",
    ";",
    "\\",
    " ",
    "a",
  ),
  fc.string({ unit: "binary", maxLength: 3 }),
);
const target = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join("")}`);

Deno.test("cacheKey() is idempotent and stays a target", () => {
  fc.assert(
    fc.property(target, (text) => {
      const key = cacheKey(text);
      assert.equal(cacheKey(key), key);
      assert.match(key, /^\/[!-~]*$/);
      assert.doesNotMatch(key.split("?")[0], /\/\.\.?(\/|$)/);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("cacheKey() agrees with the form in which purges are written", () => {
  fc.assert(
    fc.property(target, (text) => {
      const canonical = canonicalTarget(text);
      if (canonical !== undefined) assert.equal(cacheKey(text), canonical);
    }),
    { numRuns: 2000 },
  );
});
