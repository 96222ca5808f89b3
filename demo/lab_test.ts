import assert from "node:assert/strict";
import { Lab, labApp } from "./lab.ts";
import type { Address, NodeName } from "./system.ts";

const page = "http://127.0.0.1:8090";

/** A stand-in for all processes: answers by path and notes what it was asked. */
async function withLab(body: (app: ReturnType<typeof labApp>, asked: string[]) => Promise<void>) {
  const asked: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    asked.push(`${request.method} ${pathname} ${await request.text()}`.trim());
    switch (pathname) {
      case "/satellite":
        return Response.json({ lossShare: 0, relayed: 10, relayedBytes: 1, dropped: 2, failed: 0 });
      case "/satellite/loss":
        return Response.json({ lossShare: 0.1 });
      case "/stats":
        return Response.json({ edition: 2, paths: {} });
      case "/version":
        return Response.json({ edition: 3 });
      case "/purges":
        return Response.json({ id: "p1", seq: 7 }, { status: 202 });
      case "/purges/p1":
        return Response.json({
          id: "p1",
          seq: 7,
          state: "in_progress",
          nodes: {
            total: 2,
            applied: 1,
            waiting: [{ id: "edge-1" }],
            took: [{ id: "shield-1", ms: 4.2 }],
          },
        });
      case "/nodes": {
        const adminUrl = new URL(request.url).origin;
        const node = { adminUrl, appliedSeq: 6, state: "live" };
        return Response.json({
          nodes: [{ ...node, id: "edge-1", role: "edge" }, {
            ...node,
            id: "shield-1",
            role: "shield",
            state: "late",
          }],
        });
      }
      case "/fleet/boxes":
        return Response.json({ boxes: [{ id: "stb-1", appliedSeq: 7, late: false }] });
      case "/api/status":
        return Response.json({ requests: { hit: 1, arriving: 1, miss: 2, error: 0 } });
      case "/metrics":
        return new Response(
          'edge_cache_requests_total{result="hit"} 3\nedge_cache_requests_total{result="miss"} 1\n',
        );
    }
    return new Response("no", { status: 404 });
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  const address: Address = { url, adminUrl: url };
  const addresses = new Proxy({}, { get: () => address }) as Record<NodeName, Address>;
  try {
    await body(labApp(new Lab(addresses), [page]), asked);
  } finally {
    await server.shutdown();
  }
}

Deno.test("the state joins satellite, origin, nodes and the purge that was ordered", async () => {
  await withLab(async (app) => {
    assert.deepEqual(await (await app.request("/purge", { method: "POST" })).json(), {
      id: "p1",
      seq: 7,
    });
    const state = await (await app.request("/state")).json();
    assert.equal(state.edition, 2);
    assert.deepEqual(state.nodes, [
      { id: "shield-1", role: "shield", appliedSeq: 6, alive: false, answers: 0 },
      { id: "edge-1", role: "edge", appliedSeq: 6, alive: true, answers: 4, hitShare: 0.75 },
      { id: "stb-1", role: "stb", appliedSeq: 7, alive: true, answers: 4, hitShare: 0.5 },
    ]);
    assert.deepEqual(state.purge, {
      id: "p1",
      seq: 7,
      state: "in_progress",
      total: 2,
      applied: 1,
      waiting: ["edge-1"],
      turnedMs: { "shield-1": 4.2 },
    });
  });
});

Deno.test("a purge raises the edition first and names the tags of what changed", async () => {
  await withLab(async (app, asked) => {
    await app.request("/purge", { method: "POST" });
    assert.deepEqual(asked, [
      "POST /version",
      'POST /purges {"kind":"tag","values":["notice","poster"],"soft":false}',
    ]);
  });
});

Deno.test("the set-top box's page may use the lab, another page may not", async () => {
  await withLab(async (app, asked) => {
    const init = { method: "PUT", body: '{"share":0.1}' };
    const own = await app.request("/loss", { ...init, headers: { origin: page } });
    assert.equal(own.status, 200);
    assert.equal(own.headers.get("access-control-allow-origin"), page);
    const before = asked.length;
    const foreign = await app.request("/loss", { ...init, headers: { origin: "http://evil" } });
    assert.equal(foreign.status, 403);
    assert.equal(foreign.headers.get("access-control-allow-origin"), null);
    assert.equal(asked.length, before);
    const preflight = await app.request("/loss", { method: "OPTIONS", headers: { origin: page } });
    assert.equal(preflight.status, 204);
    assert.match(preflight.headers.get("access-control-allow-methods") ?? "", /PUT/);
  });
});
