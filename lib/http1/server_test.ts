/**
 * The life of a connection, seen from its other end.
 *
 * @module
 */

import assert from "node:assert/strict";
import { get, post, requestHead, withFront } from "./front_rig.ts";
import type { Handler } from "./exchange.ts";
import { serve } from "./server.ts";

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const octets = (text: string) => new TextEncoder().encode(text);

/** A stream that gives these parts, each after a turn of the event loop. */
function streamOf(...parts: (string | Error)[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const part = parts.shift();
      await wait(2);
      if (part === undefined) controller.close();
      else if (part instanceof Error) controller.error(part);
      else controller.enqueue(octets(part));
    },
  }, { highWaterMark: 0 });
}

Deno.test("a connection goes on after an answer (RFC 9112 §9.3)", async () => {
  await withFront({ handler: (r) => new Response(new URL(r.url).pathname) }, async (rig) => {
    const client = await rig.connect();
    for (const path of ["/a", "/b"]) {
      await client.send(get(path));
      const answer = await client.answer();
      assert.equal(answer.text, path);
      assert.equal(answer.statusLine, "HTTP/1.1 200 OK");
      assert.equal(answer.fields.get("content-length"), "2");
      assert.equal(answer.fields.get("connection"), undefined);
      assert.ok(Math.abs(Date.parse(answer.fields.get("date")!) - Date.now()) < 3_000);
    }
    client.close();
    const closed = await rig.until("closed");
    assert.equal(closed.reason, "client");
    assert.equal(closed.requests, 2);
    assert.equal(closed.receivedBytes, 2 * get("/a").length);
  });
});

Deno.test("pipelined requests are answered in order (RFC 9112 §9.3.2)", async () => {
  const handler: Handler = async (request) => {
    const { pathname } = new URL(request.url);
    await wait(pathname === "/slow" ? 30 : 0);
    return new Response(pathname + await request.text());
  };
  await withFront({ handler }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/slow") + post("/b", "Content-Length: 3") + "abc" + get("/c"));
    assert.equal((await client.answer()).text, "/slow");
    assert.equal((await client.answer()).text, "/babc");
    assert.equal((await client.answer()).text, "/c");
  });
});

Deno.test("a head may come octet by octet", async () => {
  await withFront({}, async (rig) => {
    const client = await rig.connect();
    for (const octet of get("/")) await client.send(octet);
    assert.equal((await client.answer()).status, 200);
  });
});

const endings = [
  { rule: "HTTP/1.0", head: "GET / HTTP/1.0\r\n\r\n", connection: "close" },
  { rule: "Connection: close", head: get("/", "Connection: close"), connection: "close" },
];

for (const { rule, head, connection } of endings) {
  Deno.test(`a connection ends after ${rule} (RFC 9112 §9.3, §9.6)`, async () => {
    await withFront({}, async (rig) => {
      const client = await rig.connect();
      await client.send(head);
      const answer = await client.answer();
      assert.equal(answer.text, "from the handler");
      assert.equal(answer.fields.get("connection"), connection);
      assert.equal(await client.rest(), "");
      assert.equal((await rig.until("closed")).reason, "done");
    });
  });
}

Deno.test("HTTP/1.0 may ask to go on (RFC 9112 §9.3)", async () => {
  await withFront({}, async (rig) => {
    const client = await rig.connect();
    for (let i = 0; i < 2; i++) {
      await client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
      const answer = await client.answer();
      assert.equal(answer.fields.get("connection"), "keep-alive");
      assert.equal(answer.text, "from the handler");
    }
  });
});

Deno.test("an app's Connection: close ends the connection, its other hop fields are dropped", async () => {
  const headers = { connection: "close", "keep-alive": "timeout=9", upgrade: "x", te: "y" };
  await withFront({ handler: () => new Response("a", { headers }) }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/"));
    const { fields } = await client.answer();
    assert.deepEqual([...fields.keys()].sort(), [
      "connection",
      "content-length",
      "content-type",
      "date",
    ]);
    assert.equal(await client.rest(), "");
  });
});

Deno.test("a connection ends after its allowance of requests", async () => {
  await withFront({ limits: { maxRequestsPerConnection: 2 } }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/") + get("/") + get("/"));
    assert.equal((await client.answer()).fields.get("connection"), undefined);
    assert.equal((await client.answer()).fields.get("connection"), "close");
    assert.equal(await client.rest(), "");
  });
});

Deno.test("a Date of the app stays (RFC 9110 §6.6.1)", async () => {
  const date = "Sun, 06 Nov 1994 08:49:37 GMT";
  await withFront({ handler: () => new Response("", { headers: { date } }) }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/"));
    assert.equal((await client.answer()).fields.get("date"), date);
  });
});

Deno.test("a stream without a length is chunked (RFC 9112 §7.1)", async () => {
  const handler = () => new Response(streamOf("ab", "", "c".repeat(20_000)));
  await withFront({ handler }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/"));
    const answer = await client.answer();
    assert.equal(answer.fields.get("transfer-encoding"), "chunked");
    assert.equal(answer.fields.get("content-length"), undefined);
    assert.equal(answer.text, "ab" + "c".repeat(20_000));
    await client.send(get("/"));
    assert.equal((await client.answer()).status, 200);
  });
});

Deno.test("a stream to HTTP/1.0 ends with the connection (RFC 9112 §6.3)", async () => {
  await withFront({ handler: () => new Response(streamOf("ab", "c")) }, async (rig) => {
    const client = await rig.connect();
    await client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const answer = await client.answer();
    assert.equal(answer.fields.get("transfer-encoding"), undefined);
    assert.equal(answer.fields.get("connection"), "close");
    assert.equal(answer.text, "abc");
  });
});

Deno.test("a head is sent before a stream that takes its time", async () => {
  let release = () => {};
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      release = () => {
        controller.enqueue(octets("late"));
        controller.close();
      };
    },
  });
  await withFront({ handler: () => new Response(body) }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/"));
    assert.match(await client.some(), /^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\n$/);
    release();
    assert.match(await client.some(), /^4\r\nlate\r\n/);
  });
});

Deno.test("a declared length is sent as declared (RFC 9110 §8.6)", async () => {
  const headers = { "content-length": "6" };
  const handler = () => new Response(streamOf("abc", "def"), { headers });
  await withFront({ handler }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/"));
    const answer = await client.answer();
    assert.equal(answer.fields.get("content-length"), "6");
    assert.equal(answer.text, "abcdef");
  });
});

const bodiless = [
  { rule: "HEAD", method: "HEAD", make: () => new Response("abc"), length: undefined },
  {
    rule: "HEAD with a length",
    method: "HEAD",
    make: () => new Response("abc", { headers: { "content-length": "3" } }),
    length: "3",
  },
  {
    rule: "204",
    method: "GET",
    make: () => new Response(null, { status: 204 }),
    length: undefined,
  },
  {
    rule: "304 with a length",
    method: "GET",
    make: () => new Response(null, { status: 304, headers: { "content-length": "3" } }),
    length: "3",
  },
  { rule: "200 without a body", method: "GET", make: () => new Response(null), length: "0" },
];

for (const { rule, method, make, length } of bodiless) {
  Deno.test(`an answer to ${rule} has no body (RFC 9110 §6.4.1)`, async () => {
    await withFront({ handler: make }, async (rig) => {
      const client = await rig.connect();
      await client.send(requestHead(method, "/") + requestHead(method, "/"));
      for (let i = 0; i < 2; i++) {
        const answer = await client.answer({ method });
        assert.equal(answer.fields.get("content-length"), length);
        assert.equal(answer.fields.get("transfer-encoding"), undefined);
        assert.equal(answer.text, "");
      }
    });
  });
}

const broken = [
  {
    rule: "a chunked stream that fails",
    make: () => new Response(streamOf("abc", new Error("no"))),
    reason: "stream_failed",
  },
  {
    rule: "a stream shorter than its length",
    make: () => new Response(streamOf("abc"), { headers: { "content-length": "4" } }),
    reason: "too_short",
  },
  {
    rule: "a stream longer than its length",
    make: () => new Response(streamOf("ab", "cd"), { headers: { "content-length": "3" } }),
    reason: "too_long",
  },
];

for (const { rule, make, reason } of broken) {
  Deno.test(`a client can tell ${rule} (RFC 9112 §8)`, async () => {
    await withFront({ handler: make }, async (rig) => {
      const client = await rig.connect();
      await client.send(get("/"));
      if (reason === "too_long") assert.equal((await client.answer()).text, "abc");
      else await assert.rejects(client.answer(), /cut off/);
      await client.rest();
      assert.equal((await rig.until("body_failed")).reason, reason);
      assert.equal((await rig.until("closed")).reason, "body_failed");
    });
  });
}

const unsendable = [
  { rule: "fails", start: (controller: Controller) => controller.error(new Error("secret")) },
  { rule: "gives text", start: (controller: Controller) => controller.enqueue("secret") },
];
type Controller = ReadableStreamDefaultController<unknown>;

for (const { rule, start } of unsendable) {
  Deno.test(`a stream that ${rule} before its first byte is a 500`, async () => {
    const handler = () => new Response(new ReadableStream({ start }) as ReadableStream<Uint8Array>);
    await withFront({ handler }, async (rig) => {
      const client = await rig.connect();
      await client.send(get("/") + get("/"));
      for (let i = 0; i < 2; i++) {
        const answer = await client.answer();
        assert.equal(answer.status, 500);
        assert.equal(answer.text, "internal error\n");
      }
      assert.equal((await rig.until("body_failed")).reason, "stream_failed");
    });
  });
}

const failing: { rule: string; handler: Handler }[] = [
  {
    rule: "throws",
    handler: () => {
      throw new Error("secret");
    },
  },
  { rule: "rejects", handler: () => Promise.reject(new Error("secret")) },
  { rule: "answers with nothing", handler: () => undefined as unknown as Response },
  { rule: "answers with an error response", handler: () => Response.error() },
  {
    rule: "answers with a used body",
    handler: async () => {
      const response = new Response("secret");
      await response.text();
      return response;
    },
  },
];

for (const { rule, handler } of failing) {
  Deno.test(`a handler that ${rule} is a 500 that tells nothing`, async () => {
    await withFront({ handler }, async (rig) => {
      const client = await rig.connect();
      await client.send(get("/") + get("/"));
      for (let i = 0; i < 2; i++) {
        const answer = await client.answer();
        assert.equal(answer.status, 500);
        assert.equal(answer.text, "internal error\n");
        assert.equal(answer.fields.get("cache-control"), "no-store");
      }
      await rig.until("handler_failed");
    });
  });
}

Deno.test("the app gets the request as it came", async () => {
  let seen: unknown;
  const handler: Handler = (request, env) => {
    seen = {
      url: request.url,
      method: request.method,
      accept: request.headers.get("accept"),
      head: env.head,
      secure: env.secure,
      remote: env.remote.hostname,
    };
    return new Response();
  };
  await withFront({ handler }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/a/../b?c=%7e", "Accept: a", "Accept: b", "X: \xe4"));
    assert.equal((await client.answer()).status, 200);
    assert.deepEqual(seen, {
      url: "http://front.test/b?c=%7e",
      method: "GET",
      accept: "a, b",
      head: {
        method: "GET",
        target: "/a/../b?c=%7e",
        fields: [["host", "front.test"], ["accept", "a"], ["accept", "b"], ["x", "\xe4"]],
      },
      secure: false,
      remote: "127.0.0.1",
    });
  });
});

Deno.test("HTTP/1.0 without Host and OPTIONS * get a URL, too", async () => {
  await withFront({ handler: (request) => new Response(request.url) }, async (rig) => {
    const old = await rig.connect();
    await old.send("GET /a HTTP/1.0\r\n\r\n");
    assert.equal((await old.answer()).text, `http://127.0.0.1:${rig.server.address.port}/a`);
    const client = await rig.connect();
    await client.send(requestHead("OPTIONS", "*"));
    assert.equal((await client.answer()).text, "http://front.test/");
  });
});

Deno.test("a host that makes no URL is refused", async () => {
  await withFront({}, async (rig) => {
    const client = await rig.connect();
    await client.send("GET / HTTP/1.1\r\nHost: 1.2.3.4.5\r\n\r\n");
    assert.equal((await client.answer()).text, "bad_target\n");
  });
});

for (const limits of [{ maxHeadBytes: 0 }, { idleTimeoutMs: NaN }, { maxFields: -1 }]) {
  Deno.test(`serve() refuses the limit ${Object.keys(limits)[0]} when it bounds nothing`, () => {
    const options = { hostname: "127.0.0.1", port: 0, handler: () => new Response(), limits };
    assert.throws(() => serve(options), RangeError);
  });
}

Deno.test("serve() throws when the address is taken", async () => {
  await withFront({}, (rig) => {
    const { hostname, port } = rig.server.address;
    assert.throws(() => serve({ hostname, port, handler: () => new Response() }), Error);
    return Promise.resolve();
  });
});
