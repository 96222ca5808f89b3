import assert from "node:assert/strict";
import fc from "fast-check";
import { banPattern, EagerRemoval } from "./eager_removal.ts";

/** Whether a pattern takes a value, as PCRE reads it: the escapes mean the same here. */
function takes(kind: string, value: string, subject: string): boolean {
  return new RegExp(banPattern(kind, value)).test(subject);
}

const rows = [
  ["tag", "news", "front news late", true],
  ["tag", "news", "newsroom", false],
  ["tag", "a(b", "x a(b", true],
  ["tag", "a.b", "axb", false],
  ["url", "/a?b=1", "/a?b=1", true],
  ["url", "/a", "/a?b=1", false],
  ["url", "/film", "/film 12", true],
  ["prefix", "/news", "/news/1", true],
  ["prefix", "/news", "/news?x", true],
  ["prefix", "/news", "/newsroom", false],
  ["prefix", "/", "/anything", true],
  ["all", "", "/anything", true],
] as const;

for (const [kind, value, subject, expected] of rows) {
  Deno.test(`a ban by ${kind} ${value} ${expected ? "takes" : "leaves"} ${subject}`, () => {
    assert.equal(takes(kind, value, subject), expected);
  });
}

Deno.test("no value breaks out of its pattern", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (value) => {
    for (const kind of ["tag", "url", "prefix"]) {
      assert.match(banPattern(kind, value), /^[\x21-\x7e]+$/);
      assert.doesNotThrow(() => new RegExp(banPattern(kind, value)));
    }
  }));
});

Deno.test("a storm of purges is few bans, each of bounded length", async () => {
  const bans: string[] = [];
  const link = {
    ban: (_field: string, pattern: string) => {
      bans.push(pattern);
      return Promise.resolve(true);
    },
  };
  const removal = new EagerRemoval({
    kind: "varnish",
    link,
    free: () => Promise.resolve(),
    isGone: () => true,
  });
  for (let n = 0; n < 10_000; n++) removal.applied([{ kind: "tag", value: `tag-${n}` }]);
  removal.applied([{ kind: "tag", value: "x".repeat(20_000) }, { kind: "skipped" }]);
  await removal.idle();
  assert.ok(bans.length < 20, `${bans.length} bans`);
  assert.ok(bans.every(({ length }) => length <= 8000));
});
