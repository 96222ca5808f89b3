import assert from "node:assert/strict";
import { NextHopError, type NextHopRequest } from "#cache";
import { type Hop, RoutedNextHop } from "./routed_next_hop.ts";

const hops: Hop[] = [{ id: "a", url: "http://a" }, { id: "b", url: "http://b" }];

/** Hops that fail for the named reason, or answer 200 with their own id as the body. */
function network(failing: Record<string, NextHopError["reason"] | undefined>) {
  const asked: string[] = [];
  const seen: NextHopRequest[] = [];
  const closed: string[] = [];
  const downs: string[] = [];
  let nowMs = 0;
  const route = new RoutedNextHop({
    hopsFor: () => hops,
    nowMs: () => nowMs,
    onDown: ({ id }, reason) => downs.push(`${id} ${reason}`),
    stamp: ({ appliedSeq }) => [["purge-seq", String(appliedSeq)]],
    connect: ({ id }) => ({
      close: () => closed.push(id),
      fetch(request) {
        asked.push(id);
        seen.push(request);
        const reason = failing[id];
        if (reason) return Promise.reject(new NextHopError(reason, `Cannot fetch from ${id}`));
        return Promise.resolve({ status: 200, fields: [], body: new Response(id).body! });
      },
    }),
  });
  return { route, asked, seen, closed, downs, advance: (ms: number) => nowMs += ms };
}

const get: NextHopRequest = { method: "GET", target: "/1.ts", fields: [], appliedSeq: 7 };

async function body(response: { body: ReadableStream<Uint8Array> }): Promise<string> {
  return await new Response(response.body).text();
}

Deno.test("the first hop answers and carries the fence", async () => {
  const { route, asked, seen } = network({});
  assert.equal(await body(await route.fetch(get)), "a");
  assert.deepEqual(asked, ["a"]);
  assert.deepEqual(seen[0].fields, [["purge-seq", "7"]]);
});

Deno.test("a hop that gives no head is passed over, then left alone, then tried again", async () => {
  const { route, asked, advance } = network({ a: "refused" });
  assert.equal(await body(await route.fetch(get)), "b");
  assert.equal(await body(await route.fetch(get)), "b");
  assert.deepEqual(asked, ["a", "b", "b"]);
  advance(1_000);
  await route.fetch(get);
  assert.deepEqual(asked, ["a", "b", "b", "a", "b"]);
});

Deno.test("the last failure is told when no hop answers", async () => {
  const { route } = network({ a: "refused", b: "timeout" });
  await assert.rejects(route.fetch(get), { reason: "timeout" });
});

Deno.test("an unsafe request is tried once", async () => {
  const { route, asked } = network({ a: "reset" });
  await assert.rejects(route.fetch({ ...get, method: "POST" }), { reason: "reset" });
  assert.deepEqual(asked, ["a"]);
});

Deno.test("a client that went away does not count against the hop", async () => {
  const { route, asked } = network({ a: "aborted" });
  await assert.rejects(route.fetch(get), { reason: "aborted" });
  await assert.rejects(route.fetch(get), { reason: "aborted" });
  assert.deepEqual(asked, ["a", "a"]);
});

Deno.test("without hops the request fails with no_hop", async () => {
  const options = {
    hopsFor: () => [],
    nowMs: () => 0,
    stamp: () => [],
    connect: () => assert.fail(),
  };
  await assert.rejects(new RoutedNextHop(options).fetch(get), { reason: "no_hop" });
});

Deno.test("a hop that left the topology loses its connections, and is met afresh if it returns", async () => {
  const { route, asked, closed } = network({ a: "refused" });
  await route.fetch(get);
  route.keep([hops[1]]);
  assert.deepEqual(closed, ["a"]);
  assert.ok(!route.isDown(hops[0]));
  await route.fetch(get);
  assert.deepEqual(asked, ["a", "b", "a", "b"]);
});

Deno.test("a hop that goes down is told of once, until it was tried again after its pause", async () => {
  const { route, downs, advance } = network({ a: "refused" });
  await Promise.all(Array.from({ length: 50 }, () => route.fetch(get)));
  assert.deepEqual(downs, ["a refused"]);
  advance(60_000);
  await route.fetch(get);
  assert.equal(downs.length, 2);
});
