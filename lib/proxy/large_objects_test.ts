/** Objects of 4 GiB through edge, shield and origin on real sockets. */
import assert from "node:assert/strict";
import { parseRange } from "#http";
import { startOrigin, startTier, type TierNode } from "./tiers_rig.ts";

const gib = 2 ** 30;
const mib = 2 ** 20;

/** Bytes `[start, end)`: each word of eight says where it lies, and of which version it is. */
function bytesOf(version: number, start: number, end: number): Uint8Array<ArrayBuffer> {
  const first = Math.floor(start / 8);
  const words = new BigUint64Array(Math.ceil(end / 8) - first);
  for (let i = 0; i < words.length; i++) words[i] = BigInt(first + i) + (BigInt(version) << 48n);
  return new Uint8Array(words.buffer).slice(start - first * 8, end - first * 8);
}

/** Compares without printing megabytes. */
function assertBytes(actual: Uint8Array, expected: Uint8Array): void {
  assert.equal(actual.length, expected.length);
  assert.ok(actual.every((byte, i) => byte === expected[i]), "other bytes");
}

/** An origin of one object of 4 GiB that counts what is asked. */
function largeOrigin() {
  const state = { version: 1, asked: [] as string[], tag: "film" };
  const { url, close } = startOrigin(({ headers }) => {
    const { version, tag } = state;
    const range = headers.get("range");
    state.asked.push(range ?? "all");
    const head = new Headers({
      "accept-ranges": "bytes",
      "cache-control": "max-age=3600",
      "etag": `"${version}"`,
      "surrogate-key": tag,
    });
    const ranges = range === null ? undefined : parseRange(range, 4 * gib);
    assert.notEqual(ranges, "unsatisfiable");
    const [[start, end]] = ranges as [number, number][] | undefined ?? [[0, 4 * gib]];
    head.set("content-length", String(end - start));
    if (ranges) head.set("content-range", `bytes ${start}-${end - 1}/${4 * gib}`);
    let at = start;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const to = Math.min(at + 65_536, end);
        controller.enqueue(bytesOf(version, at, to));
        if ((at = to) >= end) controller.close();
      },
    }, { highWaterMark: 0 });
    return new Response(body, { status: ranges ? 206 : 200, headers: head });
  });
  return { state, url, close };
}

/** Runs a test against two edges in front of a shield in front of the origin. */
function tiers(
  name: string,
  run: (of: {
    edges: TierNode[];
    shield: TierNode;
    origin: ReturnType<typeof largeOrigin>["state"];
  }) => Promise<void>,
) {
  const fn = async () => {
    const origin = largeOrigin();
    const shield = startTier({ name: "shield", upstream: origin.url });
    const edges = ["edge-1", "edge-2"].map((name) => startTier({ name, upstream: shield.url }));
    try {
      await run({ edges, shield, origin: origin.state });
    } finally {
      for (const node of [...edges, shield, origin]) await node.close();
    }
  };
  // fetch() keeps its connections: the tests end before those do.
  Deno.test({
    name: `4 GiB through two tiers: ${name}`,
    fn,
    sanitizeOps: false,
    sanitizeResources: false,
  });
}

async function ask({ url }: TierNode, range?: string): Promise<Response> {
  return await fetch(`${url}/film.mp4`, { headers: range === undefined ? {} : { range } });
}

/** Waits until a node has counted what came from its next hop, and checks that it was not more. */
async function fetched(node: TierNode, bytes: number): Promise<void> {
  for (let tries = 0; tries < 3000 && node.fetchedBytes < bytes; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(node.fetchedBytes, bytes);
}

async function assertRange(node: TierNode, version: number, start: number, end: number) {
  const response = await ask(node, `bytes=${start}-${end - 1}`);
  assert.equal(response.status, 206);
  assert.equal(response.headers.get("content-range"), `bytes ${start}-${end - 1}/${4 * gib}`);
  assertBytes(new Uint8Array(await response.arrayBuffer()), bytesOf(version, start, end));
  return response.headers.get("cache-status")!;
}

tiers(
  "a range costs its slices once, whichever edge is asked",
  async ({ edges, shield, origin }) => {
    const [start, end] = [3 * gib + 100, 3 * gib + mib + 100];
    await assertRange(edges[0], 1, start, end);
    await fetched(edges[0], 2 * mib);
    await fetched(shield, 2 * mib);
    assert.match(await assertRange(edges[0], 1, start, end), /, edge-1;hit;ttl=\d+$/);
    const status = await assertRange(edges[1], 1, start, end);
    assert.match(status, /^shield;hit;ttl=\d+, edge-2;fwd=uri-miss;fwd-status=206;ttl=\d+;stored$/);
    const suffix = await ask(edges[1], "bytes=-16");
    assertBytes(new Uint8Array(await suffix.arrayBuffer()), bytesOf(1, 4 * gib - 16, 4 * gib));
    await fetched(shield, 3 * mib);
    assert.equal(origin.asked.length, 3);
  },
);

tiers("200 clients on one cold slice are one request", async ({ edges, origin }) => {
  await Promise.all(
    Array.from({ length: 200 }, (_, i) => assertRange(edges[i % 2], 1, gib + i, gib + 1000)),
  );
  assert.deepEqual(origin.asked, [`bytes=${gib}-${gib + mib - 1}`]);
});

tiers(
  "who asks for all of it and leaves costs what he read, and some",
  async ({ edges, shield }) => {
    const response = await ask(edges[0]);
    assert.equal(response.headers.get("content-length"), String(4 * gib));
    const reader = response.body!.getReader();
    let at = 0;
    while (at < 8 * mib) {
      const { value } = await reader.read();
      assertBytes(value!, bytesOf(1, at, at + value!.length));
      at += value!.length;
    }
    await reader.cancel();
    let before = -1;
    while (shield.fetchedBytes !== before) { // what is under way ends
      before = shield.fetchedBytes;
      await new Promise((resolve) => setTimeout(resolve, 200));
      assert.ok(shield.fetchedBytes < 32 * mib, `${shield.fetchedBytes} bytes`);
    }
    await assertRange(edges[1], 1, 0, 4 * mib);
    assert.equal(shield.fetchedBytes, before, "what was read is kept");
  },
);

tiers(
  "one that changes cuts off who reads it; no answer mixes versions",
  async ({ edges, origin }) => {
    const response = await ask(edges[0]);
    const reader = response.body!.getReader();
    let at = 0;
    await assert.rejects(async () => {
      for (;;) {
        const { value } = await reader.read();
        assertBytes(value!, bytesOf(1, at, at + value!.length));
        at += value!.length;
        if (at > 2 * mib) origin.version = 2;
      }
    }, (error) => !(error instanceof assert.AssertionError));
    // The other edge has the old version in part, or nothing: it answers with one of them.
    for (const [start, end] of [[0, 1000], [50 * mib, 51 * mib], [mib - 5, mib + 5]]) {
      await assertRange(edges[0], 2, start, end);
      await assertRange(edges[1], 2, start, end);
    }
  },
);

const purge = { id: "p", seq: 1, issuedMs: 1, issuer: "test", soft: false };

tiers("a purge by tag takes every slice, in a shield that has not heard too", async (all) => {
  const { edges: [edge, late], shield, origin } = all;
  for (const node of [edge, late]) await assertRange(node, 1, mib - 10, mib + 10);
  origin.version = 2;
  edge.index.apply({ ...purge, kind: "tag", value: "film" });
  await assertRange(edge, 2, mib - 10, mib + 10);
  await assertRange(late, 1, mib - 10, mib + 10); // has not heard: its copies stand
  for (const node of [late, shield]) node.index.apply({ ...purge, kind: "tag", value: "film" });
  await assertRange(late, 2, mib - 10, mib + 10);
  await assertRange(edge, 2, mib - 10, mib + 10);
});
