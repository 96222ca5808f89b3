/**
 * What a client may do to a real edge: each hazard has a bound, a clean answer and a metric, and what is
 * ambiguous is never seen by the upstream (docs/limits.md).
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  eventually,
  type RawUpstream,
  rawUpstream,
  type RunningEdge,
  send,
  startEdge,
} from "./edge_rig.ts";

const host = "Host: edge.test\r\n";
const smuggled = `GET /smuggled HTTP/1.1\r\n${host}\r\n`;
const post = (path: string, ...lines: string[]) =>
  [`POST ${path} HTTP/1.1`, "Host: edge.test", ...lines, "", ""].join("\r\n");
const get = (path: string, ...lines: string[]) => post(path, ...lines).replace("POST", "GET");
const te = "Transfer-Encoding: chunked";

/** By name: requests that servers read in two ways, and the status that refuses them. */
const ambiguous: Readonly<Record<string, readonly [request: string, status: number]>> = {
  cl_te: [post("/v", `Content-Length: ${5 + smuggled.length}`, te) + "0\r\n\r\n", 400],
  te_cl: [post("/v", te, "Content-Length: 4") + "5c\r\n", 400],
  two_lengths: [post("/v", "Content-Length: 0", "Content-Length: 44"), 400],
  length_list: [post("/v", "Content-Length: 0, 44"), 400],
  length_plus: [post("/v", "Content-Length: +44"), 400],
  length_blank: [post("/v", "Content-Length: 4 4"), 400],
  coding_unknown: [post("/v", "Transfer-Encoding: xchunked") + "0\r\n\r\n", 501],
  coding_twice: [post("/v", te, te) + "0\r\n\r\n", 400],
  coding_list: [post("/v", "Transfer-Encoding: chunked, identity") + "0\r\n\r\n", 501],
  coding_tab: [post("/v", "Transfer-Encoding:\x0bchunked") + "0\r\n\r\n", 400],
  coding_blank: [post("/v", "Transfer-Encoding : chunked") + "0\r\n\r\n", 400],
  coding_folded: [post("/v", "Transfer-Encoding:", " chunked") + "0\r\n\r\n", 400],
  coding_on_1_0: [`POST /v HTTP/1.0\r\n${host}${te}\r\n\r\n0\r\n\r\n`, 400],
  bare_lf: [`GET /v HTTP/1.1\nHost: edge.test\n\n`, 400],
  bare_lf_in_field: [get("/v", "X: a\nTransfer-Encoding: chunked"), 400],
  bare_cr: [get("/v", "X: a\rTransfer-Encoding: chunked"), 400],
  nul: [get("/v", "X: a\0b"), 400],
  folded: [get("/v", "X: a", " b"), 400],
  two_hosts: [get("/v", "Host: other.test"), 400],
  no_host: ["GET /v HTTP/1.1\r\nX: a\r\n\r\n", 400],
  absolute_other_host: [get("http://other.test/v"), 400],
  chunk_lf: [post("/v", te) + "1\na\n0\n\n", 400],
  chunk_extension_lf: [post("/v", te) + "1;a\nb\r\na\r\n0\r\n\r\n", 400],
  chunk_size_sign: [post("/v", te) + "+1\r\na\r\n0\r\n\r\n", 400],
  chunk_size_overflow: [post("/v", te) + "10000000000000001\r\na\r\n0\r\n\r\n", 400],
  chunk_too_long: [post("/v", te) + "1\r\nab\r\n0\r\n\r\n", 400],
  trailer_request: [post("/v", te) + "0\r\nGET /smuggled HTTP/1.1\r\n\r\n", 400],
  http_0_9: ["GET /v\r\n", 400],
  http_2_preface: ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
  connect: ["CONNECT other.test:443 HTTP/1.1\r\nHost: other.test:443\r\n\r\n", 501],
};

/** Sends, and returns all that comes until the edge closes. */
async function exchange({ port }: RunningEdge, text: string): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await send(conn, text).catch(() => {}); // it may close before all is sent
  let answer = "";
  const buffer = new Uint8Array(65_536);
  for (let read; (read = await conn.read(buffer).catch(() => null)) !== null;) {
    answer += new TextDecoder("latin1").decode(buffer.subarray(0, read));
  }
  return answer;
}

function origin(): RawUpstream {
  return rawUpstream((conn) =>
    send(conn, "HTTP/1.1 200 OK\r\ncache-control: max-age=600\r\ncontent-length: 4\r\n\r\nbody")
  );
}

Deno.test("no ambiguous request, and nothing behind one, is seen by the upstream of a real edge", async (t) => {
  using upstream = origin();
  await using edge = await startEdge("--upstream", upstream.url);
  for (const [name, [request, status]] of Object.entries(ambiguous)) {
    await t.step(name, async () => {
      const before = upstream.heads.length;
      const rejected = await edge.metric("edge_http_rejected_total");
      const answer = await exchange(edge, request + smuggled);
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.equal(answer.match(/HTTP\/1\.1 \d/g)?.length, 1, "one answer, then the end");
      assert.match(answer, /^connection: close\r$/im);
      assert.ok(await edge.metric("edge_http_rejected_total") > rejected, "it is counted");
      assert.deepEqual(upstream.heads.slice(before), []);
    });
  }
  await t.step("the body of a GET goes no further", async () => {
    const closing = get("/get-body", `Content-Length: ${smuggled.length}`, "Connection: close");
    assert.match(await exchange(edge, closing + smuggled), /^HTTP\/1\.1 200 /);
    const [head] = upstream.heads.filter((one) => one.startsWith("GET /get-body "));
    assert.doesNotMatch(head, /content-length|transfer-encoding/i);
  });
  await t.step("two requests in one write are two, in order", async () => {
    const answer = await exchange(edge, get("/one") + get("/two", "Connection: close"));
    assert.equal(answer.match(/HTTP\/1\.1 200 /g)?.length, 2);
  });
  assert.ok(upstream.heads.every((head) => !head.includes("smuggled")));
});

/** Heads that are too large, and the reason that is counted. */
const oversized: readonly (readonly [request: string, status: number, reason: string])[] = [
  [get(`/${"a".repeat(9000)}`), 414, "target_too_long"],
  [get("/", `X: ${"a".repeat(9000)}`), 431, "field_too_large"],
  [get("/", ...Array(150).fill("X: a")), 431, "too_many_fields"],
  [get("/", ...Array(90).fill(`X: ${"a".repeat(500)}`)), 431, "head_too_large"],
  [post("/", "Content-Length: 99999999999"), 413, "body_too_large"],
  [post("/", te) + `1;${"a".repeat(5000)}\r\na\r\n0\r\n\r\n`, 431, "chunk_extension_too_long"],
  [post("/", te) + `0\r\n${"X: a\r\n".repeat(2000)}\r\n`, 431, "trailer_too_large"],
];

Deno.test("heads and bodies over a bound get the status that says so, and are counted by it", async () => {
  using upstream = origin();
  await using edge = await startEdge("--upstream", upstream.url);
  for (const [request, status, reason] of oversized) {
    assert.match(await exchange(edge, request), new RegExp(`^HTTP/1\\.1 ${status} `), reason);
    assert.equal(await edge.metric("edge_http_rejected_total", `reason="${reason}"`), 1);
  }
  assert.ok(upstream.heads.every((head) => head.startsWith("POST ")));
});

const connectTo = ({ port }: RunningEdge) => Deno.connect({ hostname: "127.0.0.1", port });

/** Opens connections, does something with each, and closes them at the end. */
async function withMany(
  edge: RunningEdge,
  count: number,
  each: (conn: Deno.Conn) => Promise<void>,
  run: (conns: readonly Deno.Conn[]) => Promise<void>,
): Promise<void> {
  const conns: Deno.Conn[] = [];
  try {
    for (let i = 0; i < count; i++) {
      const conn = await connectTo(edge);
      conns.push(conn);
      await each(conn);
    }
    await run(conns);
  } finally {
    for (const conn of conns) conn.close();
  }
}

Deno.test("slow heads are gone in time, and others are served meanwhile", async () => {
  using upstream = origin();
  await using edge = await startEdge("--upstream", upstream.url, "--head-timeout", "1s");
  const half = (conn: Deno.Conn) => send(conn, `GET / HTTP/1.1\r\n${host}X: a`);
  await withMany(edge, 200, half, async () => {
    assert.equal(await (await fetch(`${edge.url}/other`)).text(), "body");
    await eventually(
      "all are gone",
      async () => await edge.metric("edge_http_closed_total", 'reason="head_timeout"') === 200,
    );
    assert.equal(await edge.metric("edge_http_rejected_total", 'reason="head_timeout"'), 200);
  });
  assert.deepEqual(upstream.heads.length, 1);
});

Deno.test("a body that dribbles is cut off, and its upstream request ends", async () => {
  using upstream = rawUpstream(() => Promise.resolve());
  await using edge = await startEdge("--upstream", upstream.url, "--body-timeout", "300ms");
  const slow = post("/slow", "Content-Length: 1000") + "a";
  assert.match(await exchange(edge, slow), /^HTTP\/1\.1 408 /);
  assert.equal(await edge.metric("edge_http_rejected_total", 'reason="body_timeout"'), 1);
});

Deno.test("clients that stop reading are cut off, and hold no more than a window each", async () => {
  using upstream = rawUpstream(async (conn) => {
    await send(conn, "HTTP/1.1 200 OK\r\ncache-control: max-age=600\r\n");
    await send(conn, `content-length: ${32 << 20}\r\n\r\n`);
    await send(conn, new Uint8Array(32 << 20));
  });
  await using edge = await startEdge("--upstream", upstream.url, "--write-timeout", "500ms");
  await (await fetch(`${edge.url}/large`)).arrayBuffer();
  await withMany(edge, 30, (conn) => send(conn, get("/large")), async () => {
    await eventually(
      "all are gone",
      async () => await edge.metric("edge_http_closed_total", 'reason="write_timeout"') === 30,
    );
    assert.ok(await edge.metric("process_resident_memory_bytes") < 500e6);
  });
});

Deno.test("idle connections give way at the bound, and busy ones answer 503 beyond it", async () => {
  let answer = () => {};
  const held = new Promise<void>((resolve) => answer = resolve);
  using upstream = rawUpstream(async (conn, { path }) => {
    if (path.startsWith("/held")) await held;
    await send(conn, "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody");
  });
  const bound = ["--max-connections", "40"];
  await using edge = await startEdge("--upstream", upstream.url, ...bound);
  const asked = async (conn: Deno.Conn) => {
    await send(conn, get("/a"));
    assert.ok(await conn.read(new Uint8Array(4096)));
  };
  await withMany(edge, 60, asked, async () => {
    assert.equal(await edge.metric("edge_http_open_connections"), 40);
    assert.equal(await edge.metric("edge_http_closed_total", 'reason="evicted"'), 20);
  });
  await eventually("they left", async () => await edge.metric("edge_http_open_connections") === 0);
  const ask = (conn: Deno.Conn) => send(conn, get("/held"));
  await withMany(edge, 40, ask, async () => {
    await eventually(
      "all are under way",
      async () => await edge.metric("edge_http_open_connections") === 40,
    );
    assert.match(await exchange(edge, get("/b")), /^HTTP\/1\.1 503 /);
    assert.equal(await edge.metric("edge_http_connections_total", 'result="refused"'), 1);
    answer();
  });
});
