import assert from "node:assert/strict";
import fc from "fast-check";
import { cacheKey } from "#cache";
import { purgeKinds } from "./record.ts";
import { readValue } from "./value.ts";

// What a person may write, and the canonical form in which keys and purges meet.
const urls = [
  { text: "/a", value: "/a" },
  { text: "http://cdn.example/a?b=1", value: "/a?b=1" },
  { text: "HTTPS://cdn.example:8443/a/../b", value: "/b" },
  { text: "http://cdn.example", value: "/" },
  { text: "http://cdn.example?x=1", value: "/?x=1" },
  { text: "http://[::1]:8080/a#top", value: "/a" },
  { text: "/a?", value: "/a" },
  { text: "/%7Ea", value: "/~a" },
  { text: "/a%2fb", value: "/a%2Fb" },
  { text: "/a/./b/../c", value: "/a/c" },
  { text: "/a/..", value: "/" },
  { text: "/a/b/.", value: "/a/b/" },
  { text: "/%2e%2e/a", value: "/a" },
  { text: "//a//b", value: "//a//b" },
  { text: "/a;x=1", value: "/a;x=1" },
  { text: "/a?b=2&a=1", value: "/a?b=2&a=1" },
  { text: "/a?x=%7e", value: "/a?x=~" },
  { text: "/a?x=/../y", value: "/a?x=/../y" },
  { text: "/a??", value: "/a??" },
  { text: "/100%", value: "/100%25" },
  { text: "/\u00e9", value: "/%C3%A9" },
];

for (const { text, value } of urls) {
  Deno.test(`a url purge of ${text} is one of ${value}, as the cache keys it`, () => {
    assert.deepEqual(readValue("url", text), { kind: "value", value });
    const target = text.replace(/^https?:\/\/[^/?]*|#.*$/gi, "").replace(/^(?!\/)/, "/");
    assert.equal(cacheKey(target), value);
  });
}

const refused = [
  { kind: "url", text: "a", reason: /absolute http URL or a path: received "a"$/ },
  { kind: "url", text: "ftp://cdn.example/a", reason: /absolute http URL or a path/ },
  { kind: "url", text: "", reason: /absolute http URL or a path: received ""$/ },
  { kind: "url", text: "/a b", reason: /without controls or spaces/ },
  { kind: "url", text: "/a\\b", reason: /without controls or spaces/ },
  { kind: "url", text: "/\ud800", reason: /without controls or spaces/ },
  { kind: "url", text: `/${"a".repeat(8192)}`, reason: /at most 8192 characters: received 8193/ },
  { kind: "prefix", text: "/a?b", reason: /a prefix without a query/ },
  { kind: "tag", text: " ", reason: /a tag without commas and controls/ },
  { kind: "tag", text: "a,b", reason: /a tag without commas and controls/ },
  { kind: "tag", text: "a\nb", reason: /a tag without commas and controls/ },
  { kind: "all", text: "/a", reason: /no value: received "\/a"/ },
] as const;

for (const { kind, text, reason } of refused) {
  Deno.test(`a ${kind} purge of ${JSON.stringify(text).slice(0, 20)} is refused`, () => {
    const reading = readValue(kind, text);
    assert.equal(reading.kind, "refused");
    assert.match(reading.kind === "refused" ? reading.reason : "", reason);
  });
}

Deno.test("tags keep their case and inner blanks; all needs nothing or a star", () => {
  assert.deepEqual(readValue("tag", " News 24 "), { kind: "value", value: "News 24" });
  assert.deepEqual(readValue("all", "*"), { kind: "value", value: "" });
  assert.deepEqual(readValue("all", ""), { kind: "value", value: "" });
});

Deno.test("readValue() never throws, and what it accepts is its own canonical form", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.webUrl({ withQueryParameters: true, withFragments: true }),
    fc.stringMatching(/^\/[a.%2eE/?#;]{0,12}$/),
  );
  fc.assert(fc.property(fc.constantFrom(...purgeKinds), text, (kind, text) => {
    const reading = readValue(kind, text);
    if (reading.kind === "refused") return;
    assert.deepEqual(readValue(kind, reading.value), reading);
    if (kind === "url") assert.equal(cacheKey(reading.value), reading.value);
  }));
});
