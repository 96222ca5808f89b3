import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalTarget } from "#http";
import { cacheKey, requestKey } from "./key.ts";
import { reply, setUp } from "./scripted_next_hop.ts";

// One row a rule; the rest of the canonical form is tested where it lives.
const rows = [
  { rule: "plain", target: "/one/seg-1.ts", want: "/one/seg-1.ts" },
  { rule: "unreserved escapes", target: "/%6Fne", want: "/one" },
  { rule: "dot segments", target: "/a/../b/./c", want: "/b/c" },
  { rule: "an empty query", target: "/a?", want: "/a" },
  { rule: "the order of a query", target: "/a?b=2&a=1", want: "/a?b=2&a=1" },
  { rule: "double slashes", target: "//a//b", want: "//a//b" },
  { rule: "hidden files", target: "/.well-known/x", want: "/.well-known/x" },
  { rule: "a backslash", target: "/a\\b", want: "/a%5Cb" },
  { rule: "a blank and a control", target: "/a b\0", want: "/a%20b%00" },
  { rule: "half a surrogate pair", target: "/\ud800", want: "/%EF%BF%BD" },
  { rule: "the target of OPTIONS", target: "*", want: "*" },
];

for (const { rule, target, want } of rows) {
  Deno.test(`cacheKey(): ${rule}`, () => assert.equal(cacheKey(target), want));
}

const piece = fc.oneof(
  fc.constantFrom(
    "/",
    ".",
    "..",
    "%2e",
    "%2E",
    "%2f",
    "%",
    "%zz",
    "?",
    "&",
    "=",
    ";",
    "\\",
    " ",
    "a",
  ),
  fc.string({ unit: "binary", maxLength: 3 }),
);
const target = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join("")}`);

Deno.test("cacheKey() is idempotent and stays a target", () => {
  fc.assert(
    fc.property(target, (text) => {
      const key = cacheKey(text);
      assert.equal(cacheKey(key), key);
      assert.match(key, /^\/[!-~]*$/);
      assert.doesNotMatch(key.split("?")[0], /\/\.\.?(\/|$)/);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("cacheKey() agrees with the form in which purges are written", () => {
  fc.assert(
    fc.property(target, (text) => {
      const canonical = canonicalTarget(text);
      if (canonical !== undefined) assert.equal(cacheKey(text), canonical);
    }),
    { numRuns: 2000 },
  );
});

// The query under a list of parameters to keep: b, a and c[].
const queries = [
  { target: "/x?b=1&a=2", want: "/x?a=2&b=1" },
  { target: "/x?a=2&b=1", want: "/x?a=2&b=1" },
  { target: "/x?a=2&z=9&a=1", want: "/x?a=2&a=1" },
  { target: "/x?z=9", want: "/x" },
  { target: "/x?a", want: "/x?a" },
  { target: "/x?a=&b", want: "/x?a=&b" },
  { target: "/x?%61=1", want: "/x?a=1" },
  { target: "/x?A=1", want: "/x" },
  { target: "/x?a=1;b=2", want: "/x?a=1;b=2" },
  { target: "/x?a=b=c?d", want: "/x?a=b=c?d" },
  { target: "/x?z=1&_HLS_part=2&_HLS_msn=1", want: "/x?_HLS_msn=1&_HLS_part=2" },
  { target: "/x?_HLS_skip=YES&_hls_msn=1", want: "/x?_HLS_skip=YES" },
  { target: "/x?c%5b%5d=1", want: "/x?c%5B%5D=1" },
  { target: "/x?&&", want: "/x" },
  { target: "/x", want: "/x" },
  { target: "*", want: "*" },
];

for (const { target, want } of queries) {
  Deno.test(`requestKey() keeps what is listed: ${target} is ${want}`, () => {
    assert.equal(requestKey(target, ["b", "a", "c%5B%5D"]), want);
    assert.equal(requestKey(want, ["b", "a", "c%5B%5D"]), want, "twice is once");
    assert.equal(requestKey(target, undefined), cacheKey(target));
  });
}

Deno.test("an unsafe method and both lanes know the key that was made by the list", async () => {
  const bench = setUp(
    ({ method }) => reply(200, method === "GET" ? [["cache-control", "max-age=9"]] : []),
    {
      keepQuery: ["v"],
    },
  );
  await bench.get("/a?t=1&v=1");
  assert.equal(bench.sent[0].target, "/a?v=1");
  assert.notEqual(bench.engine.hit({ method: "GET", target: "/a?v=1&t=2", fields: [] }), undefined);
  await bench.get("/a?t=3&v=1", [], { method: "DELETE" });
  assert.equal(bench.store.count, 0);
});
