/**
 * Entity tags: reading, lists, both comparisons.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  formatEntityTag,
  parseEntityTag,
  parseEntityTags,
  strongMatch,
  weakMatch,
} from "./entity_tag.ts";

const tags = [
  { value: '"xyzzy"', want: { weak: false, opaque: "xyzzy" } },
  { value: 'W/"xyzzy"', want: { weak: true, opaque: "xyzzy" } },
  { value: '""', want: { weak: false, opaque: "" } },
  { value: '"a,b"', want: { weak: false, opaque: "a,b" } },
  { value: '"\\"', want: { weak: false, opaque: "\\" } },
  { value: '"\x80\xff"', want: { weak: false, opaque: "\x80\xff" } },
  { value: "xyzzy", want: undefined },
  { value: 'w/"xyzzy"', want: undefined },
  { value: 'W/ "xyzzy"', want: undefined },
  { value: '"a b"', want: undefined },
  { value: '"a"b"', want: undefined },
  { value: '"a", "b"', want: undefined },
  { value: '"a', want: undefined },
  { value: "", want: undefined },
];

for (const { value, want } of tags) {
  Deno.test(`parseEntityTag() of ${JSON.stringify(value)} (RFC 9110 §8.8.3)`, () => {
    assert.deepEqual(parseEntityTag(value), want);
    if (want) assert.equal(formatEntityTag(want), value);
  });
}

const lists = [
  { value: "*", want: "*" },
  { value: '"a"', want: ['"a"'] },
  { value: '"a", W/"b" ,"c,d"', want: ['"a"', 'W/"b"', '"c,d"'] },
  { value: ', "a",,', want: ['"a"'] },
  { value: '"a" "b"', want: undefined },
  { value: '"a", *', want: undefined },
  { value: '"a", b', want: undefined },
  { value: ",", want: undefined },
  { value: "", want: undefined },
  { value: " ".repeat(20_000) + "x", want: undefined },
];

for (const { value, want } of lists) {
  Deno.test(`parseEntityTags() of ${JSON.stringify(value.slice(0, 20))} (RFC 9110 §13.1)`, () => {
    const parsed = parseEntityTags(value);
    assert.deepEqual(Array.isArray(parsed) ? parsed.map(formatEntityTag) : parsed, want);
  });
}

// The table of RFC 9110 §8.8.3.2.
const comparisons = [
  { a: 'W/"1"', b: 'W/"1"', strong: false, weak: true },
  { a: 'W/"1"', b: 'W/"2"', strong: false, weak: false },
  { a: 'W/"1"', b: '"1"', strong: false, weak: true },
  { a: '"1"', b: '"1"', strong: true, weak: true },
];

for (const { a, b, strong, weak } of comparisons) {
  Deno.test(`${a} and ${b} compare as in RFC 9110 §8.8.3.2`, () => {
    const [first, second] = [parseEntityTag(a)!, parseEntityTag(b)!];
    assert.equal(strongMatch(first, second), strong);
    assert.equal(weakMatch(first, second), weak);
    assert.equal(strongMatch(second, first), strong);
  });
}

Deno.test("parseEntityTags() never throws", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'W/", \t*ab\0') }), (text) => {
    parseEntityTag(text);
    parseEntityTags(text);
  }));
});
