import assert from "node:assert/strict";
import fc from "fast-check";
import { type Fields } from "#http";
import { variantKey, variantKeys, varyNames } from "./vary.ts";

const vary = (...lines: string[]) => varyNames(lines.map((line) => ["vary", line] as const));

// RFC 9110 §12.5.5
const rows: { rule: string; lines: string[]; want: readonly string[] | "*" }[] = [
  { rule: "none", lines: [], want: [] },
  { rule: "empty", lines: [""], want: [] },
  { rule: "case, order and repetition do not matter", lines: ["B, a", "b"], want: ["a", "b"] },
  { rule: "empty members", lines: [",a,,"], want: ["a"] },
  { rule: "*", lines: ["*"], want: "*" },
  { rule: "* among others", lines: ["a, *"], want: "*" },
  { rule: "* on another line", lines: ["a", "*"], want: "*" },
];

for (const { rule, lines, want } of rows) {
  Deno.test(`varyNames(): ${rule}`, () => assert.deepEqual(vary(...lines), want));
}

// RFC 9111 §4.1: when two requests are the same for Vary: accept.
const pairs: { rule: string; one: Fields; other: Fields; same: boolean }[] = [
  { rule: "both without", one: [], other: [["x", "1"]], same: true },
  { rule: "absent and empty", one: [], other: [["accept", ""]], same: false },
  { rule: "equal", one: [["accept", "a"]], other: [["accept", "a"]], same: true },
  {
    rule: "lines joined",
    one: [["accept", "a"], ["accept", "b"]],
    other: [["accept", "a, b"]],
    same: true,
  },
  { rule: "blanks at commas", one: [["accept", "a ,b"]], other: [["accept", "a,\tb"]], same: true },
  { rule: "order", one: [["accept", "a,b"]], other: [["accept", "b,a"]], same: false },
  { rule: "case of values", one: [["accept", "a"]], other: [["accept", "A"]], same: false },
];

for (const { rule, one, other, same } of pairs) {
  Deno.test(`variantKey(): ${rule}: ${same ? "one variant" : "two variants"}`, () => {
    assert.equal(variantKey(["accept"], one) === variantKey(["accept"], other), same);
  });
}

// Vary: accept-language, whose grammar is known (RFC 9110 §12.5.4).
const languages: { one: string; other: string; same: boolean }[] = [
  { one: "en-GB, DE;Q=0.5", other: "EN-gb ,de;q=0.5", same: true },
  { one: "en, de", other: "de, en", same: true },
  { one: "en;q=0.5, de", other: "de;q=1.0, en;q=0.50", same: true },
  { one: "en, de;q=0.9", other: "de, en;q=0.9", same: false },
  { one: "en;q=0", other: "en", same: false },
  { one: "en;q=0.5", other: "en;q=0.05", same: false },
  { one: "en", other: "en, de", same: false },
  { one: "en;q=x", other: "en", same: false },
  // What is no weight, an origin may answer in another language.
  { one: "en;q=0x1", other: "en", same: false },
  { one: "en;q=1e0", other: "en", same: false },
  { one: "en;q=00", other: "en;q=0", same: false },
  { one: "en;q=0.5;q=1", other: "en;q=0.5", same: false },
  { one: "", other: "en", same: false },
];

for (const { one, other, same } of languages) {
  Deno.test(`variantKey(): languages "${one}" and "${other}" are ${same ? "one variant" : "two"}`, () => {
    const keyFor = (value: string) => variantKey(["accept-language"], [["accept-language", value]]);
    assert.equal(keyFor(one) === keyFor(other), same);
  });
}

Deno.test("variantKey() reads what is mostly blanks in one pass: the square of a million never ends", () => {
  const value = `en${" \t".repeat(500_000)}x`;
  const fields: Fields = [["accept", value], ["accept-language", value]];
  assert.equal(variantKey(["accept", "accept-language"], fields).length, 2_000_030);
  const zeros: Fields = [["accept-language", `en;q=${"0".repeat(1_000_000)}x`]];
  assert.equal(variantKey(["accept-language"], zeros).length, 1_000_022);
});

Deno.test("variantKeys() reads a request once for all that vary alike", () => {
  let reads = 0;
  const variantFor = variantKeys(() => {
    reads++;
    return [["accept", "a"], ["accept-language", "en"]];
  });
  for (let i = 0; i < 1000; i++) {
    assert.equal(variantFor(["accept", "accept-language"]), "accept:a\naccept-language:en");
  }
  assert.equal(reads, 1);
  assert.equal(variantFor(["accept"]), "accept:a");
  assert.equal(variantFor(["accept-language"]), "accept-language:en");
  assert.equal(reads, 3);
});

Deno.test("variantKey() keeps different values of several fields apart", () => {
  const value = fc.option(fc.stringMatching(/^[ -~]{0,5}$/));
  const fieldsOf = (values: (string | null)[]): Fields =>
    values.flatMap((text, i) => text === null ? [] : [["abc"[i], text.trim()] as const]);
  fc.assert(
    fc.property(fc.tuple(value, value, value), fc.tuple(value, value, value), (one, other) => {
      const keys = [one, other].map((values) => variantKey(["a", "b", "c"], fieldsOf(values)));
      const plain = [one, other].map((values) =>
        JSON.stringify(values.map((text) => text?.trim().replace(/[ \t]*,[ \t]*/g, ",")))
      );
      assert.equal(keys[0] === keys[1], plain[0] === plain[1]);
    }),
  );
});
