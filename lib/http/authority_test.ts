/**
 * Hosts: what may follow `Host:` and stand in an absolute target.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { parseAuthority, sameAuthority } from "./authority.ts";

const good = [
  { text: "Example.COM", want: { host: "example.com", port: undefined } },
  { text: "example.com:8080", want: { host: "example.com", port: 8080 } },
  { text: "example.com.", want: { host: "example.com.", port: undefined } },
  { text: "example.com:", want: { host: "example.com", port: undefined } },
  { text: "127.0.0.1:1", want: { host: "127.0.0.1", port: 1 } },
  { text: "[::1]:65535", want: { host: "[::1]", port: 65_535 } },
  { text: "[::ffff:1.2.3.4]", want: { host: "[::ffff:1.2.3.4]", port: undefined } },
  { text: "a_b-c", want: { host: "a_b-c", port: undefined } },
];

for (const { text, want } of good) {
  Deno.test(`parseAuthority() takes ${text} (RFC 9110 §7.2)`, () => {
    assert.deepEqual(parseAuthority(text), want);
  });
}

const bad = [
  "",
  ":80",
  "a:0",
  "a:65536",
  "a:8x",
  "a:80:80",
  "a, b",
  "a,b",
  "a/b",
  "a@b",
  "user:pw@a",
  "a#b",
  "a?b",
  "a b",
  "a\\b",
  "a%41",
  "a..b",
  ".a",
  "-a",
  "[::1",
  "::1",
  "[::1%25eth0]",
  "[nonsense]",
  "[1::2::3]",
  "b\xfccher.example",
  "a".repeat(254),
];

for (const text of bad) {
  Deno.test(`parseAuthority() refuses ${JSON.stringify(text.slice(0, 24))} (RFC 9110 §7.2)`, () => {
    assert.equal(parseAuthority(text), undefined);
  });
}

Deno.test("sameAuthority() knows the default port (RFC 9110 §4.2.3)", () => {
  const [plain, port80, port81] = ["a", "A:80", "a:81"].map((text) => parseAuthority(text)!);
  assert.ok(sameAuthority(plain, port80, 80));
  assert.ok(!sameAuthority(plain, port80, 443));
  assert.ok(!sameAuthority(plain, port81, 80));
});

Deno.test("parseAuthority() never throws", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."a1.:[]@-%/") }), (text) => {
    parseAuthority(text);
  }));
});
