import assert from "node:assert/strict";
import fc from "fast-check";
import { parseResponseHead } from "./response_head.ts";

const octets = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const parse = (text: string, method = "GET") => parseResponseHead(octets(text), method);

// How the body ends (RFC 9112 §6.3): one row a rule.
const ends = [
  { rule: "HEAD has none", method: "HEAD", head: "200 OK\r\ncontent-length: 5", end: "none" },
  { rule: "204 has none", head: "204 No Content", end: "none" },
  { rule: "304 has none", head: "304 Not Modified\r\ncontent-length: 5", end: "none" },
  { rule: "1xx has none", head: "103 Early Hints", end: "none" },
  { rule: "chunked", head: "200 OK\r\ntransfer-encoding: Chunked", end: "chunked" },
  { rule: "a length", head: "200 OK\r\ncontent-length: 5", end: "fixed" },
  { rule: "neither: until the close", head: "200 OK", end: "close" },
];

for (const { rule, method, head, end } of ends) {
  Deno.test(`parseResponseHead(): ${rule} (RFC 9112 §6.3)`, () => {
    const parsed = parse(`HTTP/1.1 ${head}\r\n\r\nrest`, method);
    assert.ok(typeof parsed !== "string", String(parsed));
    assert.equal(parsed.end.kind, end);
    assert.equal(parsed.headBytes, `HTTP/1.1 ${head}\r\n\r\n`.length);
  });
}

// What may be read in two ways is not read at all.
const malformed = [
  "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
  "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
  "HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\n",
  "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
  "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
  "HTTP/1.1 200 OK\r\nx: a\r\n folded\r\n\r\n",
  "HTTP/1.1 200 OK\r\nx : a\r\n\r\n",
  "HTTP/1.1 200 OK\r\nx: a\nb\r\n\r\n",
  "HTTP/1.1 2000 OK\r\n\r\n",
  "HTTP/2 200\r\n\r\n",
  "hello\r\n\r\n",
];

for (const head of malformed) {
  Deno.test(`parseResponseHead() refuses ${JSON.stringify(head.slice(0, 70))}`, () => {
    assert.equal(parse(head), "malformed");
  });
}

Deno.test("parseResponseHead() says whether the connection is kept", () => {
  const keeps = (head: string) => {
    const parsed = parse(`${head}\r\ncontent-length: 0\r\n\r\n`);
    return typeof parsed !== "string" && parsed.keepAlive;
  };
  assert.equal(keeps("HTTP/1.1 200 OK"), true);
  assert.equal(keeps("HTTP/1.1 200 OK\r\nconnection: x, Close"), false);
  assert.equal(keeps("HTTP/1.0 200 OK"), false);
});

Deno.test("parseResponseHead() needs the whole head, however it is cut", () => {
  const head = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
  for (let cut = 0; cut < head.length; cut++) assert.equal(parse(head.slice(0, cut)), "need_more");
});

Deno.test("parseResponseHead() never throws on random bytes", () => {
  const noise = fc.uint8Array({ maxLength: 200 });
  fc.assert(fc.property(noise, fc.boolean(), (bytes, begun) => {
    const start = begun ? octets("HTTP/1.1 200 OK\r\n") : new Uint8Array(0);
    parseResponseHead(new Uint8Array([...start, ...bytes, 13, 10, 13, 10]), "GET");
  }));
});
