/**
 * Draining: answers in flight finish, nothing else is begun; and accepting survives.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Handler } from "./exchange.ts";
import { get, withFront } from "./front_rig.ts";

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const slowly: Handler = async () => {
  await wait(500);
  return new Response("finished");
};

Deno.test("drain() lets answers finish, and tells their clients to go", async () => {
  await withFront({ handler: slowly }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/"));
    await wait(50);
    const draining = rig.server.drain(5_000);
    const answer = await client.answer();
    assert.equal(answer.text, "finished");
    assert.equal(answer.fields.get("connection"), "close");
    assert.equal(await client.rest(), "");
    await draining;
    assert.equal(rig.server.connections, 0);
  });
});

Deno.test("drain() lets a stream finish", async () => {
  let left = 5;
  const handler = () =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          await wait(60);
          if (left-- === 0) controller.close();
          else controller.enqueue(new TextEncoder().encode("a"));
        },
      }, { highWaterMark: 0 }),
    );
  await withFront({ handler }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/"));
    await client.some();
    const draining = rig.server.drain(5_000);
    assert.match(await client.rest(), /0\r\n\r\n$/);
    await draining;
  });
});

Deno.test("drain() closes idle and silent connections soon", async () => {
  await withFront({}, async (rig) => {
    const [idle, silent] = [await rig.connect(), await rig.connect()];
    await idle.send(get("/"));
    await idle.answer();
    const lateMs = performance.now() + 30_000;
    await rig.server.drain(60_000);
    assert.ok(performance.now() < lateMs, "that is long before the deadline");
    assert.equal(await idle.rest() + await silent.rest(), "");
    const reasons = rig.events.flatMap((event) => event.kind === "closed" ? [event.reason] : []);
    assert.deepEqual(reasons, ["drained", "drained"]);
  });
});

Deno.test("drain() answers a request that was on its way", async () => {
  await withFront({}, async (rig) => {
    const [kept, fresh] = [await rig.connect(), await rig.connect()];
    await kept.send(get("/"));
    await kept.answer();
    await wait(20);
    const draining = rig.server.drain(5_000);
    for (const client of [kept, fresh]) {
      await client.send(get("/"));
      const answer = await client.answer();
      assert.equal(answer.text, "from the handler");
      assert.equal(answer.fields.get("connection"), "close");
    }
    await draining;
  });
});

Deno.test("drain() takes no new connections", async () => {
  await withFront({ handler: slowly }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/"));
    await wait(20);
    const draining = rig.server.drain(5_000);
    await wait(20);
    await assert.rejects(rig.connect(), Deno.errors.ConnectionRefused);
    await draining;
  });
});

Deno.test("drain() cuts what does not finish in time", async () => {
  const aborted = Promise.withResolvers<void>();
  const handler: Handler = ({ signal }) => {
    signal.addEventListener("abort", () => aborted.resolve());
    return new Promise(() => {});
  };
  await withFront({ handler }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/"));
    await wait(20);
    await rig.server.drain(100);
    await aborted.promise;
    assert.equal(await client.rest(), "");
    assert.equal((await rig.until("closed")).reason, "drained");
  });
});

Deno.test("drain() may be called again and on a server without connections", async () => {
  await withFront({}, async (rig) => {
    await Promise.all([rig.server.drain(100), rig.server.drain(100)]);
    await rig.server.drain(100);
  });
});

/** Uses up all file descriptors but a few, then serves again when clients leave. */
const starving = `
import { serve } from "${import.meta.resolve("./server.ts")}";
let failed = 0;
const server = serve({
  hostname: "127.0.0.1",
  port: 0,
  handler: () => new Response("still here"),
  onEvent: (event) => { if (event.kind === "accept_failed") failed++; },
});
const hoard = [];
try {
  while (true) hoard.push(await Deno.open(Deno.execPath()));
} catch { /* none left */ }
hoard.pop().close();
const early = await Deno.connect(server.address);
const deadline = Date.now() + 5000;
while (failed === 0 && Date.now() < deadline) await new Promise((go) => setTimeout(go, 10));
for (const file of hoard) file.close();
const response = await fetch("http://127.0.0.1:" + server.address.port);
console.log(failed > 0, await response.text());
early.close();
await server.drain(1000);
Deno.exit(0);
`;

Deno.test("accepting goes on when file descriptors have run out for a while", async () => {
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const script = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(script, starving);
    const run = `ulimit -n 200 && exec "$0" run -A --no-lock --config "$1" "$2"`;
    const child = new Deno.Command("sh", { args: ["-c", run, Deno.execPath(), config, script] });
    const { stdout, stderr } = await child.output();
    const said = new TextDecoder().decode(stdout);
    assert.equal(said, "true still here\n", new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(script);
  }
});
