import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { decodeHead, encodeHead, maxHeadBytes } from "./disk_head.ts";
import { blockBytes, BlockChecksums, decodeFooter, decodeTail, encodeTail } from "./disk_record.ts";
import { suiteBody, suiteResponse } from "./store_suite.ts";

function tailOf(bodyBytes: number, generation = 77): Uint8Array {
  const checksums = new BlockChecksums();
  checksums.add(suiteBody(1, bodyBytes));
  const tail = encodeTail(generation, bodyBytes, checksums.values, suiteResponse("/a"));
  assert.ok(tail);
  return tail;
}

const text = fc.string({ unit: "binary" });
const response = fc.record({
  key: text,
  variant: text,
  status: fc.integer({ min: 200, max: 599 }),
  fields: fc.array(fc.tuple(text, text)),
  requestSentMs: fc.maxSafeInteger(),
  receivedMs: fc.maxSafeInteger(),
  fillSeq: fc.maxSafeInteger(),
  tags: fc.array(text),
  source: text,
}, {
  requiredKeys: [
    "key",
    "variant",
    "status",
    "fields",
    "requestSentMs",
    "receivedMs",
    "fillSeq",
    "tags",
  ],
  noNullPrototype: true,
});

Deno.test("a head is read as it was written", () => {
  fc.assert(fc.property(response, (head) => {
    assert.deepEqual(decodeHead(encodeHead(head)), head);
  }));
});

Deno.test("a tail is read as it was written", () => {
  const bodyBytes = fc.nat(5 * blockBytes);
  fc.assert(
    fc.property(bodyBytes, fc.maxSafeInteger(), response, (bodyBytes, number, head) => {
      const generation = Math.abs(number);
      const sums = Array.from({ length: Math.ceil(bodyBytes / blockBytes) }, (_, i) => i * 7);
      const tail = encodeTail(generation, bodyBytes, sums, head);
      assert.ok(tail);
      const read = decodeTail(tail, bodyBytes + tail.length);
      if (typeof read === "string") assert.fail(read);
      assert.deepEqual(read.response, head);
      assert.deepEqual([...read.checksums], sums);
      assert.equal(read.footer.bodyBytes, bodyBytes);
      assert.equal(read.footer.generation, generation);
    }),
  );
});

Deno.test("encodeTail() refuses a head that is too long", () => {
  const head = suiteResponse("/a", { fields: [["x", "y".repeat(maxHeadBytes)]] });
  assert.equal(encodeTail(1, 0, [], head), undefined);
});

Deno.test("every flipped bit of a tail is found out", () => {
  const bodyBytes = 100_000;
  const tail = tailOf(bodyBytes);
  for (let bit = 0; bit < 8 * tail.length; bit++) {
    tail[bit >> 3] ^= 1 << (bit & 7);
    assert.equal(typeof decodeTail(tail, bodyBytes + tail.length), "string", `bit ${bit}`);
    tail[bit >> 3] ^= 1 << (bit & 7);
  }
});

Deno.test("every other length of a file is found out", () => {
  const bodyBytes = 1000;
  const tail = tailOf(bodyBytes);
  for (let length = 0; length < tail.length; length++) {
    assert.equal(typeof decodeTail(tail.subarray(0, length), bodyBytes + length), "string");
    assert.equal(typeof decodeTail(tail.subarray(length + 1), bodyBytes + tail.length), "string");
  }
  assert.equal(decodeTail(tail, bodyBytes + tail.length + 1), "bad_length");
});

Deno.test("random bytes are no record, and reading them never throws", () => {
  const noise = fc.uint8Array({ maxLength: 200 });
  const magic = new TextEncoder().encode("DLOBJ1\r\n");
  fc.assert(fc.property(noise, fc.nat(), (bytes, fileBytes) => {
    const footer = new Uint8Array([...bytes, ...magic, ...new Uint8Array(36)]);
    for (const input of [bytes, footer]) {
      assert.equal(typeof decodeFooter(input, fileBytes), "string");
      assert.equal(typeof decodeTail(input, input.length), "string");
    }
    decodeHead(bytes);
  }));
});

Deno.test("decodeHead() refuses JSON that is no response", () => {
  const good = suiteResponse("/a");
  const bad: unknown[] = [null, [], 7, "x", {}];
  for (const member of Object.keys(good)) {
    for (const value of [null, {}, [[]], -1.5, ["a", 1]]) {
      if (typeof value === "number" && typeof good[member as "status"] === "number") continue;
      bad.push({ ...good, [member]: value });
    }
  }
  for (const value of bad) {
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    assert.equal(decodeHead(bytes), undefined, JSON.stringify(value));
  }
});

Deno.test("block checksums do not depend on how a body is cut", () => {
  const body = suiteBody(3, 3 * blockBytes + 17);
  const expected = [0, 1, 2, 3].map((block) =>
    crc32(body.subarray(block * blockBytes, (block + 1) * blockBytes))
  );
  const cut = fc.nat(body.length);
  fc.assert(fc.property(fc.array(cut), (cuts) => {
    const checksums = new BlockChecksums();
    const places = [0, ...cuts.toSorted((a, b) => a - b), body.length];
    for (let i = 1; i < places.length; i++) {
      checksums.add(body.subarray(places[i - 1], places[i]));
    }
    assert.deepEqual(checksums.values, expected);
  }));
});
