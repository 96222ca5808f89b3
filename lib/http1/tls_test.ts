/**
 * HTTPS: the same front behind a handshake that is bounded and may fail.
 *
 * @module
 */

import assert from "node:assert/strict";
import { testCertificate } from "./certificate_rig.ts";
import { type FrontRig, get, post, withFront } from "./front_rig.ts";
import { RawClient } from "./raw_client.ts";
import { type ServeOptions } from "./server.ts";
import { BadCertificate, listenTls, type TlsMaterial } from "./tls.ts";

const certificate = await testCertificate();
const other = await testCertificate();
const ignore = certificate === undefined || other === undefined;
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

type TlsRig = FrontRig & { readonly client: () => Promise<RawClient> };

/** A test with an HTTPS front; named as skipped where no openssl makes a certificate. */
function test(
  name: string,
  options: Partial<ServeOptions>,
  run: (rig: TlsRig) => Promise<void>,
): void {
  Deno.test({
    name: ignore ? `${name} (skipped: no openssl)` : name,
    ignore,
    async fn() {
      const tls = certificate as TlsMaterial;
      const clients: RawClient[] = [];
      await withFront({ ...options, tls }, async (rig) => {
        const { port } = rig.server.address;
        const client = async () => {
          clients.push(await RawClient.connectTls({ port, cert: tls.cert }));
          return clients[clients.length - 1];
        };
        await run({ ...rig, client }).finally(() => clients.forEach((one) => one.close()));
      });
    },
  });
}

test("HTTPS has https URLs, says so to the app, and keeps the connection", {
  handler: async (request, { secure }) => {
    return new Response(`${request.url} ${secure} ${await request.text()}`);
  },
}, async (rig) => {
  const client = await rig.client();
  await client.send(get("/a"));
  assert.equal((await client.answer()).text, "https://front.test/a true ");
  await client.send(post("/b", "Content-Length: 4") + "body" + get("/c"));
  assert.equal((await client.answer()).text, "https://front.test/b true body");
  assert.equal((await client.answer()).text, "https://front.test/c true ");
});

const megabytes = new Uint8Array(4 << 20).fill(97);
const head = new TextEncoder().encode(
  `HTTP/1.1 200 OK\r\ncontent-length: ${megabytes.length}\r\n`,
);
for (const lane of ["fast", "handler"]) {
  test(`HTTPS sends a large body whole before it closes, ${lane} lane`, {
    handler: () => new Response(megabytes),
    fastLane: () => lane === "fast" ? { head, body: megabytes } : undefined,
  }, async (rig) => {
    const client = await rig.client();
    await client.send(get("/", "Connection: close"));
    await wait(100);
    const { body } = await client.answer();
    assert.ok(body.length === megabytes.length && body.every((octet) => octet === 97));
    assert.equal(await client.rest(), "");
    assert.equal((await rig.until("closed")).reason, "done");
  });
}

test("HTTPS drains when its clients have all", {
  handler: () => new Response(megabytes),
}, async (rig) => {
  const client = await rig.client();
  await client.send(get("/"));
  await client.some();
  let drained = false;
  const draining = rig.server.drain(5_000).then(() => drained = true);
  await wait(100);
  assert.equal(drained, false, "what is written but not taken holds the drain up");
  const rest = await client.rest();
  assert.equal(rest.length > megabytes.length - 1e6, true);
  await draining;
});

test("HTTPS cuts off a client that takes nothing", {
  handler: () => new Response(megabytes),
  limits: { writeTimeoutMs: 300 },
}, async (rig) => {
  const client = await rig.client();
  await client.send(get("/", "Connection: close"));
  assert.equal((await rig.until("closed")).reason, "write_timeout");
  client.close();
  await wait(200); // on Deno 2.4 this is what ends the write
});

test("a silent client is given up when its handshake is due", {
  limits: { handshakeTimeoutMs: 200 },
}, async (rig) => {
  await rig.connect();
  assert.equal((await rig.until("closed")).reason, "handshake_timeout");
  assert.equal(rig.server.connections, 0);
});

test("who shakes hands too late is closed at once", {
  limits: { handshakeTimeoutMs: 200 },
}, async (rig) => {
  const { hostname, port } = rig.server.address;
  const conn = await Deno.connect({ hostname, port });
  await rig.until("closed");
  const late = await Deno.startTls(conn, { hostname: "localhost", caCerts: [certificate!.cert] });
  assert.equal(await late.read(new Uint8Array(1)).catch(() => null), null);
  late.close();
});

test("half a hello is given up when its handshake is due", {
  limits: { handshakeTimeoutMs: 200 },
}, async (rig) => {
  const client = await rig.connect();
  await client.send(new Uint8Array([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]));
  assert.equal((await rig.until("closed")).reason, "handshake_timeout");
});

test("failed handshakes are counted and the next client is served", {}, async (rig) => {
  const { port } = rig.server.address;
  const plain = await rig.connect();
  await plain.send(get("/"));
  await plain.rest();
  const doubtful = await Deno.connectTls({ hostname: "localhost", port });
  await assert.rejects(doubtful.handshake());
  doubtful.close();
  const cert = certificate!.cert;
  const modern = await Deno.connectTls({
    hostname: "localhost",
    port,
    caCerts: [cert],
    alpnProtocols: ["h2"],
  });
  await assert.rejects(modern.handshake());
  modern.close();
  (await rig.connect()).close();
  const client = await rig.client();
  await client.send(get("/"));
  assert.equal((await client.answer()).status, 200);
  const failed = rig.events.filter((event) =>
    event.kind === "closed" && event.reason === "handshake_failed"
  );
  assert.equal(failed.length, 4);
});

test("a client that offers no ALPN is served", {}, async (rig) => {
  const { port } = rig.server.address;
  const conn = await Deno.connectTls({
    hostname: "127.0.0.1",
    port,
    caCerts: [certificate!.cert],
  });
  await conn.write(new TextEncoder().encode(get("/", "Connection: close")));
  const room = new Uint8Array(1024);
  assert.match(new TextDecoder().decode(room.subarray(0, (await conn.read(room))!)), /^HTTP.* 200/);
  conn.close();
});

test("drain() does not wait for handshakes", {}, async (rig) => {
  await rig.connect();
  await rig.until("accepted");
  const lateMs = performance.now() + 30_000;
  await rig.server.drain(60_000);
  assert.ok(performance.now() < lateMs, "that is long before the deadline");
});

Deno.test({
  name: "listenTls() tells a bad certificate from a bad address",
  ignore,
  fn() {
    const { cert, key } = certificate!;
    const at = { hostname: "127.0.0.1", port: 0 };
    const bad = [{ cert, key: other!.key }, { cert: "x", key }, { cert, key: "x" }];
    for (const tls of bad) {
      assert.throws(() => listenTls({ ...at, tls }), (error: Error) => {
        return error instanceof BadCertificate && /^need .*: received .+[^.]$/.test(error.message);
      });
    }
    const listener = listenTls({ ...at, tls: { cert, key } });
    const { port } = listener.addr as Deno.NetAddr;
    assert.throws(() => listenTls({ ...at, port, tls: { cert, key } }), Deno.errors.AddrInUse);
    listener.close();
  },
});
