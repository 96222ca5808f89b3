import assert from "node:assert/strict";
import { Hono } from "hono";
import { cacheHandler, toResponse } from "./hono.ts";
import { reply, setUp } from "./scripted_next_hop.ts";

const fresh = ["cache-control", "max-age=60"] as const;

Deno.test("cacheHandler() answers with what the engine says", async () => {
  const bench = setUp(() => reply(200, [fresh, ["x-two", "1"], ["x-two", "2"]], "body"));
  const app = new Hono().all("*", cacheHandler(bench.engine));
  for (const want of [/uri-miss/, /hit/]) {
    const response = await app.fetch(
      new Request("http://edge/a?b=c", { headers: { accept: "x" } }),
    );
    assert.equal(await response.text(), "body");
    assert.match(response.headers.get("cache-status") ?? "", want);
    assert.equal(response.headers.get("x-two"), "1, 2");
  }
  assert.deepEqual([bench.sent[0].target, bench.sent[0].fields], ["/a?b=c", [["accept", "x"]]]);
});

Deno.test("cacheHandler() takes the head from the front when it is there", async () => {
  const bench = setUp(() => reply(200, [fresh], "body"));
  const app = new Hono().all("*", cacheHandler(bench.engine));
  const head = { method: "GET", target: "/a//%2e%2e/b", fields: [] };
  await app.fetch(new Request("http://edge/normalised"), { head });
  assert.equal(bench.sent[0].target, "/a/b");
});

Deno.test("cacheHandler() passes what a request body is for and the options given", async () => {
  const bench = setUp(() => reply(200, [fresh], "x"));
  const handler = cacheHandler(bench.engine, () => ({ bypass: true }));
  const app = new Hono().all("*", handler);
  await app.fetch(new Request("http://edge/a", { method: "POST", body: "hello" }));
  assert.equal(await new Response(bench.sent[0].body).text(), "hello");
  await (await app.fetch(new Request("http://edge/a"))).text();
  const again = await app.fetch(new Request("http://edge/a"));
  assert.match(again.headers.get("cache-status") ?? "", /fwd=bypass/);
});

Deno.test("toResponse() sends large bodies whole, in pieces", async () => {
  const body = new Uint8Array(600_000).map((_, i) => i % 251);
  const response = toResponse({ status: 200, fields: [], body });
  assert.deepEqual(new Uint8Array(await response.arrayBuffer()), body);
});

Deno.test("toResponse() makes answers without a body", () => {
  for (const status of [204, 304, 416, 499, 504]) {
    assert.equal(toResponse({ status, fields: [], body: null }).status, status);
  }
});
