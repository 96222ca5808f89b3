import assert from "node:assert/strict";
import { purgeForwarder } from "./forwarder.ts";

/** A control that says what it was asked. */
function echo() {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    if (pathname === "/purges/stream") return new Response("one\ntwo\n");
    const asked = {
      method: request.method,
      path: pathname + search,
      authorization: request.headers.get("authorization"),
      issuer: request.headers.get("purge-issuer"),
      body: await request.text(),
    };
    const headers = { location: "/purges/7", "x-private": "no" };
    return Response.json(asked, { status: request.method === "POST" ? 202 : 200, headers });
  });
  return { url: `http://127.0.0.1:${server.addr.port}/`, close: () => server.shutdown() };
}

Deno.test("a node passes purges on to control with its token and its name", async () => {
  const control = echo();
  const app = purgeForwarder({
    controlUrl: control.url,
    token: "secret-secret-16",
    node: "edge-1",
  });
  const order = JSON.stringify({ kind: "all" });
  const response = await app.request("/purges", { method: "POST", body: order });
  assert.equal(response.status, 202);
  assert.equal(response.headers.get("location"), "/purges/7");
  assert.equal(response.headers.get("x-private"), null);
  assert.deepEqual(await response.json(), {
    method: "POST",
    path: "/purges",
    authorization: "Bearer secret-secret-16",
    issuer: "edge-1",
    body: order,
  });
  await control.close();
});

Deno.test("a caller's own authorization wins, and questions pass through", async () => {
  const control = echo();
  const app = purgeForwarder({ controlUrl: control.url, token: "secret-secret-16" });
  const headers = { authorization: "Bearer mine" };
  const asked = await (await app.request("/purges/abc?x=1", { headers })).json();
  assert.equal(asked.path, "/purges/abc?x=1");
  assert.equal(asked.authorization, "Bearer mine");
  assert.equal(await (await app.request("/purges/stream?after=0")).text(), "one\ntwo\n");
  assert.equal((await (await app.request("/purges")).json()).path, "/purges");
  await control.close();
});

Deno.test("control away is one sentence and a 503", async () => {
  const control = echo();
  await control.close();
  const app = purgeForwarder({ controlUrl: control.url });
  const response = await app.request("/purges", { method: "POST", body: "{}" });
  assert.equal(response.status, 503);
  assert.equal(response.headers.get("retry-after"), "1");
  assert.match((await response.json()).error, /^Cannot forward to control: need its answer: /);
});

Deno.test("control that does not answer in time is a 503; a body too long a 413", async () => {
  const held = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const app = purgeForwarder({
    controlUrl: `http://127.0.0.1:${held.addr.port}`,
    timeoutMs: 30,
  });
  const late = await app.request("/purges/abc");
  assert.equal(late.status, 503);
  assert.match((await late.json()).error, /received no answer in time$/);
  const long = await app.request("/purges", { method: "POST", body: "x".repeat((1 << 20) + 1) });
  assert.equal(long.status, 413);
  held.close();
});
