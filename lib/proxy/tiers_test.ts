/** What goes through edge and shield beside bodies: interim answers pass, trailers end at the first hop. */
import assert from "node:assert/strict";
import { startOrigin, startTier } from "./tiers_rig.ts";

const octets = (text: string) => new TextEncoder().encode(text);

/** An origin that writes `answer` on the bare connection for each request. */
function rawOrigin(answer: string) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const heads: string[] = [];
  const connections: Deno.Conn[] = [];
  const serveOne = async (connection: Deno.Conn) => {
    connections.push(connection);
    const buffer = new Uint8Array(65_536);
    for (let text = "";;) {
      const count = await connection.read(buffer).catch(() => null);
      if (count === null) return;
      text += new TextDecoder().decode(buffer.subarray(0, count));
      if (!text.endsWith("\r\n\r\n")) continue;
      heads.push(text);
      text = "";
      await connection.write(octets(answer)).catch(() => {});
    }
  };
  (async () => {
    for await (const connection of listener) void serveOne(connection);
  })().catch(() => {});
  const { port } = listener.addr as Deno.NetAddr;
  const close = () => {
    listener.close();
    for (const connection of connections) connection.close();
  };
  return { heads, url: `http://127.0.0.1:${port}`, close };
}

/** Sends a request on a connection of its own and reads until `end` has come. */
async function rawGet(url: string, fields: string, end: string): Promise<string> {
  const { hostname, port, pathname } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  try {
    await connection.write(octets(`GET ${pathname} HTTP/1.1\r\nhost: a\r\n${fields}\r\n`));
    const buffer = new Uint8Array(65_536);
    for (let text = "";;) {
      const count = await connection.read(buffer);
      assert.notEqual(count, null, `it closed after ${text}`);
      text += new TextDecoder("latin1").decode(buffer.subarray(0, count!));
      if (text.endsWith(end)) return text;
    }
  } finally {
    connection.close();
  }
}

Deno.test("trailers are read, and are neither passed on nor taken for fields (RFC 9110 §6.5.1)", async () => {
  const head = "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ntransfer-encoding: chunked\r\n" +
    "trailer: x-sum, cache-control\r\n\r\n";
  const origin = rawOrigin(`${head}4\r\nbody\r\n0\r\nx-sum: 7\r\ncache-control: no-store\r\n\r\n`);
  const shield = startTier({ name: "shield", upstream: origin.url });
  const edge = startTier({ name: "edge", upstream: shield.url });
  try {
    const miss = await rawGet(`${edge.url}/a`, "te: trailers\r\n", "body");
    const hit = await rawGet(`${edge.url}/a`, "te: trailers\r\n", "body");
    assert.match(hit, /cache-status: .*edge;hit/);
    for (const answer of [miss, hit]) assert.doesNotMatch(answer, /x-sum|trailer|no-store/);
    assert.equal(origin.heads.length, 1);
    assert.doesNotMatch(origin.heads[0], /^te:/m);
  } finally {
    for (const { close } of [edge, shield, origin]) await close();
  }
});

Deno.test("103 reaches every client who waits, through both tiers, and no one later (RFC 8297)", async () => {
  const gate = Promise.withResolvers<void>();
  const origin = startOrigin(async (_, { sendInformational }) => {
    await gate.promise;
    sendInformational(103, [["link", "</a.css>; rel=preload"]]);
    return new Response("body", { headers: { "cache-control": "max-age=60" } });
  });
  const shield = startTier({ name: "shield", upstream: origin.url });
  const edge = startTier({ name: "edge", upstream: shield.url });
  const get = () => rawGet(`${edge.url}/a`, "", "body");
  try {
    const waiting = [get(), get(), get()];
    await new Promise((resolve) => setTimeout(resolve, 100));
    gate.resolve();
    for (const answer of await Promise.all(waiting)) {
      assert.match(
        answer,
        /^HTTP\/1\.1 103 .*\r\nlink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 /,
      );
    }
    assert.match(await get(), /^HTTP\/1\.1 200 /);
  } finally {
    for (const { close } of [edge, shield, origin]) await close();
  }
});
