import assert from "node:assert/strict";
import fc from "fast-check";
import { type ByteRange } from "#http";
import { factsOf } from "./facts.ts";
import { frameParts, selectRanges } from "./ranges.ts";

const facts = factsOf({ status: 200, fields: [], requestSentMs: 0, receivedMs: 0 });
const select = (range: string, { status = 200, method = "GET", maxParts = 2 } = {}) => {
  const request = { method, fields: [["range", range]] as const };
  return selectRanges({ request, status, facts, bodyBytes: 10, maxParts });
};

Deno.test("selectRanges() is for a GET of a whole 200 only (RFC 9110 §14.2)", () => {
  assert.deepEqual(select("bytes=0-1"), [[0, 2]]);
  assert.equal(select("bytes=0-1", { method: "HEAD" }), undefined);
  assert.equal(select("bytes=0-1", { status: 404 }), undefined);
  assert.equal(select("bytes=10-"), "unsatisfiable");
});

Deno.test("selectRanges() answers more parts than the limit with the whole body", () => {
  assert.deepEqual(select("bytes=0-1,3-4"), [[0, 2], [3, 5]]);
  assert.equal(select("bytes=0-1,3-4,6-7"), undefined);
});

Deno.test("frameParts() promises the length that it has, for any ranges", () => {
  const range = fc.tuple(fc.nat(99), fc.integer({ min: 1, max: 100 })).map(([start, length]) =>
    [start, Math.min(100, start + length)] as ByteRange
  );
  fc.assert(fc.property(fc.array(range, { minLength: 2, maxLength: 5 }), (ranges) => {
    const framing = frameParts(ranges, { bodyBytes: 100, contentType: "a/b", boundary: "x" });
    let bytes = framing.closing.length;
    for (const opening of framing.openings) bytes += opening.length;
    for (const [start, end] of ranges) bytes += end - start;
    assert.equal(framing.contentLength, bytes);
  }));
});

Deno.test("frameParts() names no type that is not known", () => {
  const framing = frameParts([[0, 1], [2, 3]], {
    bodyBytes: 9,
    contentType: undefined,
    boundary: "x",
  });
  const text = new TextDecoder().decode(framing.openings[1]);
  assert.equal(text, "\r\n--x\r\nContent-Range: bytes 2-2/9\r\n\r\n");
});
