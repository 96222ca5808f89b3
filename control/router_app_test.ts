import assert from "node:assert/strict";
import { serve } from "#http1";
import { TrustedProxies } from "./client_address.ts";
import { controlRig } from "./control_rig.ts";
import { readDeclared } from "./declared_topology.ts";
import { routerApp } from "./router_app.ts";

const declared = {
  regions: [{ id: "home", networks: ["127.0.0.0/8"] }, { id: "away" }],
  sites: [{ id: "here", region: "home" }, { id: "there", region: "away" }],
  cacheGroups: [
    { id: "here-edge", tier: "edge", site: "here" },
    { id: "there-edge", tier: "edge", site: "there" },
  ],
  deliveryServices: [{ id: "vod", prefixes: ["/vod/"] }],
};
const edge = (id: string, cacheGroup: string) => {
  const url = `http://${id}.example`;
  return { id, role: "edge", url, adminUrl: url, version: "0.1.0", cacheGroup };
};

/** A control with two edges, and its router on a real socket. */
async function withRouter(
  work: (rig: ReturnType<typeof controlRig>, url: string) => Promise<void>,
): Promise<void> {
  const rig = controlRig({ token: "0123456789abcdef" });
  const headers = { authorization: "Bearer 0123456789abcdef" };
  const put = (method: string, path: string, body: unknown) =>
    rig.app.request(`http://127.0.0.1:9000${path}`, {
      method,
      headers,
      body: JSON.stringify(body),
    });
  await put("PUT", "/topology/declared", declared);
  await put("POST", "/nodes", edge("edge-1", "here-edge"));
  await put("POST", "/nodes", edge("edge-2", "there-edge"));
  const server = serve({ hostname: "127.0.0.1", port: 0, handler: routerApp(rig.parts).fetch });
  try {
    await work(rig, `http://127.0.0.1:${server.address.port}`);
  } finally {
    await server.drain(50);
    await rig.close();
  }
}

function readOf(body: unknown) {
  const reading = readDeclared(body);
  assert.equal(reading.kind, "declared");
  return reading.kind === "declared" ? reading.declared : assert.fail();
}

const get = (url: string, init: RequestInit = {}) => fetch(url, { redirect: "manual", ...init });

Deno.test("the router sends a client to the edge of its network, without a token", () =>
  withRouter(async (_, url) => {
    const answer = await get(`${url}/vod/a/../1.mp4?token=x%2Fy`);
    assert.equal(answer.status, 307);
    assert.equal(answer.headers.get("location"), "http://edge-1.example/vod/1.mp4?token=x%2Fy");
    assert.equal(answer.headers.get("cache-control"), "no-store");
    assert.equal(answer.headers.get("access-control-allow-origin"), "*");
    await answer.body?.cancel();
    const head = await get(`${url}/vod/1.mp4?region=away`, { method: "HEAD" });
    assert.equal(head.headers.get("location"), "http://edge-2.example/vod/1.mp4");
  }));

Deno.test("the router says where as JSON when asked, and why not otherwise", () =>
  withRouter(async (rig, url) => {
    const answer = await get(`${url}/vod/1.mp4?format=json&region=away&x=1`);
    assert.deepEqual([answer.status, await answer.json()], [200, {
      location: "http://edge-2.example/vod/1.mp4?x=1",
      edge: "edge-2",
      region: "away",
      edgeRegion: "away",
      service: "vod",
    }]);
    const says = async (path: string, init?: RequestInit) => {
      const answer = await get(url + path, init);
      return [answer.status, (await answer.json()).error];
    };
    assert.deepEqual(await says("/other/1"), [
      404,
      "Cannot route: need a path of a delivery service: received /other/1",
    ]);
    assert.deepEqual(await says("/vod/1?region=mars"), [
      400,
      "Cannot route: need region to name one of the topology: received mars",
    ]);
    assert.deepEqual(await says("/vod/1", { method: "POST" }), [
      405,
      "Cannot route: need GET or HEAD: received POST",
    ]);
    rig.clock.nowMs += 10_001;
    const none = await get(`${url}/vod/1`);
    assert.equal(none.status, 503);
    assert.equal(none.headers.get("retry-after"), "5");
    assert.match((await none.json()).error, /^Cannot route: need an edge that is available/);
    const outcomes = rig.events.flatMap((event) => event.kind === "routed" ? event.outcome : []);
    assert.deepEqual(outcomes, ["own_region", "no_service", "unknown_region", "no_edge"]);
  }));

Deno.test("behind a load balancer the client's own network counts, and nobody else's word", () =>
  withRouter(async (rig) => {
    const networks = {
      ...declared,
      regions: [{ id: "home" }, { id: "away", networks: ["192.0.2.0/24"] }],
    };
    rig.parts.snapshots.declare(readOf(networks), {
      nodes: rig.parts.membership.inTopology(),
      nowMs: 0,
    });
    const edgeFor = async (proxies: string[]) => {
      const app = routerApp(rig.parts, new TrustedProxies(proxies));
      const server = serve({ hostname: "127.0.0.1", port: 0, handler: app.fetch });
      const headers = { "x-forwarded-for": "192.0.2.7" };
      const url = `http://127.0.0.1:${server.address.port}/vod/1?format=json`;
      const { region } = await (await get(url, { headers })).json();
      await server.drain(50);
      return region;
    };
    assert.equal(await edgeFor(["127.0.0.0/8"]), "away");
    assert.equal(await edgeFor([]), undefined);
  }));

Deno.test("a drained edge gets no more clients, one that is ONLINE gets them even when silent", () =>
  withRouter(async (rig, url) => {
    const edgeNow = async () =>
      (await (await get(`${url}/vod/1?format=json&region=home`)).json()).edge;
    assert.equal(await edgeNow(), "edge-1");
    const status = (id: string, status: "ADMIN_DOWN" | "ONLINE") =>
      rig.parts.membership.setStatus(id, { status, statusReason: "" }, rig.clock.nowMs);
    status("edge-1", "ADMIN_DOWN");
    assert.equal(await edgeNow(), "edge-2");
    status("edge-1", "ONLINE");
    rig.clock.nowMs += 20_000;
    assert.equal(await edgeNow(), "edge-1");
  }));
