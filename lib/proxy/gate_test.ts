import assert from "node:assert/strict";
import { Admission, type BucketPolicy } from "#bucket";
import { CacheEngine, memoryStore, type NextHop } from "#cache";
import { parseList } from "#http";
import { serve } from "#http1";
import { PurgeIndex, purgeSeq } from "#purge";
import { cacheNodeApp } from "./app.ts";
import { Gate } from "./gate.ts";
import { peersOf } from "./peers.ts";

/** A limit by client: 5 a minute, so that no test sees a token come back. */
const policy: BucketPolicy = {
  name: "clients",
  per: "client",
  paths: [],
  unit: "requests",
  quota: 5,
  windowSeconds: 60,
  shared: false,
  tiers: ["edge"],
};

interface Rig extends AsyncDisposable {
  /** Asks as the client that a front proxy names. */
  ask(path: string, client: string, init?: RequestInit): Promise<Response>;
  readonly asked: () => number;
  readonly admission: Admission;
  readonly lanes: string[];
  readonly port: number;
}

/** An edge behind its front, with the limits given. Its clients are those that loopback names. */
function edge(policies: readonly BucketPolicy[]): Rig {
  let asked = 0;
  const nextHop: NextHop = {
    fetch({ method }) {
      asked++;
      const body = new Response("x".repeat(100)).body!;
      const fields = [["cache-control", method === "GET" ? "max-age=600" : "no-store"]] as const;
      return Promise.resolve({ status: 200, fields, body });
    },
  };
  const index = new PurgeIndex();
  const store = memoryStore({ budgetBytes: 1 << 20 });
  const engine = new CacheEngine({ name: "edge", store, purges: index, nextHop, nowMs: Date.now });
  const admission = new Admission({ tier: "edge", places: 64 });
  admission.replace(policies);
  const peers = peersOf(["127.0.0.0/8"]);
  const gate = new Gate({
    admission,
    peers,
    clientField: "x-forwarded-for",
    steadyMs: () => 1000,
    random: () => 0,
  });
  const fence = { appliedSeq: 0, wait: () => Promise.resolve(true) };
  const app = cacheNodeApp({ engine, fence, peers, name: "edge", gate });
  const lanes: string[] = [];
  const server = serve({
    hostname: "127.0.0.1",
    port: 0,
    handler: (request, env) => app.fetch(request, env),
    fastLane: (head, remote) =>
      gate.fast(
        head,
        remote,
        (asked) => purgeSeq(asked) === undefined ? engine.hit(asked) : undefined,
      ),
    onEvent: (event) => void (event.kind === "answered" && lanes.push(event.lane)),
  });
  return {
    ask(path, client, init = {}) {
      const headers = { ...init.headers as Record<string, string>, "x-forwarded-for": client };
      return fetch(`http://127.0.0.1:${server.address.port}${path}`, { ...init, headers });
    },
    asked: () => asked,
    admission,
    lanes,
    port: server.address.port,
    [Symbol.asyncDispose]: () => server.drain(0),
  };
}

/** Asks several times; the statuses in order. */
async function statuses(times: number, ask: () => Promise<Response>): Promise<number[]> {
  const got: number[] = [];
  for (let n = 0; n < times; n++) {
    const response = await ask();
    await response.body?.cancel();
    got.push(response.status);
  }
  return got;
}

Deno.test("each request costs its client one token, whichever lane answers it", async () => {
  await using node = edge([policy]);
  // The first is a miss and takes both lanes; the others are hits.
  assert.deepEqual(await statuses(7, () => node.ask("/a", "192.0.2.1")), [
    ...Array(5).fill(200),
    429,
    429,
  ]);
  assert.deepEqual(node.lanes, ["handler", ...Array(6).fill("fast")]);
  const [counted] = node.admission.counts();
  assert.deepEqual([counted.allowed, counted.refused], [5, 2]);
});

Deno.test("misses, uploads and fenced requests are refused before the next hop hears of them", async () => {
  await using node = edge([policy]);
  let n = 0;
  const inits: RequestInit[] = [{}, { method: "POST", body: "x" }, {
    headers: { "purge-seq": "0" },
  }];
  const all = await statuses(
    9,
    () => node.ask(`/miss-${n}`, "192.0.2.1", inits[n++ % inits.length]),
  );
  assert.deepEqual(all, [...Array(5).fill(200), ...Array(4).fill(429)]);
  assert.equal(node.asked(), 5);
});

Deno.test("both lanes refuse with the same answer, and it says what, how much and when", async () => {
  await using node = edge([policy]);
  await statuses(5, () => node.ask("/a", "192.0.2.1"));
  const fast = await node.ask("/a", "192.0.2.1");
  const slow = await node.ask("/a", "192.0.2.1", { method: "POST", body: "x" });
  const shown = async (response: Response) => ({
    status: response.status,
    fields: [...response.headers].filter(([name]) => name !== "date"),
    text: await response.text(),
  });
  const [one, other] = [await shown(fast), await shown(slow)];
  assert.deepEqual(one, other);
  const fields = new Map(one.fields);
  assert.equal(one.status, 429);
  assert.equal(fields.get("cache-control"), "no-store");
  assert.equal(fields.get("content-type"), "application/problem+json");
  assert.equal(fields.get("ratelimit-policy"), '"clients";q=5;w=60');
  assert.equal(fields.get("ratelimit"), '"clients";r=0;t=12');
  assert.equal(fields.get("retry-after"), "12");
  assert.equal(parseList(fields.get("ratelimit")!)?.length, 1);
  assert.deepEqual(JSON.parse(one.text)["violated-policies"], ["clients"]);
  assert.deepEqual(node.lanes.slice(-2), ["fast", "handler"]);
});

// Who shares a bucket with 192.0.2.1 or 2001:db8:1:2::/64, and who does not.
const rows = [
  { client: "192.0.2.1", other: "192.0.2.2", shares: false },
  { client: "192.0.2.1", other: "203.0.113.9, 192.0.2.1", shares: true },
  { client: "192.0.2.1", other: "192.0.2.1, 203.0.113.9", shares: false },
  { client: "192.0.2.1", other: "192.0.2.1:4711", shares: true },
  { client: "2001:db8:1:2::1", other: "2001:db8:1:2:ffff::9", shares: true },
  { client: "2001:db8:1:2::1", other: "[2001:DB8:1:2::7]:443", shares: true },
  { client: "2001:db8:1:2::1", other: "2001:db8:1:3::1", shares: false },
];

for (const { client, other, shares } of rows) {
  Deno.test(`${other} ${shares ? "shares the bucket of" : "is another client than"} ${client}`, async () => {
    await using node = edge([policy]);
    await statuses(5, () => node.ask("/a", client));
    assert.deepEqual(await statuses(1, () => node.ask("/a", other)), [shares ? 429 : 200]);
  });
}

Deno.test("our own nodes, and whoever a front proxy does not name, have no bucket of a client", async () => {
  await using node = edge([policy]);
  assert.deepEqual(await statuses(20, () => node.ask("/a", "unknown")), Array(20).fill(200));
});

Deno.test("a class of paths has one bucket for all clients, and no other class feels it", async () => {
  await using node = edge([{
    ...policy,
    name: "classes",
    per: "class",
    paths: ["/live/", "/vod/"],
  }]);
  let n = 0;
  const live = await statuses(6, () => node.ask("/live/1", `192.0.2.${n++}`));
  assert.deepEqual(live, [...Array(5).fill(200), 429]);
  assert.deepEqual(await statuses(1, () => node.ask("/vod/1", "192.0.2.1")), [200]);
  assert.deepEqual(await statuses(9, () => node.ask("/fast/1", "192.0.2.1")), Array(9).fill(200));
});

Deno.test("no other spelling of a path or of a token leads around its limit", async () => {
  const query = { ...policy, name: "tokens", per: "token", paths: [], tokenQuery: "t" } as const;
  await using node = edge([{ ...policy, paths: ["/live/"] }, query]);
  await statuses(5, () => node.ask("/live/1", "192.0.2.1"));
  for (const path of ["/%6cive/1", "/%6Cive/1", "/vod/%2e%2e/live/1", "/x%2e/%2e./live/1"]) {
    // By hand: fetch() resolves dot segments itself.
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: node.port });
    const lines = [`GET ${path} HTTP/1.1`, "Host: edge", "X-Forwarded-For: 192.0.2.1", "", ""];
    await conn.write(new TextEncoder().encode(lines.join("\r\n")));
    const bytes = new Uint8Array(16);
    await conn.read(bytes);
    conn.close();
    assert.match(new TextDecoder().decode(bytes), /^HTTP\/1.1 429 /, path);
  }
  await statuses(5, () => node.ask("/a?t=secret", "192.0.2.2"));
  assert.deepEqual(await statuses(1, () => node.ask("/a?%74=secret", "192.0.2.3")), [429]);
});

Deno.test("a token has its bucket wherever it is used, as bearer or in the query", async () => {
  await using node = edge([{ ...policy, name: "tokens", per: "token", tokenQuery: "t" }]);
  const headers = { authorization: "Bearer abc.def" };
  await statuses(3, () => node.ask("/a", "192.0.2.1", { headers }));
  await statuses(2, () => node.ask("/a?x=1&t=abc.def", "192.0.2.2"));
  assert.deepEqual(await statuses(1, () => node.ask("/a", "192.0.2.3", { headers })), [429]);
  const other = { authorization: "Bearer other" };
  assert.deepEqual(await statuses(1, () => node.ask("/a", "192.0.2.1", { headers: other })), [200]);
  assert.deepEqual(await statuses(9, () => node.ask("/a", "192.0.2.1")), Array(9).fill(200));
});

Deno.test("a request that one policy refuses costs nothing under the others", async () => {
  const node1: BucketPolicy = { ...policy, name: "node", per: "node", quota: 100 };
  const live = { ...policy, name: "live", paths: ["/live/"], quota: 2 };
  await using node = edge([node1, live]);
  await statuses(10, () => node.ask("/live/1", "192.0.2.1"));
  const counts = new Map(node.admission.counts().map((count) => [count.name, count]));
  assert.deepEqual([counts.get("node")?.allowed, counts.get("node")?.refused], [2, 0]);
  assert.deepEqual([counts.get("live")?.allowed, counts.get("live")?.refused], [2, 8]);
});

Deno.test("bytes are counted as they go out, in both lanes, and HEAD sends none", async () => {
  const bytes = { ...policy, name: "egress", unit: "bytes", quota: 250, burst: 250 } as const;
  await using node = edge([bytes]);
  // 100 bytes each: the third takes more than is left, and then the debt has to be paid first.
  await statuses(5, () => node.ask("/a", "192.0.2.9", { method: "HEAD" }));
  assert.deepEqual(
    await statuses(4, async () => {
      const response = await node.ask("/a", "192.0.2.1");
      await response.arrayBuffer();
      return new Response(null, { status: response.status });
    }),
    [200, 200, 200, 429],
  );
  const refused = await node.ask("/a", "192.0.2.1");
  assert.equal(refused.headers.get("ratelimit-policy"), '"egress";q=250;qu="content-bytes";w=60');
  await refused.body?.cancel();
  assert.deepEqual(await statuses(1, () => node.ask("/a", "192.0.2.9")), [200]);
});

Deno.test("policies that stay the same keep their buckets when others change", async () => {
  await using node = edge([policy]);
  await statuses(5, () => node.ask("/a", "192.0.2.1"));
  node.admission.replace([{ ...policy }, { ...policy, name: "more", quota: 50 }]);
  assert.deepEqual(await statuses(1, () => node.ask("/a", "192.0.2.1")), [429]);
  node.admission.replace([{ ...policy, quota: 6 }]);
  assert.deepEqual(await statuses(1, () => node.ask("/a", "192.0.2.1")), [200]);
  node.admission.replace([{ ...policy, tiers: ["shield"] }]);
  assert.deepEqual(await statuses(9, () => node.ask("/a", "192.0.2.1")), Array(9).fill(200));
});
