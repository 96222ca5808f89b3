/**
 * Requests that other servers read in two ways. Each gets one refusal and the connection ends: what
 * follows in the same write must never be served.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { get, post, withFront } from "./front_rig.ts";

const host = "Host: front.test\r\n";
const chunked = "Transfer-Encoding: chunked";
const lastChunk = "0\r\n\r\n";

const vectors = [
  { name: "cl_te", send: post("/", "Content-Length: 6", chunked) + lastChunk + "G", status: 400 },
  { name: "te_cl", send: post("/", chunked, "Content-Length: 6") + lastChunk + "G", status: 400 },
  {
    name: "dup_cl",
    send: post("/", "Content-Length: 3", "Content-Length: 4") + "abc",
    status: 400,
  },
  {
    name: "dup_cl_equal",
    send: post("/", "Content-Length: 3", "Content-Length: 3") + "abc",
    status: 400,
  },
  { name: "cl_list", send: post("/", "Content-Length: 3, 3") + "abc", status: 400 },
  { name: "cl_plus", send: post("/", "Content-Length: +3") + "abc", status: 400 },
  { name: "cl_minus", send: post("/", "Content-Length: -3") + "abc", status: 400 },
  { name: "cl_hex", send: post("/", "Content-Length: 0x3") + "abc", status: 400 },
  { name: "te_xchunked", send: post("/", "Transfer-Encoding: xchunked") + lastChunk, status: 501 },
  {
    name: "te_space_colon",
    send: post("/", "Transfer-Encoding : chunked") + lastChunk,
    status: 400,
  },
  {
    name: "te_identity_chunked",
    send: post("/", "Transfer-Encoding: identity, chunked") + lastChunk,
    status: 501,
  },
  {
    name: "te_gzip_chunked",
    send: post("/", "Transfer-Encoding: gzip, chunked") + lastChunk,
    status: 501,
  },
  { name: "te_twice", send: post("/", chunked, chunked) + lastChunk, status: 400 },
  { name: "te_vt", send: post("/", "Transfer-Encoding: \x0bchunked") + lastChunk, status: 400 },
  {
    name: "te_http10",
    send: `POST / HTTP/1.0\r\n${host}${chunked}\r\n\r\n${lastChunk}`,
    status: 400,
  },
  { name: "obs_fold", send: get("/", "X: a", " b"), status: 400 },
  {
    name: "obs_fold_te",
    send: post("/", "Transfer-Encoding:", " chunked") + lastChunk,
    status: 400,
  },
  { name: "bare_lf", send: "GET / HTTP/1.1\nHost: front.test\n\n", status: 400 },
  { name: "bare_lf_in_line", send: get("/", "X: a\nContent-Length: 5"), status: 400 },
  { name: "bare_cr_hdr", send: get("/", "X: a\rY: b"), status: 400 },
  { name: "nul_hdr", send: get("/", "X: a\0b"), status: 400 },
  { name: "dup_host", send: get("/", "Host: other.test"), status: 400 },
  { name: "no_host", send: "GET / HTTP/1.1\r\nX: a\r\n\r\n", status: 400 },
  { name: "empty_host", send: "GET / HTTP/1.1\r\nHost:\r\n\r\n", status: 400 },
  { name: "host_list", send: "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", status: 400 },
  { name: "host_user", send: "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", status: 400 },
  { name: "absolute_uri_host_mismatch", send: get("http://other.test/"), status: 400 },
  {
    name: "get_body_chunk_ext_lf",
    send: get("/", chunked) + "1;a\nb\r\na\r\n" + lastChunk,
    status: 400,
  },
  { name: "chunk_ext_lf", send: post("/", chunked) + "1;a\nb\r\na\r\n" + lastChunk, status: 400 },
  { name: "chunk_size_0x", send: post("/", chunked) + "0x1\r\na\r\n" + lastChunk, status: 400 },
  { name: "chunk_size_plus", send: post("/", chunked) + "+1\r\na\r\n" + lastChunk, status: 400 },
  {
    name: "chunk_size_overflow",
    send: post("/", chunked) + "ffffffffffffffff1\r\na\r\n",
    status: 400,
  },
  { name: "chunk_no_crlf", send: post("/", chunked) + "1\r\nab\r\n" + lastChunk, status: 400 },
  { name: "chunk_lf", send: post("/", chunked) + "1\na\n0\n\n", status: 400 },
  {
    name: "chunk_trailer_request",
    send: post("/", chunked) + "0\r\nGET /x HTTP/1.1\r\n\r\n",
    status: 400,
  },
  { name: "url_space", send: get("/a b"), status: 400 },
  { name: "url_ctl", send: get("/a\x01b"), status: 400 },
  { name: "url_fragment", send: get("/a#b"), status: 400 },
  { name: "url_backslash", send: get("/a\\..\\b"), status: 400 },
  { name: "huge_header", send: get("/", `X: ${"a".repeat(100_000)}`), status: 431 },
  { name: "many_headers", send: get("/", ...Array(500).fill("X: a")), status: 431 },
  { name: "huge_url", send: get(`/${"a".repeat(65_536)}`), status: 414 },
  { name: "http09", send: "GET /\r\n", status: 400 },
  { name: "http2_preface", send: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status: 505 },
  {
    name: "connect",
    send: "CONNECT other.test:443 HTTP/1.1\r\nHost: other.test:443\r\n\r\n",
    status: 501,
  },
  { name: "lower_case_method", send: "get / HTTP/1.1\r\nHost: front.test\r\n\r\n", status: 501 },
  { name: "tls_hello", send: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", status: 400 },
];

for (const { name, send, status } of vectors) {
  for (const fast of [false, true]) {
    Deno.test(`${name} is refused with ${status} and ends it, ${fast ? "fast" : "handler"} lane`, async () => {
      const asked: string[] = [];
      const head = new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n");
      await withFront({
        handler: (request) => {
          asked.push(request.url);
          return new Response();
        },
        fastLane: ({ target }) => {
          if (!fast) return undefined;
          asked.push(target);
          return { head, body: undefined };
        },
      }, async (rig) => {
        const client = await rig.connect();
        await client.send(send + get("/smuggled"));
        const answer = await client.answer();
        assert.equal(answer.status, status);
        assert.equal(answer.fields.get("connection"), "close");
        assert.equal(answer.fields.get("cache-control"), "no-store");
        assert.equal(await client.rest(), "");
        assert.deepEqual(asked, []);
        client.close();
        const rejected = await rig.until("rejected");
        assert.equal(`${rejected.reason}\n`, answer.text);
        assert.equal((await rig.until("closed")).reason, "rejected");
      });
    });
  }
}

Deno.test("get_body is dropped and what follows it is served (RFC 9112 §6)", async () => {
  await withFront({}, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/", "Content-Length: 3") + "GET" + get("/next"));
    assert.equal((await client.answer()).status, 200);
    assert.equal((await client.answer()).status, 200);
  });
});

Deno.test("a refusal reaches a client that is still sending", async () => {
  await withFront({}, async (rig) => {
    const client = await rig.connect();
    await client.send(post("/", "Content-Length: 100000000"));
    const sending = client.send(new Uint8Array(200_000)).catch(() => {});
    const answer = await client.answer();
    assert.equal(answer.text, "body_too_large\n");
    await sending;
  });
});

Deno.test("what follows Connection: close is dropped, and the answer is not lost", async () => {
  await withFront({}, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/", "Connection: close") + get("/more") + "\0".repeat(50_000));
    assert.equal((await client.answer()).text, "from the handler");
    assert.equal(await client.rest(), "");
    client.close();
    const closed = await rig.until("closed");
    assert.deepEqual([closed.reason, closed.requests], ["done", 1]);
  });
});

Deno.test("no octets make the front fall over", async () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom(get("/"), post("/", chunked), "1\r\na\r\n", lastChunk, "\r\n", "GET /")
      .map((text) => new TextEncoder().encode(text)),
  );
  const handler = async (request: Request) => new Response(await request.text());
  await withFront({ handler, limits: { lingerTimeoutMs: 50 } }, async (rig) => {
    const property = fc.asyncProperty(fc.array(piece, { maxLength: 6 }), async (pieces) => {
      const client = await rig.connect();
      for (const one of pieces) await client.send(one).catch(() => {});
      await client.halfClose().catch(() => {});
      await client.rest();
      client.close();
    });
    await fc.assert(property, { numRuns: 60 });
    const client = await rig.connect();
    await client.send(get("/"));
    assert.equal((await client.answer()).status, 200);
    assert.deepEqual(rig.events.filter(({ kind }) => kind === "handler_failed"), []);
  });
});
