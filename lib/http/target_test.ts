/**
 * The canonical target: one form for all spellings of a path, never two paths in one form.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalTarget } from "./target.ts";

const rows = [
  { rule: "unreserved escapes", target: "/%7euser/%41%2d", want: "/~user/A-" },
  { rule: "hex in upper case", target: "/a%2fb", want: "/a%2Fb" },
  { rule: "no second decoding", target: "/%2541", want: "/%2541" },
  { rule: "a stray percent", target: "/100%/%zz", want: "/100%25/%25zz" },
  { rule: "dot segments", target: "/a/./b/../c", want: "/a/c" },
  { rule: "escaped dot segments", target: "/a/%2e%2E/c", want: "/c" },
  { rule: "dot segments at the end", target: "/a/b/..", want: "/a/" },
  { rule: "dot segments above the root", target: "/../../a", want: "/a" },
  { rule: "double slashes", target: "//a//b", want: "//a//b" },
  { rule: "an empty query", target: "/a?", want: "/a" },
  { rule: "query order and case", target: "/a?B=2&a=%7e", want: "/a?B=2&a=~" },
  { rule: "dots in the query", target: "/a?x=/../y", want: "/a?x=/../y" },
  { rule: "non-ASCII text", target: "/\u00fc", want: "/%C3%BC" },
  { rule: "no slash first", target: "a", want: undefined },
  { rule: "a space", target: "/a b", want: undefined },
  { rule: "a backslash", target: "/a\\b", want: undefined },
  { rule: "a control character", target: "/a\r\nb", want: undefined },
  { rule: "half a surrogate pair", target: "/\ud800", want: undefined },
];

for (const { rule, target, want } of rows) {
  Deno.test(`canonicalTarget() with ${rule} (RFC 3986 §6.2.2)`, () => {
    assert.equal(canonicalTarget(target), want);
  });
}

Deno.test("canonicalTarget() leaves a canonical target alone", () => {
  const text = fc.string({ unit: fc.constantFrom(..."/.%2eE4fa?\u00fc~") });
  fc.assert(fc.property(text, (text) => {
    const once = canonicalTarget(`/${text}`);
    assert.ok(once !== undefined);
    assert.equal(canonicalTarget(once), once);
  }));
});
