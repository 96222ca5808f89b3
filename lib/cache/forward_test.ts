import assert from "node:assert/strict";
import { type Fields } from "#http";
import { forwardedFields } from "./forward.ts";
import { defaultPolicy } from "./policy.ts";

const forward = (fields: Fields, method = "GET", policy = {}) =>
  forwardedFields({ method, fields }, { ...defaultPolicy, ...policy });

// What could change an answer without being part of its key must not reach the next hop.
const dropped = [
  "cookie",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "forwarded",
  "x-original-url",
  "x-rewrite-url",
  "x-http-method-override",
  "origin",
  "host",
  "user-agent",
  "range",
  "if-none-match",
  "if-match",
  "content-type",
  "content-length",
  "purge-seq",
  "connection",
  "te",
  "expect",
];

for (const name of dropped) {
  Deno.test(`forwardedFields() drops ${name} of a GET`, () => {
    assert.deepEqual(forward([[name, "x"], ["accept", "y"]]), [["accept", "y"]]);
  });
}

Deno.test("forwardedFields() passes Authorization unchanged (RFC 9110 §11.6.2)", () => {
  const fields: Fields = [["authorization", "Basic x"]];
  assert.deepEqual(forward(fields), fields);
});

// Accept-Encoding becomes the codings we tell apart, so that few variants are made.
const codings = [
  { asks: "gzip, deflate, br", want: "br, gzip" },
  { asks: "BR;q=0.5,zstd", want: "zstd, br" },
  { asks: "gzip;q=0, br;q=0.000", want: undefined },
  { asks: "x-gzip", want: "gzip" },
  { asks: "identity", want: undefined },
  { asks: "", want: undefined },
];

for (const { asks, want } of codings) {
  Deno.test(`forwardedFields() makes ${want ?? "nothing"} of Accept-Encoding: ${asks}`, () => {
    const fields = want === undefined ? [] : [["accept-encoding", want]];
    assert.deepEqual(forward([["accept-encoding", asks]]), fields);
  });
}

Deno.test("forwardedFields() keeps what the policy names, unless it is hop-by-hop", () => {
  const fields: Fields = [["cookie", "a"], ["x-own", "b"], ["connection", "x-own"]];
  assert.deepEqual(forward(fields, "GET", { forwardFields: ["cookie", "x-own"] }), [[
    "cookie",
    "a",
  ]]);
});

Deno.test("forwardedFields() keeps directives unless the policy ignores them", () => {
  const fields: Fields = [["cache-control", "no-cache"], ["pragma", "no-cache"]];
  assert.deepEqual(forward(fields), fields);
  assert.deepEqual(forward(fields, "GET", { honourRequestDirectives: false }), []);
});

Deno.test("forwardedFields() keeps what describes the body of another method", () => {
  const fields: Fields = [["content-type", "a/b"], ["content-length", "2"], ["if-match", '"v"']];
  assert.deepEqual(forward(fields, "PUT"), fields);
});

Deno.test("forwardedFields() reads what is mostly blanks in one pass: the square of a million never ends", () => {
  const value = `gzip${" \t".repeat(500_000)}x, br ; q=1`;
  assert.deepEqual(forward([["accept-encoding", value]]), [["accept-encoding", "br"]]);
});
