import assert from "node:assert/strict";
import fc from "fast-check";
import type { ByteRange, Fields } from "#http";
import { readReply, strongTag } from "./repair_reply.ts";

const expected = { bytes: 1000, etag: '"v1"' };
const asked: ByteRange[] = [[100, 200], [300, 400]];

// One row for each answer a server gives, right or wrong.
const rows: { what: string; status: number; fields: Fields; asked?: ByteRange[]; want: unknown }[] =
  [
    { what: "200", status: 200, fields: [["content-length", "1000"]], want: { kind: "whole" } },
    { what: "200 without a length", status: 200, fields: [], want: { kind: "whole" } },
    {
      what: "206 with the range",
      status: 206,
      fields: [["content-range", "bytes 100-199/1000"]],
      want: { kind: "range", range: [100, 200] },
    },
    {
      what: "206 with joined ranges",
      status: 206,
      fields: [["content-range", "bytes 100-399/1000"]],
      want: { kind: "range", range: [100, 400] },
    },
    {
      what: "206 of unknown size",
      status: 206,
      fields: [["content-range", "bytes 100-199/*"]],
      want: { kind: "range", range: [100, 200] },
    },
    {
      what: "206 multipart",
      status: 206,
      fields: [["content-type", "multipart/byteranges; boundary=B"]],
      want: { kind: "multipart", boundary: "B" },
    },
    { what: "the same tag", status: 200, fields: [["etag", '"v1"']], want: { kind: "whole" } },
    { what: "a weak tag", status: 200, fields: [["etag", 'W/"v2"']], want: { kind: "whole" } },
    { what: "another tag", status: 200, fields: [["etag", '"v2"']], want: "other_version" },
    { what: "404", status: 404, fields: [], want: "bad_status" },
    { what: "416", status: 416, fields: [["content-range", "bytes */1000"]], want: "bad_status" },
    { what: "304", status: 304, fields: [], want: "bad_status" },
    {
      what: "another length",
      status: 200,
      fields: [["content-length", "999"]],
      want: "wrong_length",
    },
    {
      what: "another size",
      status: 206,
      fields: [["content-range", "bytes 100-199/999"]],
      want: "wrong_length",
    },
    {
      what: "a range beyond the end",
      status: 206,
      fields: [["content-range", "bytes 900-1099/*"]],
      want: "bad_content_range",
    },
    { what: "206 without a range", status: 206, fields: [], want: "bad_content_range" },
    {
      what: "a range that nobody asked for",
      status: 206,
      fields: [["content-range", "bytes 500-599/1000"]],
      want: "not_asked",
    },
    {
      what: "206 to a plain request",
      status: 206,
      asked: [],
      fields: [["content-range", "bytes 0-999/1000"]],
      want: "not_asked",
    },
    { what: "gzip", status: 200, fields: [["content-encoding", "gzip"]], want: "encoded" },
  ];

for (const { what, status, fields, asked: ranges = asked, want } of rows) {
  Deno.test(`readReply() judges ${what}`, () => {
    const reading = readReply({ status, fields }, ranges, expected);
    assert.deepEqual(reading.kind === "rejected" ? reading.why : reading, want);
  });
}

Deno.test("readReply() never throws, and keeps ranges within the object", () => {
  const fields = fc.array(fc.tuple(
    fc.constantFrom("content-range", "content-type", "etag", "content-length", "content-encoding"),
    fc.oneof(fc.string(), fc.constantFrom("bytes 0-5/1000", "bytes 150-99999/*", '"v1"')),
  ));
  fc.assert(fc.property(fc.constantFrom(200, 206, 500), fields, (status, fields) => {
    const reading = readReply({ status, fields }, asked, expected);
    if (reading.kind === "range") {
      assert.ok(reading.range[0] < reading.range[1] && reading.range[1] <= expected.bytes);
    }
  }));
});

Deno.test("strongTag() lets only strong tags through", () => {
  assert.equal(strongTag('"v1"'), '"v1"');
  assert.equal(strongTag('W/"v1"'), undefined);
  assert.equal(strongTag("v1"), undefined);
  assert.equal(strongTag(undefined), undefined);
});
