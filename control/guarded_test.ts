import assert from "node:assert/strict";
import { controlRig } from "./control_rig.ts";

const token = "0123456789abcdef";
const page = "http://127.0.0.1:8090";

// Every route of the API, as the plainest call that it takes.
const routes = [
  { method: "POST", path: "/purges", body: { kind: "all" }, status: 202 },
  { method: "GET", path: "/purges", status: 200 },
  { method: "GET", path: "/purges/none", status: 404 },
  { method: "GET", path: "/purges/stream", status: 200 },
  { method: "POST", path: "/nodes", body: {}, status: 400 },
  { method: "POST", path: "/nodes/none/heartbeat", body: {}, status: 404 },
  { method: "DELETE", path: "/nodes/none", status: 404 },
  { method: "GET", path: "/nodes", status: 200 },
  { method: "GET", path: "/topology", status: 200 },
  { method: "GET", path: "/topology/declared", status: 200 },
  { method: "PUT", path: "/topology/declared", body: {}, status: 200 },
  { method: "POST", path: "/topology/check", body: {}, status: 200 },
  { method: "GET", path: "/topology/snapshots", status: 200 },
  { method: "GET", path: "/topology/snapshots/1", status: 200 },
  { method: "GET", path: "/topology/snapshots/1/diff?to=1", status: 200 },
  { method: "POST", path: "/topology/rollback", body: { to: 9 }, status: 404 },
  { method: "GET", path: "/carousel", status: 200 },
  { method: "PUT", path: "/carousel", body: { files: [] }, status: 200 },
  { method: "GET", path: "/nodes/none", status: 404 },
  { method: "PUT", path: "/nodes/none/status", body: { status: "ONLINE" }, status: 404 },
  { method: "GET", path: "/fleet", status: 200 },
  { method: "GET", path: "/fleet/boxes", status: 200 },
  { method: "POST", path: "/fleet/reports", body: {}, status: 400 },
  { method: "GET", path: "/route/vod/1.mp4", status: 503 },
  { method: "GET", path: "/none", status: 404 },
];

// Who calls, and whether the route answers (`in`) or which refusal comes instead.
const callers: {
  who: string;
  token?: string;
  host?: string;
  headers: Record<string, string>;
  refused?: number;
}[] = [
  { who: "with the token", token, headers: { authorization: `Bearer ${token}` } },
  {
    who: "with the token from afar",
    token,
    host: "10.0.0.1",
    headers: { authorization: `Bearer ${token}` },
  },
  {
    who: "with a wrong token",
    token,
    headers: { authorization: "Bearer 0123456789abcdeX" },
    refused: 401,
  },
  {
    who: "with a part of the token",
    token,
    headers: { authorization: "Bearer 01234567" },
    refused: 401,
  },
  {
    who: "with the token as Basic",
    token,
    headers: { authorization: `Basic ${token}` },
    refused: 401,
  },
  { who: "without a token", token, headers: {}, refused: 401 },
  { who: "from a page without a token", token, headers: { origin: page }, refused: 401 },
  { who: "local, no token set", headers: {} },
  { who: "local by name, no token set", host: "localhost:9000", headers: {} },
  { who: "local by IPv6, no token set", host: "[::1]:9000", headers: {} },
  { who: "from a named page, no token set", headers: { origin: page } },
  {
    who: "from a foreign page, no token set",
    headers: { origin: "http://evil.example" },
    refused: 403,
  },
  { who: "from a page of no origin, no token set", headers: { origin: "null" }, refused: 403 },
  { who: "through a rebound name, no token set", host: "evil.example", headers: {}, refused: 403 },
];

for (const { who, token, host = "127.0.0.1:9000", headers, refused } of callers) {
  Deno.test(`a caller ${who} ${refused ? `gets ${refused}` : "is answered"} on every route`, async () => {
    for (const { method, path, body, status } of routes) {
      const rig = controlRig({ token, pageOrigins: [page], heartbeatMs: 10 });
      const text = body && JSON.stringify(body);
      const url = `http://${host}${path}`;
      const response = await rig.app.request(url, { method, headers, body: text });
      assert.equal(response.status, refused ?? status, `${method} ${path}`);
      if (refused) assert.match((await response.json()).error, /^Cannot allow this: /);
      else await response.body?.cancel();
      if (refused) assert.equal(rig.log.lastSeq, 0);
      assert.equal(response.headers.has("www-authenticate"), refused === 401);
      await rig.close();
    }
  });
}

Deno.test("a named page may read the answers, also after asking first", async () => {
  const rig = controlRig({ pageOrigins: [page] });
  const url = "http://127.0.0.1:9000/purges";
  const asked = await rig.app.request(url, {
    method: "OPTIONS",
    headers: { origin: page, "access-control-request-method": "POST" },
  });
  assert.equal(asked.status, 204);
  assert.equal(asked.headers.get("access-control-allow-origin"), page);
  assert.match(asked.headers.get("access-control-allow-headers") ?? "", /content-type/);
  const answer = await rig.app.request(url, { headers: { origin: page } });
  assert.equal(answer.headers.get("access-control-allow-origin"), page);
  const foreign = await rig.app.request(url, {
    method: "OPTIONS",
    headers: { origin: "http://evil.example" },
  });
  assert.equal(foreign.headers.get("access-control-allow-origin"), null);
  await rig.close();
});

Deno.test("a refusal can be read by the page that gets it", async () => {
  const rig = controlRig({ token, pageOrigins: [page] });
  const init = { headers: { origin: page } };
  const answer = await rig.app.request("http://127.0.0.1:9000/purges", init);
  assert.equal(answer.status, 401);
  assert.equal(answer.headers.get("access-control-allow-origin"), page);
  await rig.close();
});
