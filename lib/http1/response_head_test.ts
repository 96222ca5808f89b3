/**
 * Response heads: framing, the fields we own, and the cached `Date` line.
 *
 * @module
 */

import assert from "node:assert/strict";
import { DateLine } from "./date_line.ts";
import { decodeOctets } from "./octets.ts";
import { encodeHead, planResponse, type ResponsePlanInput } from "./response_head.ts";

const input: ResponsePlanInput = {
  status: 200,
  fields: [],
  bodyBytes: undefined,
  method: "GET",
  minorVersion: 1,
  keepAlive: true,
  date: "D",
};

const text = (octets: Uint8Array) => decodeOctets(octets);

const rows: {
  rule: string;
  set: Partial<ResponsePlanInput>;
  lines: string[];
  keepAlive?: boolean;
}[] = [
  { rule: "no length: chunked", set: {}, lines: ["transfer-encoding: chunked", "date: D"] },
  { rule: "known size", set: { bodyBytes: 3 }, lines: ["content-length: 3", "date: D"] },
  {
    rule: "declared length",
    set: { fields: [["content-length", "7"], ["a", "b"]] },
    lines: ["a: b", "content-length: 7", "date: D"],
  },
  {
    rule: "a length that is none",
    set: { fields: [["content-length", "7, 7"]] },
    lines: ["transfer-encoding: chunked", "date: D"],
  },
  {
    rule: "no length in HTTP/1.0",
    set: { minorVersion: 0 },
    lines: ["date: D", "connection: close"],
    keepAlive: false,
  },
  {
    rule: "a length in HTTP/1.0",
    set: { minorVersion: 0, bodyBytes: 1 },
    lines: ["content-length: 1", "date: D", "connection: keep-alive"],
  },
  {
    rule: "204 without its length",
    set: { status: 204, fields: [["content-length", "0"]] },
    lines: ["date: D"],
  },
  {
    rule: "the app's hop-by-hop fields",
    set: { fields: [["transfer-encoding", "gzip"], ["keep-alive", "x"], ["te", "x"]] },
    lines: ["transfer-encoding: chunked", "date: D"],
  },
  {
    rule: "the app closes",
    set: { bodyBytes: 0, fields: [["connection", "foo, Close"]] },
    lines: ["content-length: 0", "date: D", "connection: close"],
    keepAlive: false,
  },
];

for (const { rule, set, lines, keepAlive = true } of rows) {
  Deno.test(`planResponse() with ${rule} (RFC 9112 §6.3)`, () => {
    const plan = planResponse({ ...input, ...set });
    const [statusLine, ...rest] = text(plan.head).split("\r\n");
    assert.match(statusLine, /^HTTP\/1.1 (200 OK|204 No Content)$/);
    assert.deepEqual(rest, [...lines, "", ""]);
    assert.equal(plan.keepAlive, keepAlive);
  });
}

Deno.test("encodeHead() writes one octet a character, and an empty phrase it does not know", () => {
  assert.equal(text(encodeHead(299, [["a", "\xe4"]])), "HTTP/1.1 299 \r\na: \xe4\r\n\r\n");
});

Deno.test("DateLine is right to the second (RFC 9110 §6.6.1)", () => {
  let nowMs = Date.UTC(1994, 10, 6, 8, 49, 37, 999);
  const dates = new DateLine(() => nowMs);
  assert.equal(dates.value, "Sun, 06 Nov 1994 08:49:37 GMT");
  const undated = { keepAlive: true, minorVersion: 1, dated: false } as const;
  assert.equal(text(dates.ending(undated)), "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
  nowMs += 1;
  assert.equal(text(dates.ending(undated)), "date: Sun, 06 Nov 1994 08:49:38 GMT\r\n\r\n");
  assert.equal(text(dates.ending({ ...undated, dated: true })), "\r\n");
  const closing = { keepAlive: false, minorVersion: 1, dated: true } as const;
  assert.equal(text(dates.ending(closing)), "connection: close\r\n\r\n");
  const old = { keepAlive: true, minorVersion: 0, dated: true } as const;
  assert.equal(text(dates.ending(old)), "connection: keep-alive\r\n\r\n");
  nowMs -= 60_000;
  assert.equal(dates.value, "Sun, 06 Nov 1994 08:48:38 GMT");
});
