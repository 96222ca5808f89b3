import assert from "node:assert/strict";
import { CacheEngine, memoryStore, type NextHop } from "#cache";
import { PurgeIndex, takeValidSeq } from "#purge";
import { cacheNodeApp, fencedHit } from "./app.ts";
import { peersOf } from "./peers.ts";

/** An origin whose object has a version, counted by how often it is asked. */
function origin() {
  const state = { version: 1, asked: 0 };
  const nextHop: NextHop = {
    fetch() {
      state.asked++;
      const body = new Response(`version ${state.version}`).body!;
      const fields = [["cache-control", "max-age=600"], ["surrogate-key", "news"], [
        "cache-tag",
        "x",
      ]] as const;
      return Promise.resolve({ status: 200, fields, body });
    },
  };
  return { state, nextHop };
}

/** A shield in another network, as an edge or a box reaches it. */
function asNextHop(shield: ReturnType<typeof node>, remote: string): NextHop {
  return {
    async fetch({ fields, appliedSeq }) {
      const headers = new Headers([...fields].map(([name, value]) => [name, value]));
      headers.set("purge-seq", String(appliedSeq));
      const { text, headers: answered, status } = await shield.get(headers, remote);
      return takeValidSeq({ status, fields: [...answered], body: new Response(text).body! });
    },
  };
}

/** A cache node in front of `nextHop` whose purge log is driven by hand. */
function node(name: string, nextHop: NextHop, { hearsIn = Infinity }: { hearsIn?: number } = {}) {
  const index = new PurgeIndex();
  const counts = { fenceMissed: 0, loops: 0 };
  const engine = new CacheEngine({
    name,
    store: memoryStore({ budgetBytes: 1 << 20 }),
    purges: index,
    nextHop,
    nowMs: Date.now,
    policy: { hideFields: ["surrogate-key", "cache-tag"], forwardFields: ["cdn-loop"] },
  });
  const apply = (seq: number, soft = false) => {
    index.apply({
      seq,
      id: `p${seq}`,
      kind: "tag",
      value: "news",
      soft,
      issuedMs: 0,
      issuer: "test",
    });
  };
  const options = {
    engine,
    name,
    peers: peersOf(["127.0.0.0/8"]),
    fence: {
      get appliedSeq() {
        return index.appliedSeq;
      },
      async wait(seq: number) {
        await new Promise((resolve) => setTimeout(resolve, Math.min(hearsIn, 30)));
        if (hearsIn < 30) apply(seq);
        return index.appliedSeq >= seq;
      },
    },
    onFenceMissed: () => counts.fenceMissed++,
    onLoop: () => counts.loops++,
  };
  const app = cacheNodeApp(options);
  const from = (hostname: string) => ({ remote: { transport: "tcp", hostname, port: 1 } as const });
  const get = async (headers: HeadersInit = {}, remote = "127.0.0.1") => {
    const response = await app.fetch(new Request("http://node/1", { headers }), from(remote));
    return { text: await response.text(), headers: response.headers, status: response.status };
  };
  /** The same request by the fast lane. */
  const fast = (headers: HeadersInit, remote = "127.0.0.1") => {
    const head = { method: "GET", target: "/1", fields: [...new Headers(headers)] };
    return fencedHit(options, head, { hostname: remote });
  };
  return { app, index, apply, counts, get, fast };
}

Deno.test("a purged edge does not refill from a shield that has not heard: the fence", async () => {
  const { state, nextHop } = origin();
  const shield = node("shield", nextHop);
  assert.equal((await shield.get()).text, "version 1");
  state.version = 2;
  // The edge has applied seq 1, the shield has not; without the fence it would answer from its store.
  assert.equal((await shield.get()).text, "version 1");
  const fenced = await shield.get({ "purge-seq": "1" });
  assert.equal(fenced.text, "version 2");
  assert.equal(shield.counts.fenceMissed, 1);
  // What it fetched past its store is kept, and dropped again when the purge itself arrives.
  shield.apply(1);
  assert.equal((await shield.get()).text, "version 2");
});

Deno.test("a shield that hears in time answers the fenced request by its own log", async () => {
  const { state, nextHop } = origin();
  const shield = node("shield", nextHop, { hearsIn: 5 });
  await shield.get();
  state.version = 2;
  assert.equal((await shield.get({ "purge-seq": "1" })).text, "version 2");
  assert.equal(shield.counts.fenceMissed, 0);
  assert.equal((await shield.get({ "purge-seq": "1" })).text, "version 2");
  assert.equal(state.asked, 2);
});

Deno.test("a stranger's Purge-Seq costs the origin nothing: it waits, and is told what the answer holds for", async () => {
  const { state, nextHop } = origin();
  const edge = node("edge", nextHop);
  await edge.get();
  const answer = await edge.get({ "purge-seq": "999999" }, "203.0.113.7");
  assert.equal(answer.headers.get("purge-seq"), "0");
  assert.equal(answer.headers.get("surrogate-key"), "*");
  assert.equal(state.asked, 1);
});

Deno.test("a node that its shield does not know as a peer never serves what it has purged", async () => {
  const { state, nextHop } = origin();
  const shield = node("shield", nextHop);
  const box = node("box", asNextHop(shield, "203.0.113.7"));
  assert.equal((await box.get()).text, "version 1");
  state.version = 2;
  box.apply(1);
  // The shield has not heard: what it has may be from before the purge, and the box can tell.
  assert.equal((await box.get()).status, 504);
  shield.apply(1);
  assert.equal((await box.get()).text, "version 2");
  assert.equal((await box.get()).text, "version 2");
});

Deno.test("a purge by tag takes an object whose tags were not told, whatever its tag", async () => {
  const { state, nextHop } = origin();
  const shield = node("shield", nextHop);
  const box = node("box", asNextHop(shield, "203.0.113.7"));
  await box.get();
  state.version = 2;
  for (const one of [shield, box]) {
    one.index.apply({
      seq: 1,
      id: "p1",
      kind: "tag",
      value: "x",
      soft: false,
      issuedMs: 0,
      issuer: "test",
    });
  }
  assert.equal((await box.get()).text, "version 2");
});

Deno.test("an answer fetched past the store holds for the fence that asked for it", async () => {
  const { state, nextHop } = origin();
  const shield = node("shield", nextHop);
  const edge = node("edge", asNextHop(shield, "127.0.0.1"));
  await edge.get();
  state.version = 2;
  edge.apply(1);
  assert.equal((await edge.get()).text, "version 2");
  assert.equal(shield.counts.fenceMissed, 1);
  // Stored with the number it holds for: a hit from now on.
  await edge.get();
  assert.equal(state.asked, 2);
});

// Who sees surrogate keys: one row a caller.
const callers: { who: string; headers: HeadersInit; remote: string; shown: boolean | "*" }[] = [
  { who: "a node of ours", headers: { "purge-seq": "0" }, remote: "127.0.0.1", shown: true },
  { who: "a local client", headers: {}, remote: "127.0.0.1", shown: false },
  {
    who: "a stranger with a fence",
    headers: { "purge-seq": "0" },
    remote: "203.0.113.7",
    shown: "*",
  },
];

for (const { who, headers, remote, shown } of callers) {
  const what = shown === "*" ? "that there are" : shown ? "all" : "no";
  Deno.test(`${who} sees ${what} surrogate keys`, async () => {
    const { get } = node("edge", origin().nextHop);
    for (const answer of [await get(headers, remote), await get(headers, remote)]) {
      assert.equal(answer.headers.get("surrogate-key"), shown === true ? "news" : shown || null);
      assert.equal(answer.headers.has("cache-tag"), shown === true);
    }
  });
}

Deno.test("a request that came through this node before is refused (RFC 8586)", async () => {
  const { state, nextHop } = origin();
  const edge = node("edge-1", nextHop);
  const answer = await edge.get({ "cdn-loop": "other, edge-1;v=1" });
  assert.deepEqual([answer.status, state.asked, edge.counts.loops], [508, 0, 1]);
  assert.equal((await edge.get({ "cdn-loop": "edge-10" })).status, 200);
});

Deno.test("a stranger's loop through a node that it makes up ends with its own request", async () => {
  const shield = node("shield", origin().nextHop);
  const edge = node("edge", {
    async fetch({ target, fields }) {
      const headers = fields.map(([name, value]): [string, string] => [name, value]);
      const response = await shield.app.fetch(new Request(`http://shield${target}`, { headers }));
      return { status: response.status, fields: [...response.headers], body: response.body! };
    },
  });
  const stranger = edge.get({ "cdn-loop": "shield" }, "203.0.113.7");
  const waits = edge.get({}, "203.0.113.8"); // for the same object
  assert.deepEqual([(await stranger).status, (await waits).status], [200, 200]);
  assert.equal(shield.counts.loops, 0);
});

Deno.test("a soft purge serves what is stored once more, while it is fetched anew", async () => {
  const { state, nextHop } = origin();
  const edge = node("edge", nextHop);
  await edge.get();
  state.version = 2;
  edge.apply(1, true);
  assert.equal((await edge.get()).text, "version 1");
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal((await edge.get()).text, "version 2");
  assert.equal(state.asked, 2);
});

Deno.test("a fence that is met is answered by the fast lane as by the other one", async () => {
  const shield = node("shield", origin().nextHop);
  await shield.get();
  await shield.get(); // until it is stored
  const asks: Record<string, string>[] = [{}, { range: "bytes=0-2" }, { "if-none-match": "*" }];
  for (const more of asks) {
    const headers = { "purge-seq": "0", ...more };
    const slow = await shield.get(headers);
    const { head, body } = shield.fast(headers)!;
    const [line, ...lines] = new TextDecoder().decode(head).trimEnd().split("\r\n");
    assert.equal(Number(line.split(" ")[1]), slow.status);
    assert.equal(new TextDecoder().decode(body), slow.text);
    const fields = new Headers(lines.map((text): [string, string] => [
      text.slice(0, text.indexOf(":")),
      text.slice(text.indexOf(":") + 2),
    ]));
    const steady = (all: Headers) =>
      [...all].map(([name, value]) => [name, value.replace(/ttl=\d+|^[01]$/, "")]);
    assert.deepEqual(steady(fields), steady(slow.headers));
    assert.equal(fields.get("purge-seq"), "0");
    assert.equal(fields.get("surrogate-key"), "news");
  }
});

Deno.test("what a fence asks more of is for the other lane", async () => {
  const shield = node("shield", origin().nextHop);
  await shield.get();
  await shield.get();
  assert.ok(shield.fast({ "purge-seq": "0" }));
  assert.equal(shield.fast({}), undefined, "no fence");
  assert.equal(shield.fast({ "purge-seq": "1" }), undefined, "a purge that it has not heard");
  assert.equal(shield.fast({ "purge-seq": "0" }, "192.0.2.1"), undefined, "a stranger");
  assert.equal(shield.fast({ "purge-seq": "0", "cdn-loop": "shield" }), undefined, "a loop");
  shield.apply(1);
  assert.equal(shield.fast({ "purge-seq": "1" }), undefined, "a purged object");
});
