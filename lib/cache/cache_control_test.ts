import assert from "node:assert/strict";
import fc from "fast-check";
import { growthOf } from "#rigs";
import { CacheControl, maxDeltaSeconds, requestControl, responseControl } from "./cache_control.ts";

const read = (...lines: string[]) => new CacheControl(lines);

// What max-age says: one row a rule (RFC 9111 §1.2.2, §4.2.1, §5.2).
const lifetimes: { rule: string; lines: string[]; want: number | undefined }[] = [
  { rule: "plain", lines: ["max-age=60"], want: 60 },
  { rule: "names are case-insensitive", lines: ["MaX-aGe=60"], want: 60 },
  { rule: "quoted", lines: ['max-age="60"'], want: 60 },
  { rule: "quoted pair", lines: ['max-age="6\\0"'], want: 60 },
  { rule: "single quotes are junk", lines: ["max-age='60'"], want: 0 },
  { rule: "leading zeros", lines: ["max-age=0060"], want: 60 },
  { rule: "overflow saturates", lines: ["max-age=99999999999999999999"], want: maxDeltaSeconds },
  { rule: "negative is junk", lines: ["max-age=-60"], want: 0 },
  { rule: "a fraction is junk", lines: ["max-age=60.5"], want: 0 },
  { rule: "letters are junk", lines: ["max-age=a60"], want: 0 },
  { rule: "no argument", lines: ["max-age"], want: 0 },
  { rule: "empty argument", lines: ["max-age="], want: 0 },
  { rule: "blank before =", lines: ["max-age =60"], want: 0 },
  { rule: "blank after =", lines: ["max-age= 60"], want: 0 },
  { rule: "blanks around members", lines: ["a ,\t max-age=60 \t,b"], want: 60 },
  { rule: "empty members", lines: [",,max-age=60,,"], want: 60 },
  { rule: "the first of two", lines: ["max-age=60, max-age=1"], want: 60 },
  { rule: "the first of two lines", lines: ["max-age=1", "max-age=60"], want: 1 },
  { rule: "a junk first still counts", lines: ["max-age=x, max-age=60"], want: 0 },
  { rule: "look-alike in a quoted string", lines: ['a="max-age=60"'], want: undefined },
  { rule: "after a look-alike", lines: ['a="max-age=1, ", max-age=60'], want: 60 },
  { rule: "quoted pair in a look-alike", lines: ['a="\\", max-age=1", max-age=60'], want: 60 },
  { rule: "a name that only begins so", lines: ["max-age-x=60"], want: undefined },
  { rule: "a quote that never closes", lines: ['a="b, max-age=60'], want: 60 },
  { rule: "a quote on another line", lines: ['a="b', 'c", max-age=60'], want: 60 },
];

for (const { rule, lines, want } of lifetimes) {
  Deno.test(`CacheControl reads max-age: ${rule}`, () => {
    assert.equal(read(...lines).seconds("max-age"), want);
  });
}

Deno.test("CacheControl reads qualified no-cache and private as the bare form (RFC 9111 §5.2.2)", () => {
  const control = read('No-Cache="set-cookie, x", private=x');
  assert.ok(control.has("no-cache") && control.has("private"));
  assert.ok(!control.has("set-cookie") && !control.has("x"));
});

Deno.test("a restriction holds however much junk stands around it", () => {
  const junk = fc.stringMatching(/^[^,]*$/).filter((text) => !text.includes("no-store"));
  fc.assert(fc.property(junk, junk, (before, after) => {
    // Only a quoted string that closes may hide it: then it is no directive.
    fc.pre((before.match(/"/g) ?? []).length === 0 || (after.match(/"/g) ?? []).length === 0);
    assert.ok(read(`${before},no-store,${after}`).has("no-store"));
  }));
});

Deno.test("CacheControl reads anything, in time that grows with its length", () => {
  fc.assert(fc.property(fc.array(fc.string({ unit: "binary" })), (lines) => {
    const seconds = read(...lines).seconds("max-age") ?? 0;
    assert.ok(seconds >= 0 && seconds <= maxDeltaSeconds);
  }));
  for (const text of ['"', '"\\', '\\"', ",", '",']) {
    assert.ok(growthOf((length) => read(text.repeat(length)), 64_000) < 64, text);
  }
});

Deno.test("requestControl() reads Pragma without Cache-Control only (RFC 9111 §5.4)", () => {
  assert.ok(requestControl([["pragma", "No-Cache"]]).has("no-cache"));
  assert.ok(requestControl([["pragma", "x"]]).empty);
  const both = requestControl([["pragma", "no-cache"], ["cache-control", "max-age=1"]]);
  assert.ok(!both.has("no-cache"));
  assert.ok(responseControl([["pragma", "no-cache"]]).empty, "it means nothing in a response");
});
