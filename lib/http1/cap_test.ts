/**
 * How many connections there may be: of all clients, of one, and of what the system gives.
 *
 * @module
 */

import assert from "node:assert/strict";
import { testCertificate } from "./certificate_rig.ts";
import type { Handler } from "./exchange.ts";
import { get, withFront } from "./front_rig.ts";
import { RawClient } from "./raw_client.ts";

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const slowly: Handler = async () => {
  await wait(300);
  return new Response("finished");
};

Deno.test("over maxConnections the connection idle for longest gives way", async () => {
  await withFront({ limits: { maxConnections: 3 } }, async (rig) => {
    const clients = [];
    for (let n = 0; n < 3; n++) {
      const client = await rig.connect();
      clients.push(client);
      await client.send(get("/"));
      await client.answer();
      await wait(15);
    }
    await clients[0].send(get("/")); // now the second is idle for longest
    await clients[0].answer();
    const newcomer = await rig.connect();
    await newcomer.send(get("/"));
    assert.equal((await newcomer.answer()).status, 200);
    assert.equal((await rig.until("closed")).reason, "evicted");
    assert.equal(await clients[1].rest(), "");
    for (const client of [clients[0], clients[2]]) {
      await client.send(get("/"));
      assert.equal((await client.answer()).status, 200);
    }
    assert.equal(rig.server.connections, 3);
  });
});

Deno.test("over maxConnections with none idle the newcomer is told 503", async () => {
  await withFront({ handler: slowly, limits: { maxConnections: 1 } }, async (rig) => {
    const busy = await rig.connect();
    await busy.send(get("/"));
    await rig.until("accepted");
    await wait(50);
    const second = await rig.connect();
    await second.send(get("/"));
    const answer = await second.answer();
    assert.equal(answer.status, 503);
    assert.equal(answer.fields.get("retry-after"), "1");
    assert.equal(await second.rest(), "");
    assert.ok(rig.events.some(({ kind }) => kind === "refused"));
    assert.equal((await busy.answer()).text, "finished");
    const third = await rig.connect();
    await third.send(get("/"));
    assert.equal((await third.answer()).status, 200);
  });
});

Deno.test("what sends its head slowly is not idle, and keeps its place till its time-out", async () => {
  const limits = { maxConnections: 1, headTimeoutMs: 300 };
  await withFront({ limits }, async (rig) => {
    const slow = await rig.connect();
    await slow.send("GET / HT");
    await wait(50);
    const second = await rig.connect();
    await second.send(get("/"));
    assert.equal((await second.answer()).status, 503);
    assert.equal((await slow.answer()).status, 408);
  });
});

const outside = Deno.networkInterfaces().find(({ family, address }) =>
  family === "IPv4" && !address.startsWith("127.")
);
Deno.test({
  name: "one client cannot have more than maxConnectionsPerClient" +
    (outside ? "" : " (skipped: no address but loopback)"),
  ignore: outside === undefined,
  async fn() {
    const options = { hostname: outside!.address, limits: { maxConnectionsPerClient: 2 } };
    await withFront(options, async (rig) => {
      const first = await rig.connect();
      await rig.connect();
      const third = await rig.connect();
      await third.send(get("/"));
      assert.equal((await third.answer()).status, 503);
      assert.equal((await rig.until("client_refused")).kind, "client_refused");
      first.close();
      await rig.until("closed");
      const fourth = await rig.connect();
      await fourth.send(get("/"));
      assert.equal((await fourth.answer()).status, 200);
    });
  },
});

Deno.test("loopback is not one client", async () => {
  await withFront({ limits: { maxConnectionsPerClient: 1 } }, async (rig) => {
    await rig.connect();
    const second = await rig.connect();
    await second.send(get("/"));
    assert.equal((await second.answer()).status, 200);
  });
});

const tls = await testCertificate();
Deno.test({
  name: "HTTPS over maxConnections waits to be accepted" + (tls ? "" : " (skipped: no openssl)"),
  ignore: tls === undefined,
  async fn() {
    await withFront({ tls, handler: slowly, limits: { maxConnections: 1 } }, async (rig) => {
      const { port } = rig.server.address;
      const connect = () => RawClient.connectTls({ port, cert: tls!.cert });
      const busy = await connect();
      await busy.send(get("/"));
      const waiting = connect();
      await wait(100);
      assert.equal(rig.events.filter(({ kind }) => kind === "accepted").length, 1);
      assert.equal((await busy.answer()).text, "finished");
      const second = await waiting; // the first is idle now, and gives way
      await second.send(get("/"));
      assert.equal((await second.answer()).text, "finished");
      assert.equal(await busy.rest(), "");
      busy.close();
      second.close();
    });
  },
});
