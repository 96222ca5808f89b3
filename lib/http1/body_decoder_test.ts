/**
 * Request bodies: chunked without leniency, and lengths.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { type BodyDecoder, ChunkedDecoder, FixedDecoder } from "./body_decoder.ts";
import { decodeOctets, encodeOctets } from "./octets.ts";
import type { Http1Rejection } from "./rejection.ts";

/** What a decoder makes of octets that come in parts cut at `ends`. */
function decode(decoder: BodyDecoder, octets: Uint8Array, ends: readonly number[] = []) {
  let text = "";
  let consumed = 0;
  for (const end of [...ends, octets.length].sort((a, b) => a - b)) {
    const step = decoder.decode(octets.subarray(consumed, Math.min(end, octets.length)));
    if (typeof step === "string") return { rejection: step };
    consumed += step.consumedBytes;
    text += decodeOctets(step.data);
    if (step.done) return { text, consumed };
  }
  return { text, consumed, more: true };
}

const good = [
  { rule: "chunks", coded: "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", text: "abc0123456789" },
  { rule: "leading zeros", coded: "003\r\nabc\r\n000\r\n\r\n", text: "abc" },
  {
    rule: "hex in both cases",
    coded: "a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n",
    text: "01234567890123456789a",
  },
  { rule: "extensions", coded: '3;a=b;c="d e"\r\nabc\r\n0;x\r\n\r\n', text: "abc" },
  { rule: "trailers", coded: "1\r\na\r\n0\r\nX-Sum: 1 2\r\nY:\r\n\r\n", text: "a" },
  { rule: "CRLF as data", coded: "4\r\n\r\n\r\n\r\n0\r\n\r\n", text: "\r\n\r\n" },
  { rule: "nothing", coded: "0\r\n\r\n", text: "" },
];

for (const { rule, coded, text } of good) {
  Deno.test(`a chunked body with ${rule} is read (RFC 9112 §7.1)`, () => {
    const octets = encodeOctets(`${coded}GET /next`);
    assert.deepEqual(decode(new ChunkedDecoder(100), octets), { text, consumed: coded.length });
  });
}

const bad: { rule: string; coded: string; want: Http1Rejection }[] = [
  { rule: "0x before the size", coded: "0x1\r\na\r\n", want: "chunk_size_invalid" },
  { rule: "a sign", coded: "+1\r\na\r\n", want: "chunk_size_invalid" },
  { rule: "a minus", coded: "-1\r\na\r\n", want: "chunk_size_invalid" },
  { rule: "a space before the size", coded: " 1\r\na\r\n", want: "chunk_size_invalid" },
  { rule: "a space after the size", coded: "1 \r\na\r\n", want: "chunk_size_invalid" },
  { rule: "no size", coded: "\r\na\r\n", want: "chunk_size_invalid" },
  { rule: "an extension without a size", coded: ";a\r\n", want: "chunk_size_invalid" },
  { rule: "an underscore", coded: "1_0\r\n", want: "chunk_size_invalid" },
  { rule: "nine digits", coded: "000000001\r\na\r\n", want: "chunk_size_invalid" },
  { rule: "bare LF after the size", coded: "1\na\r\n", want: "chunk_size_invalid" },
  { rule: "bare CR after the size", coded: "1\ra\r\n", want: "chunk_size_invalid" },
  { rule: "LF in an extension", coded: "1;a\nb\r\na\r\n", want: "chunk_extension_invalid" },
  { rule: "CR in an extension", coded: "1;a\rb\r\na\r\n", want: "chunk_size_invalid" },
  { rule: "NUL in an extension", coded: "1;\0\r\na\r\n", want: "chunk_extension_invalid" },
  { rule: "data longer than its size", coded: "1\r\nab\r\n", want: "chunk_end_invalid" },
  { rule: "bare LF after data", coded: "1\r\na\n", want: "chunk_end_invalid" },
  { rule: "bare CR after data", coded: "1\r\na\rb", want: "chunk_end_invalid" },
  { rule: "more than the limit", coded: "65\r\n", want: "body_too_large" },
  {
    rule: "more than the limit together",
    coded: `64\r\n${"a".repeat(100)}\r\n1\r\n`,
    want: "body_too_large",
  },
  { rule: "a folded trailer", coded: "0\r\nx: a\r\n b\r\n\r\n", want: "trailer_invalid" },
  { rule: "a trailer without a colon", coded: "0\r\nxyz\r\n\r\n", want: "trailer_invalid" },
  {
    rule: "a space before a trailer's colon",
    coded: "0\r\nx : a\r\n\r\n",
    want: "trailer_invalid",
  },
  { rule: "a bare LF at the end", coded: "0\r\n\n", want: "trailer_invalid" },
  { rule: "a bare LF in a trailer", coded: "0\r\nx: a\n\r\n", want: "trailer_invalid" },
  { rule: "a NUL in a trailer", coded: "0\r\nx: \0\r\n\r\n", want: "trailer_invalid" },
  {
    rule: "a request in place of the end",
    coded: "0\r\nGET / HTTP/1.1\r\n\r\n",
    want: "trailer_invalid",
  },
  { rule: "a long extension", coded: `1;${"a".repeat(5000)}`, want: "chunk_extension_too_long" },
  {
    rule: "many extensions",
    coded: `1;${"a".repeat(99)}\r\na\r\n`.repeat(42),
    want: "chunk_extension_too_long",
  },
  { rule: "a long trailer", coded: `0\r\nx: ${"a".repeat(9000)}`, want: "trailer_too_large" },
  { rule: "many trailers", coded: `0\r\n${"x: a\r\n".repeat(1400)}`, want: "trailer_too_large" },
];

for (const { rule, coded, want } of bad) {
  Deno.test(`a chunked body with ${rule} is ${want} (RFC 9112 §7.1)`, () => {
    const decoder = new ChunkedDecoder(100);
    assert.deepEqual(decode(decoder, encodeOctets(coded)), { rejection: want });
  });
}

Deno.test("a body of known length ends where it should (RFC 9112 §6.3)", () => {
  const octets = encodeOctets("abcdeGET");
  assert.deepEqual(decode(new FixedDecoder(5), octets), { text: "abcde", consumed: 5 });
  assert.deepEqual(decode(new FixedDecoder(5), octets, [1, 3]), { text: "abcde", consumed: 5 });
  assert.deepEqual(decode(new FixedDecoder(9), octets), {
    text: "abcdeGET",
    consumed: 8,
    more: true,
  });
});

Deno.test("body data is a copy: the buffer behind it may change", () => {
  for (const decoder of [new FixedDecoder(3), new ChunkedDecoder(100)]) {
    const octets = encodeOctets("3\r\nabc");
    const step = decoder.decode(octets);
    assert.ok(typeof step === "object");
    const before = step.data.slice();
    octets.fill(0);
    assert.deepEqual(step.data.slice(), before);
  }
});

const chunk = fc.string({ unit: fc.constantFrom(..."ab\r\n"), minLength: 1, maxLength: 20 });

Deno.test("what is chunked reads back, wherever it is cut", () => {
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 5 }), fc.array(fc.nat(150)), (chunks, ends) => {
      const parts = chunks.map((data) => `${data.length.toString(16)}\r\n${data}\r\n`);
      const octets = encodeOctets(`${parts.join("")}0\r\n\r\nnext`);
      const want = { text: chunks.join(""), consumed: octets.length - 4 };
      assert.deepEqual(decode(new ChunkedDecoder(1000), octets, ends), want);
    }),
  );
});

Deno.test("the outcome of a chunked body does not depend on splits, and nothing throws", () => {
  const piece = fc.constantFrom(..."012aF;=\r\n: x", "\r\n", "1\r\na\r\n", "0\r\n", "\0", "\xff");
  const noise = fc.array(piece, { maxLength: 30 }).map((pieces) => encodeOctets(pieces.join("")));
  fc.assert(fc.property(noise, fc.array(fc.nat(60)), (octets, ends) => {
    const whole = decode(new ChunkedDecoder(20), octets);
    assert.deepEqual(decode(new ChunkedDecoder(20), octets, ends), whole);
  }));
});
