import assert from "node:assert/strict";
import { createMetrics } from "#metrics";
import { adminApp } from "./mod.ts";

const token = "0123456789abcdef";
const metrics = createMetrics("edge", "0.0.0", 0);

function app(options: { token?: string; ready?: boolean } = {}) {
  const admin = adminApp({ metrics, ready: () => options.ready ?? true, token: options.token });
  admin.post("/purges", (c) => c.text("accepted", 202));
  return admin;
}

Deno.test("health, readiness and metrics are open", async () => {
  for (const path of ["/healthz", "/readyz", "/metrics"]) {
    assert.equal((await app({ token }).request(`http://10.0.0.1${path}`)).status, 200);
  }
  assert.equal((await app({ ready: false }).request("http://127.0.0.1/readyz")).status, 503);
});

// Who may change something: one row a caller.
const rows = [
  { who: "with the token", token, headers: { authorization: `Bearer ${token}` }, status: 202 },
  {
    who: "with a wrong token",
    token,
    headers: { authorization: "Bearer 0123456789abcdeF" },
    status: 401,
  },
  {
    who: "with a longer token",
    token,
    headers: { authorization: `Bearer ${token}x` },
    status: 401,
  },
  { who: "with no token", token, headers: {}, status: 401 },
  { who: "local, no token set", headers: {}, status: 202 },
  { who: "a web page, no token set", headers: { origin: "http://evil.example" }, status: 403 },
  { who: "a rebound name, no token set", host: "evil.example", headers: {}, status: 403 },
  { who: "IPv6 loopback", host: "[::1]:9080", headers: {}, status: 202 },
];

for (const { who, token, headers, host = "127.0.0.1:9080", status } of rows) {
  Deno.test(`the admin API answers ${status} to a caller ${who}`, async () => {
    const init = { method: "POST", headers: headers as HeadersInit };
    const response = await app({ token }).request(`http://${host}/purges`, init);
    assert.equal(response.status, status);
    if (status === 401) assert.equal(response.headers.get("www-authenticate"), "Bearer");
  });
}

Deno.test("an unknown path gets one sentence", async () => {
  const response = await app().request("http://127.0.0.1/nothing");
  assert.equal(response.status, 404);
  assert.match((await response.json()).error, /^Cannot answer: no such path: received \/nothing$/);
});
