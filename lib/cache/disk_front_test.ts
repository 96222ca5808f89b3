import assert from "node:assert/strict";
import { serve } from "#http1";
import { openDiskStore } from "./disk_store.ts";
import { reply, setUp } from "./scripted_next_hop.ts";
import { assertBytes, suiteBody } from "./store_suite.ts";

const objects = 60;
/** From 1 byte to over a mebibyte. */
const bodies = Array.from(
  { length: objects },
  (_, n) => suiteBody(n, 1 + (n * 20_011) % 1_200_000),
);
const bodyOf = (n: number) => bodies[n];

Deno.test("many clients of a disk each get their own object, also beside those who break off", async () => {
  const dir = await Deno.makeTempDir({ prefix: "downlink-front-" });
  const store = await openDiskStore({ dir, budgetBytes: 2 ** 27, durable: false });
  const bench = setUp(
    ({ target }) => {
      const body = bodyOf(Number(target.slice(1)));
      return {
        ...reply(200, [["cache-control", "max-age=600"], ["content-length", `${body.length}`]]),
        body: new Blob([body]).stream(),
      };
    },
    {},
    store,
  );
  const lanes = { fast: 0, handler: 0 };
  const server = serve({
    hostname: "127.0.0.1",
    port: 0,
    handler: () => new Response("not at once", { status: 500 }),
    fastLane: (head) => bench.engine.hit(head),
    onEvent: (event) => {
      if (event.kind === "answered") lanes[event.lane]++;
    },
  });
  try {
    for (let n = 0; n < objects; n++) await bench.get(`/${n}`);
    while (store.count < objects) await new Promise((resolve) => setTimeout(resolve, 5));
    for (let n = 0; n < objects; n++) await bench.get(`/${n}`); // brings the checksums
    const ask = async (client: number, turn: number) => {
      const n = (client * 7 + turn * 13) % objects;
      const response = await fetch(`http://127.0.0.1:${server.address.port}/${n}`);
      if (turn % 5 === 4) return await response.body?.cancel();
      const bytes = await response.bytes();
      if (response.status === 200) assertBytes(bytes, bodyOf(n), `/${n}`);
    };
    await Promise.all(Array.from({ length: 20 }, async (_, client) => {
      for (let turn = 0; turn < 20; turn++) await ask(client, turn);
    }));
    assert.ok(lanes.fast > 200, `${lanes.fast} of 400 at once, ${lanes.handler} not`);
  } finally {
    await server.drain(1000);
    await store.close();
    await Deno.remove(dir, { recursive: true });
  }
});
