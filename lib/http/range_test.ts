/**
 * Byte ranges: which are served, which are 416, which are ignored.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  formatContentRange,
  formatUnsatisfiedRange,
  parseContentRange,
  parseRange,
} from "./range.ts";

const rows = [
  { rule: "first and last", value: "bytes=0-499", want: [[0, 500]] },
  { rule: "one byte", value: "bytes=0-0", want: [[0, 1]] },
  { rule: "open end", value: "bytes=9500-", want: [[9500, 10_000]] },
  { rule: "suffix", value: "bytes=-500", want: [[9500, 10_000]] },
  { rule: "a suffix longer than the body", value: "bytes=-20000", want: [[0, 10_000]] },
  { rule: "an end past the body", value: "bytes=9500-99999", want: [[9500, 10_000]] },
  { rule: "a huge end", value: `bytes=1-${"9".repeat(400)}`, want: [[1, 10_000]] },
  { rule: "several", value: "bytes=0-0,-1", want: [[0, 1], [9999, 10_000]] },
  { rule: "whitespace", value: "bytes=0-0 ,\t5-6", want: [[0, 1], [5, 7]] },
  { rule: "empty members", value: "bytes=,0-0,,", want: [[0, 1]] },
  { rule: "any case of the unit", value: "BYTES=0-0", want: [[0, 1]] },
  { rule: "some out of reach", value: "bytes=10000-,0-0", want: [[0, 1]] },
  { rule: "a start past the body", value: "bytes=10000-", want: "unsatisfiable" },
  { rule: "an empty suffix", value: "bytes=-0", want: "unsatisfiable" },
  { rule: "another unit", value: "items=0-4", want: undefined },
  { rule: "an end before the start", value: "bytes=5-4", want: undefined },
  { rule: "a sign", value: "bytes=+0-4", want: undefined },
  { rule: "inner whitespace", value: "bytes=0 -4", want: undefined },
  { rule: "no numbers", value: "bytes=-", want: undefined },
  { rule: "no members", value: "bytes=", want: undefined },
  { rule: "one bad member", value: "bytes=0-0,x", want: undefined },
  { rule: "no unit", value: "0-4", want: undefined },
  { rule: "17 ranges", value: `bytes=${"1-1,".repeat(17)}`, want: undefined },
  { rule: "more bytes than there are", value: "bytes=0-,0-", want: undefined },
];

for (const { rule, value, want } of rows) {
  Deno.test(`parseRange() with ${rule} (RFC 9110 §14.1, §14.2)`, () => {
    assert.deepEqual(parseRange(value, 10_000), want);
  });
}

Deno.test("parseRange() on an empty body (RFC 9110 §14.1.2)", () => {
  assert.equal(parseRange("bytes=0-", 0), "unsatisfiable");
  assert.equal(parseRange("bytes=-5", 0), undefined);
});

Deno.test("parseRange() yields only ranges that are in the body", () => {
  const spec = fc.tuple(fc.nat(30), fc.nat(30), fc.constantFrom("ab", "a", "b")).map(
    ([a, b, form]) => `${form.includes("a") ? a : ""}-${form.includes("b") ? b : ""}`,
  );
  fc.assert(fc.property(fc.array(spec), fc.nat(20), (specs, bodyBytes) => {
    const ranges = parseRange(`bytes=${specs.join(",")}`, bodyBytes);
    if (!Array.isArray(ranges)) return;
    assert.ok(ranges.length > 0);
    for (const [start, end] of ranges) assert.ok(0 <= start && start < end && end <= bodyBytes);
  }));
});

Deno.test("formatContentRange() writes what parseContentRange() reads (RFC 9110 §14.4)", () => {
  assert.equal(formatContentRange([0, 500], 1234), "bytes 0-499/1234");
  assert.throws(() => formatContentRange([5, 5], 10), RangeError);
  assert.throws(() => formatContentRange([5, 11], 10), RangeError);
  assert.equal(formatUnsatisfiedRange(1234), "bytes */1234");
});

const contentRanges = [
  { value: "bytes 0-499/1234", want: { range: [0, 500], completeBytes: 1234 } },
  { value: "bytes 42-1233/*", want: { range: [42, 1234], completeBytes: undefined } },
  { value: "bytes */1234", want: { range: undefined, completeBytes: 1234 } },
  { value: "bytes */*", want: undefined },
  { value: "bytes 5-4/10", want: undefined },
  { value: "bytes 0-10/10", want: undefined },
  { value: "bytes=0-4/10", want: undefined },
  { value: "bytes 0-99999999999999999/*", want: undefined },
  { value: "items 0-4/10", want: undefined },
];

for (const { value, want } of contentRanges) {
  Deno.test(`parseContentRange() of "${value}" (RFC 9110 §14.4)`, () => {
    assert.deepEqual(parseContentRange(value), want);
  });
}

Deno.test("parseRange() and parseContentRange() never throw", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    parseRange(text, 100);
    parseRange(`bytes=${text}`, 100);
    parseContentRange(`bytes ${text}`);
  }));
});
