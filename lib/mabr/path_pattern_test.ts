import assert from "node:assert/strict";
import fc from "fast-check";
import { escapePathPattern, matchesPathPattern } from "./path_pattern.ts";

const rows = [
  { pattern: "/one/m.mpd", path: "/one/m.mpd", matches: true },
  { pattern: "/one/m.mpd", path: "/one/m.mpd2", matches: false },
  { pattern: "*/one/m.mpd", path: "/one/m.mpd", matches: true },
  { pattern: "/*/m.mpd", path: "/one/m.mpd", matches: true },
  { pattern: "/*/m.mpd", path: "/a/one/m.mpd", matches: false },
  { pattern: "/one/*", path: "/one/", matches: true },
  { pattern: "/one/?.ts", path: "/one/7.ts", matches: true },
  { pattern: "/one/?.ts", path: "/one/.ts", matches: false },
  { pattern: "/one?m", path: "/one/m", matches: false },
  { pattern: "/a$*b", path: "/a*b", matches: true },
  { pattern: "/a$*b", path: "/axb", matches: false },
  { pattern: "/a$?$$", path: "/a?$", matches: true },
  { pattern: "/a$", path: "/a$", matches: true },
  { pattern: "*a*b*", path: "xaxbxaxb", matches: true },
];
for (const { pattern, path, matches } of rows) {
  Deno.test(`${pattern} ${matches ? "matches" : "does not match"} ${path}`, () => {
    assert.equal(matchesPathPattern(pattern, path), matches);
  });
}

Deno.test("matchesPathPattern() agrees with a regular expression", () => {
  const short = fc.string({ unit: fc.constantFrom("a", "b", "/", "*", "?", "$"), maxLength: 10 });
  const escaped = (c: string) => c.replace(/[*?$/]/, "\\$&");
  fc.assert(
    fc.property(short, short, (pattern, path) => {
      const source = pattern.replace(/\$(.)|./g, (piece, literal?: string) => {
        if (literal !== undefined) return escaped(literal);
        return piece === "*" ? "[^/]*" : piece === "?" ? "[^/]" : escaped(piece);
      });
      const expected = new RegExp(`^${source}$`).test(path);
      assert.equal(matchesPathPattern(pattern, path), expected);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("an escaped path matches itself and nothing else", () => {
  const path = fc.string({ unit: fc.constantFrom("a", "/", "*", "?", "$") });
  fc.assert(fc.property(path, path, (one, other) => {
    assert.equal(matchesPathPattern(escapePathPattern(one), other), one === other);
  }));
});

Deno.test("matchesPathPattern() is done in time with a pattern made to backtrack", () => {
  // Backtracking would take longer than there is time: that this ends is the test.
  assert.equal(matchesPathPattern("*a".repeat(2000), "a".repeat(1999) + "b".repeat(2000)), false);
  assert.equal(matchesPathPattern("*".repeat(4095) + "b", "a".repeat(4000)), false);
  assert.equal(matchesPathPattern("*".repeat(5000), "a"), false);
});
