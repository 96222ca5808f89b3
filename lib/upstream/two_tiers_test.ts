import assert from "node:assert/strict";
import { CacheEngine, cacheHandler, memoryStore, noPurges } from "#cache";
import { type Http1Server, serve } from "#http1";
import { Hono } from "hono";
import { httpNextHop } from "./mod.ts";

const octets = (text: string) => new TextEncoder().encode(text);

/** An origin that answers by a script on the bare connection and counts its requests. */
function origin(answer: (connection: Deno.Conn, target: string) => Promise<void>) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const targets: string[] = [];
  const serveOne = async (connection: Deno.Conn) => {
    const buffer = new Uint8Array(65536);
    for (let text = "";;) {
      const count = await connection.read(buffer).catch(() => null);
      if (count === null) return;
      text += new TextDecoder().decode(buffer.subarray(0, count));
      if (!text.endsWith("\r\n\r\n")) continue;
      targets.push(text.split(" ")[1]);
      text = "";
      await answer(connection, targets.at(-1)!).catch(() => {});
    }
  };
  (async () => {
    for await (const connection of listener) void serveOne(connection);
  })().catch(() => {});
  const { port } = listener.addr as Deno.NetAddr;
  return { targets, url: new URL(`http://127.0.0.1:${port}`), close: () => listener.close() };
}

/** A cache node on a socket, in front of `upstream`. */
function node(name: string, upstream: URL) {
  const nextHop = httpNextHop({ url: upstream, silenceTimeoutMs: 10_000 });
  const store = memoryStore({ budgetBytes: 2 ** 24 });
  const nowMs = () => Date.now();
  const engine = new CacheEngine({ name, store, purges: noPurges, nextHop, nowMs });
  const app = new Hono().all("*", cacheHandler(engine));
  const server: Http1Server = serve({
    hostname: "127.0.0.1",
    port: 0,
    handler: (request, env) => app.fetch(request, env),
    fastLane: (head) => engine.hit(head),
  });
  const close = async () => {
    nextHop.close();
    await server.drain(0);
  };
  return { close, engine, url: new URL(`http://127.0.0.1:${server.address.port}`) };
}

/** Runs a test against an edge in front of a shield in front of an origin. */
function twoTiers(
  name: string,
  answer: Parameters<typeof origin>[0],
  run: (edge: URL, targets: string[]) => Promise<void>,
) {
  const fn = async () => {
    const source = origin(answer);
    const shield = node("shield", source.url);
    const edges = [node("edge", shield.url)];
    try {
      await run(edges[0].url, source.targets);
    } finally {
      for (const { close } of [...edges, shield]) await close();
      source.close();
    }
  };
  // fetch() keeps its connections: the tests end before those do.
  Deno.test({ name: `two tiers ${name}`, fn, sanitizeOps: false, sanitizeResources: false });
}

const fresh = "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\n";

/** Resolves when each of 100 clients has the first bytes. */
const first = { reading: 0, byAll: Promise.withResolvers<void>() };

twoTiers("ask the origin once for 100 clients, who read from the first byte on", async (origin) => {
  await origin.write(octets(`${fresh}content-length: 10\r\n\r\nfirst`));
  await first.byAll.promise;
  await origin.write(octets(" last"));
}, async (edge, targets) => {
  const clients = Array.from({ length: 100 }, async () => {
    const reader = (await fetch(new URL("/seg", edge))).body!.getReader();
    const { value } = await reader.read();
    if (++first.reading === 100) first.byAll.resolve();
    let text = new TextDecoder().decode(value);
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      text += new TextDecoder().decode(read.value);
    }
    return text;
  });
  for (const text of await Promise.all(clients)) assert.equal(text, "first last");
  assert.deepEqual(targets, ["/seg"]);
  const again = await fetch(new URL("/seg", edge));
  assert.equal(await again.text(), "first last");
  const [shield, own] = again.headers.get("cache-status")!.split(", ");
  assert.match(shield, /^shield;fwd=uri-miss;.*stored/);
  assert.match(own, /^edge;hit;ttl=\d+$/);
});

// A body that is not whole at the origin is whole nowhere: the client sees it end in an error.
const cuts = [
  { how: "short of its length", body: `${fresh}content-length: 10\r\n\r\nshort` },
  {
    how: "without its last chunk",
    body: `${fresh}transfer-encoding: chunked\r\n\r\n5\r\nshort\r\n`,
  },
];

for (const { how, body } of cuts) {
  twoTiers(`pass on that a body ends ${how}, and keep nothing of it`, async (origin) => {
    await origin.write(octets(body));
    origin.close();
  }, async (edge, targets) => {
    for (let tries = 1; tries <= 2; tries++) {
      await assert.rejects(async () => await (await fetch(new URL("/seg", edge))).text());
      assert.equal(targets.length, tries);
    }
  });
}

twoTiers("answer 502 when the origin hangs up", (origin) => {
  origin.close();
  return Promise.resolve();
}, async (edge) => {
  const response = await fetch(new URL("/seg", edge));
  assert.equal(response.status, 502);
  await response.body?.cancel();
});

twoTiers("answer ranges of what is arriving", async (origin) => {
  await origin.write(octets(`${fresh}content-length: 10\r\n\r\n01234`));
  await new Promise((resolve) => setTimeout(resolve, 200));
  await origin.write(octets("56789"));
}, async (edge, targets) => {
  const ranges = [["bytes=1-2", "12"], ["bytes=-3", "789"], ["bytes=4-", "456789"]];
  const answers = await Promise.all(ranges.map(async ([range]) => {
    const response = await fetch(new URL("/seg", edge), { headers: { range } });
    assert.equal(response.status, 206);
    return await response.text();
  }));
  assert.deepEqual(answers, ranges.map(([, want]) => want));
  assert.deepEqual(targets, ["/seg"]);
});

/** Requests that the origin holds now, and the most that it held. */
const atOrigin = { now: 0, most: 0 };

twoTiers("do not serialise what is private", async (origin) => {
  atOrigin.most = Math.max(atOrigin.most, ++atOrigin.now);
  await new Promise((resolve) => setTimeout(resolve, 300));
  atOrigin.now--;
  await origin.write(
    octets("HTTP/1.1 200 OK\r\ncache-control: private\r\ncontent-length: 2\r\n\r\nme"),
  );
}, async (edge) => {
  // The first round learns from the one who asked first; from then on nobody waits for another.
  for (const least of [4, 5]) {
    atOrigin.most = 0;
    await Promise.all(Array.from({ length: 6 }, async () => {
      assert.equal(await (await fetch(new URL("/me", edge))).text(), "me");
    }));
    assert.ok(atOrigin.most >= least, `${atOrigin.most} at once`);
  }
});
