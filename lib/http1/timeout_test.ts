/**
 * Time-outs: slow and silent clients lose their connection, working ones do not.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Handler } from "./exchange.ts";
import { get, post, withFront } from "./front_rig.ts";
import type { Http1Limits } from "./limits.ts";

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const short: Partial<Http1Limits> = {
  headTimeoutMs: 200,
  idleTimeoutMs: 200,
  bodyTimeoutMs: 200,
  writeTimeoutMs: 300,
  lingerTimeoutMs: 200,
};
const echo: Handler = async (request) => new Response(await request.text());

Deno.test("a silent connection is closed without a word", async () => {
  await withFront({ limits: short }, async (rig) => {
    const client = await rig.connect();
    assert.equal(await client.rest(), "");
    assert.equal((await rig.until("closed")).reason, "head_timeout");
  });
});

Deno.test("half a head is answered 408", async () => {
  await withFront({ limits: short }, async (rig) => {
    const client = await rig.connect();
    await client.send("GET / HT");
    const answer = await client.answer();
    assert.equal(answer.status, 408);
    assert.equal(answer.text, "head_timeout\n");
    assert.equal((await rig.until("closed")).reason, "head_timeout");
  });
});

Deno.test("a dribbled head is cut at its deadline, and the dribbler after it", async () => {
  await withFront({ limits: short }, async (rig) => {
    const client = await rig.connect();
    const head = get("/", `X: ${"a".repeat(200)}`);
    let sent = 0;
    for (; sent < head.length; sent++) {
      if (rig.events.some(({ kind }) => kind === "closed")) break;
      await client.send(head[sent]).catch(() => {});
      await wait(10);
    }
    assert.equal((await rig.until("closed")).reason, "head_timeout");
    assert.ok(sent < head.length, "no octet put it off");
  });
});

Deno.test("the deadline of a later head starts with its first octet", async () => {
  await withFront({ limits: { ...short, idleTimeoutMs: 2_000 } }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/"));
    await client.answer();
    await wait(600);
    await client.send("GET /");
    assert.equal((await client.answer()).status, 408);
  });
});

Deno.test("an idle connection is closed", async () => {
  await withFront({ limits: short }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/"));
    await client.answer();
    assert.equal(await client.rest(), "");
    assert.equal((await rig.until("closed")).reason, "idle_timeout");
  });
});

for (const head of [post("/", "Content-Length: 5"), post("/", "Transfer-Encoding: chunked")]) {
  Deno.test(`a body that stalls is answered 408, ${head.slice(39, 60)}`, async () => {
    await withFront({ handler: echo, limits: short }, async (rig) => {
      const client = await rig.connect();
      await client.send(`${head}1`);
      const answer = await client.answer();
      assert.equal(answer.status, 408);
      assert.equal(answer.text, "body_timeout\n");
      assert.equal((await rig.until("closed")).reason, "body_timeout");
    });
  });
}

Deno.test("a body that dribbles is answered 408", async () => {
  await withFront({ handler: echo, limits: short }, async (rig) => {
    const client = await rig.connect();
    await client.send(post("/", "Content-Length: 1000"));
    const answering = client.answer();
    for (let i = 0; i < 200 && !rig.events.some(({ kind }) => kind === "rejected"); i++) {
      await client.send("a");
      await wait(10);
    }
    assert.equal((await answering).text, "body_timeout\n");
  });
});

Deno.test("the stalled body of a GET is answered 408", async () => {
  await withFront({ limits: short }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/", "Content-Length: 5"));
    assert.equal((await client.answer()).text, "body_timeout\n");
  });
});

Deno.test("a body that makes progress may take long", async () => {
  const limits = { ...short, bodyTimeoutMs: 500, minBodyBytes: 10 };
  await withFront({ handler: echo, limits }, async (rig) => {
    const client = await rig.connect();
    await client.send(post("/", "Content-Length: 100"));
    for (let i = 0; i < 10; i++) {
      await wait(100);
      await client.send("0123456789");
    }
    assert.equal((await client.answer()).text, "0123456789".repeat(10));
  });
});

Deno.test("an app that takes its time with a body costs the client nothing", async () => {
  const handler: Handler = async (request) => {
    await wait(700);
    return await echo(request, undefined as never);
  };
  await withFront({ handler, limits: short }, async (rig) => {
    const client = await rig.connect();
    await client.send(post("/", "Content-Length: 3") + "ab");
    await wait(600);
    await client.send("c");
    assert.equal((await client.answer()).text, "abc");
  });
});

Deno.test("an app may think longer than any of our time-outs", async () => {
  const handler = async () => {
    await wait(900);
    return new Response("thought");
  };
  await withFront({ handler, limits: short }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/"));
    assert.equal((await client.answer()).text, "thought");
  });
});

for (const lane of ["fast", "handler"]) {
  Deno.test(`a client that stops reading is cut off, ${lane} lane`, async () => {
    const body = new Uint8Array(64 * 1024 * 1024);
    const head = new TextEncoder().encode(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n`);
    await withFront({
      limits: short,
      handler: () => new Response(body),
      fastLane: () => lane === "fast" ? { head, body } : undefined,
    }, async (rig) => {
      const client = await rig.connect();
      await client.send(get("/"));
      assert.equal((await rig.until("closed")).reason, "write_timeout");
    });
  });
}

Deno.test("a client that reads slowly gets all", async () => {
  const body = new Uint8Array(24 * 1024 * 1024);
  await withFront({ limits: short, handler: () => new Response(body) }, async (rig) => {
    const conn = await Deno.connect({ ...rig.server.address, transport: "tcp" });
    await conn.write(new TextEncoder().encode(get("/", "Connection: close")));
    let received = 0;
    const room = new Uint8Array(1024 * 1024);
    for (let count: number | null = 0; count !== null; count = await conn.read(room)) {
      received += count;
      await wait(10);
    }
    conn.close();
    assert.ok(received > body.length);
    assert.equal((await rig.until("closed")).reason, "done");
  });
});
