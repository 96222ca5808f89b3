/**
 * Field names, values and lists.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { isFieldName, isFieldValue, isToken, listMembers, trimWhitespace } from "./field.ts";
import { connectionOptions, endToEnd } from "./hop_by_hop.ts";
import { type Fields, fieldValue } from "./message.ts";

Deno.test("isToken() takes tchar only (RFC 9110 §5.6.2)", () => {
  for (const text of ["GET", "M-SEARCH", "x!#$%&'*+-.^_`|~9"]) assert.ok(isToken(text), text);
  for (const text of ["", "a b", "a:", "a(", "a\n", "a\x80"]) assert.ok(!isToken(text), text);
});

Deno.test("isFieldName() wants lower case, as Fields keep names", () => {
  assert.ok(isFieldName("content-type"));
  assert.ok(!isFieldName("Content-Type"));
  assert.ok(!isFieldName(""));
});

Deno.test("isFieldValue() lets no control through but HTAB (RFC 9110 §5.5)", () => {
  for (const text of ["", "a", "a b", "a\tb", "\x80\xff"]) assert.ok(isFieldValue(text), text);
  for (const text of ["a\r\nb", "a\nb", "a\0", "\x7f", " a", "a\t", "a\u0100"]) {
    assert.ok(!isFieldValue(text), JSON.stringify(text));
  }
});

const lists = [
  { value: "a, b ,c", want: ["a", "b", "c"] },
  { value: ",, a,\t,", want: ["a"] },
  { value: 'a="x,y", b', want: ['a="x,y"', "b"] },
  { value: 'a="x\\",y", b', want: ['a="x\\",y"', "b"] },
  { value: 'a="x, b', want: ['a="x, b'] },
  { value: "", want: [] },
];

for (const { value, want } of lists) {
  Deno.test(`listMembers() of ${JSON.stringify(value)} (RFC 9110 §5.6.1)`, () => {
    assert.deepEqual(listMembers(value), want);
  });
}

Deno.test("listMembers() never yields an empty or padded member", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'ab",\\ \t') }), (text) => {
    for (const member of listMembers(text)) {
      assert.ok(member !== "" && member === trimWhitespace(member));
    }
  }));
});

Deno.test("fieldValue() joins lines in order (RFC 9110 §5.3)", () => {
  const fields: Fields = [["via", "a"], ["age", "1"], ["via", "b"]];
  assert.equal(fieldValue(fields, "via"), "a, b");
  assert.equal(fieldValue(fields, "date"), undefined);
});

Deno.test("endToEnd() drops hop-by-hop and Connection-named fields (RFC 9110 §7.6.1)", () => {
  const fields: Fields = [
    ["connection", "Close, X-Secret"],
    ["connection", "content-length"],
    ["keep-alive", "timeout=5"],
    ["te", "trailers"],
    ["trailer", "x"],
    ["transfer-encoding", "chunked"],
    ["upgrade", "h2c"],
    ["proxy-authorization", "x"],
    ["x-secret", "1"],
    ["content-length", "5"],
    ["etag", '"a"'],
  ];
  assert.deepEqual(endToEnd(fields), [["content-length", "5"], ["etag", '"a"']]);
  assert.deepEqual([...connectionOptions(fields)], ["close", "x-secret", "content-length"]);
});
