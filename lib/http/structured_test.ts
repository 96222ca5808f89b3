/**
 * Structured fields: what is read, what voids a field, and that both ways agree.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { type BareItem, type InnerList, type Item, item, type Member } from "./structured.ts";
import { formatDictionary, formatList, formatMember } from "./structured_format.ts";
import { parseDictionary, parseItem, parseList } from "./structured_parse.ts";

const items: { section: string; text: string; want: BareItem | undefined }[] = [
  { section: "3.3.1", text: "42", want: { type: "integer", value: 42 } },
  { section: "3.3.1", text: "-0", want: { type: "integer", value: 0 } },
  { section: "3.3.1", text: "007", want: { type: "integer", value: 7 } },
  { section: "3.3.1", text: "999999999999999", want: { type: "integer", value: 999999999999999 } },
  { section: "3.3.1", text: "1000000000000000", want: undefined },
  { section: "3.3.1", text: "--1", want: undefined },
  { section: "3.3.1", text: "+1", want: undefined },
  { section: "3.3.2", text: "4.5", want: { type: "decimal", value: 4.5 } },
  { section: "3.3.2", text: "-0.125", want: { type: "decimal", value: -0.125 } },
  { section: "3.3.2", text: "1.", want: undefined },
  { section: "3.3.2", text: "1.1234", want: undefined },
  { section: "3.3.2", text: "1234567890123.0", want: undefined },
  { section: "3.3.3", text: '"a \\"b\\" \\\\"', want: { type: "string", value: 'a "b" \\' } },
  { section: "3.3.3", text: '"a', want: undefined },
  { section: "3.3.3", text: '"\\a"', want: undefined },
  { section: "3.3.3", text: '"\u00fc"', want: undefined },
  { section: "3.3.4", text: "a*/b:c", want: { type: "token", value: "a*/b:c" } },
  { section: "3.3.4", text: "*", want: { type: "token", value: "*" } },
  { section: "3.3.4", text: "a b", want: undefined },
  { section: "3.3.5", text: ":aGk=:", want: { type: "byte_sequence", value: bytes("hi") } },
  { section: "3.3.5", text: ":a:", want: undefined },
  { section: "3.3.5", text: ":aGk=", want: undefined },
  { section: "3.3.6", text: "?1", want: { type: "boolean", value: true } },
  { section: "3.3.6", text: "?2", want: undefined },
  { section: "3.3.7", text: "@1659578233", want: { type: "date", value: 1659578233 } },
  { section: "3.3.7", text: "@1.5", want: undefined },
  { section: "3.3.8", text: '%"f%c3%bc"', want: { type: "display_string", value: "f\u00fc" } },
  { section: "3.3.8", text: '%"%C3%BC"', want: undefined },
  { section: "3.3.8", text: '%"%ff"', want: undefined },
  { section: "4.2", text: " 1 ", want: { type: "integer", value: 1 } },
  { section: "4.2", text: "\t1", want: undefined },
  { section: "4.2", text: "", want: undefined },
];

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

for (const { section, text, want } of items) {
  Deno.test(`parseItem() of ${JSON.stringify(text)} (RFC 9651 §${section})`, () => {
    assert.deepEqual(parseItem(text)?.bare, want);
  });
}

Deno.test("parseList() reads members, inner lists and parameters (RFC 9651 §3.1)", () => {
  const list = parseList('sugar;q=1;w, ("a" b;x);lvl=5 ,\t(), tea');
  assert.equal(list && formatList(list), 'sugar;q=1;w, ("a" b;x);lvl=5, (), tea');
  assert.deepEqual(parseList(""), []);
});

for (const text of ["a,", ",a", "a b", "(a", "(a,b)", "a;", "a;B", "a;x=", '("a""b")', "a ;x"]) {
  Deno.test(`parseList() refuses ${text} (RFC 9651 §4.2.1)`, () => {
    assert.equal(parseList(text), undefined);
  });
}

Deno.test("parseDictionary() keeps the last of a repeated key (RFC 9651 §4.2.2)", () => {
  const dictionary = parseDictionary("a=1, b;x=2, a=3, c=?0");
  assert.equal(dictionary && formatDictionary(dictionary), "a=3, b;x=2, c=?0");
  for (const text of ["A=1", "a=", "a=1,", "=1", "1=a", "a=1 b=2"]) {
    assert.equal(parseDictionary(text), undefined, text);
  }
});

const decimals = [
  { value: 1, want: "1.0" },
  { value: -1.5, want: "-1.5" },
  { value: 0.0025, want: "0.002" },
  { value: 1.001, want: "1.001" },
  { value: 100.1, want: "100.1" },
  { value: -0.25, want: "-0.25" },
];

for (const { value, want } of decimals) {
  Deno.test(`formatMember() writes the decimal ${value} as ${want} (RFC 9651 §4.1.5)`, () => {
    assert.equal(formatMember(item({ type: "decimal", value })), want);
  });
}

const unwritable: BareItem[] = [
  { type: "integer", value: 1.5 },
  { type: "integer", value: 1e15 },
  { type: "decimal", value: 1e12 },
  { type: "decimal", value: NaN },
  { type: "string", value: "\n" },
  { type: "token", value: "a b" },
  { type: "token", value: "" },
];

for (const bare of unwritable) {
  Deno.test(`formatMember() refuses ${bare.type} ${JSON.stringify(bare.value)}`, () => {
    assert.throws(() => formatMember(item(bare)), RangeError);
  });
}

const bareItem: fc.Arbitrary<BareItem> = fc.oneof(
  fc.integer().map((value): BareItem => ({ type: "integer", value })),
  fc.integer().map((n): BareItem => ({ type: "decimal", value: n / 1000 })),
  fc.integer().map((value): BareItem => ({ type: "date", value })),
  fc.boolean().map((value): BareItem => ({ type: "boolean", value })),
  fc.string().map((text): BareItem => ({ type: "string", value: text.replace(/[^ -~]/g, "") })),
  fc.string({ unit: "grapheme" }).filter((text) => text.isWellFormed())
    .map((value): BareItem => ({ type: "display_string", value })),
  fc.uint8Array().map((value): BareItem => ({ type: "byte_sequence", value })),
  fc.constantFrom("a", "*", "A/b:c").map((value): BareItem => ({ type: "token", value })),
);
const parameters = fc.array(fc.tuple(fc.constantFrom("a", "b-1", "*c"), bareItem))
  .map((pairs) => new Map(pairs));
const anItem: fc.Arbitrary<Item> = fc.tuple(bareItem, parameters).map(([bare, its]) =>
  item(bare, its)
);
const innerList: fc.Arbitrary<InnerList> = fc.tuple(fc.array(anItem), parameters)
  .map(([its, parameters]) => ({ kind: "inner_list", items: its, parameters }));
const member: fc.Arbitrary<Member> = fc.oneof(anItem, innerList);

Deno.test("structured fields read back as they were written", () => {
  fc.assert(fc.property(fc.array(member), (members) => {
    assert.deepEqual(parseList(formatList(members)), members);
    const dictionary = new Map(members.map((one, i) => [`k${i}`, one]));
    assert.deepEqual(parseDictionary(formatDictionary(dictionary)), dictionary);
  }));
});

Deno.test("structured fields never throw on any text", () => {
  const noise = fc.string({ unit: fc.constantFrom(...'ab1-.",;=?@:%()\\* \t\0') });
  fc.assert(fc.property(noise, (text) => {
    parseItem(text);
    parseList(text);
    parseDictionary(text);
  }));
});
