import assert from "node:assert/strict";
import { type Fields, fieldValue, formatHttpDate } from "#http";
import { freshen, notModifiedFields, revalidationFields } from "./conditional.ts";
import { factsOf } from "./facts.ts";
import type { StoredResponse } from "./store.ts";

const receivedMs = Date.UTC(2026, 0, 1);
const stored: StoredResponse = {
  key: "/a",
  variant: "",
  status: 200,
  fields: [
    ["date", formatHttpDate(receivedMs)],
    ["age", "100"],
    ["etag", '"v"'],
    ["cache-control", "max-age=1"],
    ["content-type", "a/b"],
    ["content-encoding", "gzip"],
    ["x-two", "1"],
    ["x-two", "2"],
    ["surrogate-key", "old"],
  ],
  requestSentMs: receivedMs,
  receivedMs,
  fillSeq: 1,
  tags: ["old"],
  source: "satellite",
};
const exchange = { requestSentMs: receivedMs + 5000, receivedMs: receivedMs + 5100, fillSeq: 9 };
const confirm = (fields: Fields, of: StoredResponse = stored) =>
  freshen(of, { status: 304, fields }, exchange);

// Which fields of a 304 replace those of the stored response (RFC 9111 §3.2).
const merges: { rule: string; fields: Fields; name: string; want: string | undefined }[] = [
  { rule: "a new field", fields: [["x-new", "1"]], name: "x-new", want: "1" },
  { rule: "all lines of a field", fields: [["x-two", "3"]], name: "x-two", want: "3" },
  {
    rule: "Cache-Control",
    fields: [["cache-control", "max-age=9"]],
    name: "cache-control",
    want: "max-age=9",
  },
  { rule: "Content-Type", fields: [["content-type", "c/d"]], name: "content-type", want: "c/d" },
  {
    rule: "not Content-Length",
    fields: [["content-length", "9"]],
    name: "content-length",
    want: undefined,
  },
  {
    rule: "not Content-Encoding",
    fields: [["content-encoding", "br"]],
    name: "content-encoding",
    want: "gzip",
  },
  {
    rule: "not Content-Range",
    fields: [["content-range", "x"]],
    name: "content-range",
    want: undefined,
  },
  {
    rule: "not what Connection names",
    fields: [["connection", "x-new"], ["x-new", "1"]],
    name: "x-new",
    want: undefined,
  },
  { rule: "what is not named stays", fields: [], name: "content-type", want: "a/b" },
  { rule: "an old Age does not stay", fields: [], name: "age", want: undefined },
  { rule: "a new Age counts", fields: [["age", "3"]], name: "age", want: "3" },
  {
    rule: "Date without one in the 304",
    fields: [],
    name: "date",
    want: formatHttpDate(receivedMs + 5100),
  },
];

for (const { rule, fields, name, want } of merges) {
  Deno.test(`freshen(): ${rule} (RFC 9111 §3.2)`, () => {
    assert.equal(fieldValue(confirm(fields)!.fields, name), want);
  });
}

Deno.test("freshen() takes times and sequence of the 304, new tags if it has some", () => {
  const { requestSentMs, receivedMs: atMs, fillSeq, tags, source } = confirm([])!;
  assert.deepEqual({ requestSentMs, receivedMs: atMs, fillSeq }, exchange);
  assert.deepEqual([tags, source], [["old"], "satellite"]);
  assert.deepEqual(confirm([["surrogate-key", "new"]])!.tags, ["new"]);
});

// Which 304 is about the stored response (RFC 9111 §4.3.4).
const without = { ...stored, fields: stored.fields.filter(([name]) => name !== "etag") };
const weak: StoredResponse = { ...without, fields: [...without.fields, ["etag", 'W/"v"']] };
const selections: { rule: string; of: StoredResponse; etag: string | undefined; want: boolean }[] =
  [
    { rule: "the same strong tag", of: stored, etag: '"v"', want: true },
    { rule: "another strong tag", of: stored, etag: '"w"', want: false },
    { rule: "a weak one of the same", of: stored, etag: 'W/"v"', want: true },
    { rule: "another weak one", of: stored, etag: 'W/"w"', want: false },
    { rule: "a strong one for a weak one", of: weak, etag: '"v"', want: false },
    { rule: "no tag", of: stored, etag: undefined, want: true },
    { rule: "a tag for what has none", of: without, etag: '"v"', want: false },
  ];

for (const { rule, of, etag, want } of selections) {
  Deno.test(`freshen(): ${rule} ${want ? "confirms" : "does not confirm"} (RFC 9111 §4.3.4)`, () => {
    const fields: Fields = etag === undefined ? [] : [["etag", etag]];
    assert.equal(confirm(fields, of) !== undefined, want);
  });
}

Deno.test("freshen() does not keep what then could not be purged", () => {
  const tags = Array.from({ length: 200 }, (_, i) => `t${i}`).join(" ");
  assert.equal(confirm([["surrogate-key", tags]]), undefined);
});

Deno.test("revalidationFields() sends every validator there is (RFC 9111 §4.3.1)", () => {
  const changed = formatHttpDate(receivedMs - 9000);
  const facts = (fields: Fields) =>
    factsOf({ status: 200, fields, requestSentMs: receivedMs, receivedMs });
  assert.deepEqual(revalidationFields(facts([["etag", 'W/"v"'], ["last-modified", changed]])), [
    ["if-none-match", 'W/"v"'],
    ["if-modified-since", changed],
  ]);
  assert.deepEqual(revalidationFields(facts([["etag", "v"], ["last-modified", "?"]])), []);
});

Deno.test("notModifiedFields() leaves out what describes a body (RFC 9110 §15.4.5)", () => {
  const fields: Fields = [
    ...stored.fields,
    ["content-length", "1"],
    ["content-location", "/a"],
    ["content-security-policy", "x"],
    ["content-type", "text/plain"],
  ];
  const namesFor = (toOurCache: boolean) =>
    notModifiedFields(fields, { toOurCache }).map(([name]) => name);
  const kept = ["date", "etag", "content-location", "content-security-policy"];
  for (const toOurCache of [false, true]) {
    const names = namesFor(toOurCache);
    assert.ok(!names.some((name) => /^content-(length|encoding)$/.test(name)));
    assert.ok(kept.every((name) => names.includes(name)));
    assert.equal(names.includes("content-type"), toOurCache, "our cache updates it");
  }
});
