import assert from "node:assert/strict";
import fc from "fast-check";
import { HeadParser } from "./head_parser.ts";
import { defaultLimits, type Http1Limits } from "./limits.ts";
import { encodeOctets } from "./octets.ts";

const limits: Http1Limits = { ...defaultLimits, maxHeadBytes: 300, maxTargetBytes: 60 };
const fieldBlocks = [
  "Host: a\r\n",
  "Host: a\r\nAccept: */*\r\nUser-Agent: player/1\r\n",
  "Host: a\r\nConnection: close\r\n",
  "Host: a\r\nConnection: keep-alive\r\n",
  "Host: a\r\nContent-Length: 3\r\n",
  "Host: a\r\nTransfer-Encoding: chunked\r\n",
  "Host: b\r\n",
  "",
  `Host: a\r\nX: ${"x".repeat(240)}\r\n`,
];
const lines = [
  "GET / HTTP/1.1",
  "GET /2.ts HTTP/1.1",
  "HEAD / HTTP/1.1",
  "GET / HTTP/1.0",
  "GET http://a/ HTTP/1.1",
  "GET http://b/ HTTP/1.1",
  "GET /\x01 HTTP/1.1",
  "CONNECT / HTTP/1.1",
  "\r\nGET / HTTP/1.1",
  `GET /${"y".repeat(55)} HTTP/1.1`,
  "GET /",
];
const head = fc.tuple(fc.constantFrom(...lines), fc.constantFrom(...fieldBlocks))
  .map(([line, fields]) => `${line}\r\n${fields}\r\n`);
const tail = fc.constantFrom("", "G", "abc", "GET / HTTP/1.1\r\nHost: a\r\n\r\n");

Deno.test("what a connection said before never changes how a head is read", () => {
  fc.assert(
    fc.property(fc.array(head, { minLength: 1, maxLength: 6 }), tail, (heads, tail) => {
      const parser = new HeadParser(limits);
      for (const text of heads) {
        parser.reset();
        const octets = encodeOctets(text + tail);
        const fresh = new HeadParser(limits);
        assert.deepEqual(parser.parse(octets), fresh.parse(octets), text);
        assert.equal(parser.method, fresh.method);
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a head that changes by one octet is read anew", () => {
  const text = "GET /1.ts HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n";
  for (let at = 0; at < text.length; at++) {
    for (const octet of ["\0", " ", "\n", "z", ":"]) {
      const changed = encodeOctets(text.slice(0, at) + octet + text.slice(at + 1));
      const parser = new HeadParser(limits);
      parser.parse(encodeOctets(text));
      parser.reset();
      assert.deepEqual(parser.parse(changed), new HeadParser(limits).parse(changed));
    }
  }
});

Deno.test("a known head that comes in pieces is read as well", () => {
  const octets = encodeOctets("GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n");
  const parser = new HeadParser(limits);
  const whole = parser.parse(octets);
  for (let split = 1; split < octets.length; split++) {
    parser.reset();
    assert.equal(parser.parse(octets.subarray(0, split)), "need_more");
    assert.deepEqual(parser.parse(octets), whole);
  }
});
