/**
 * Request bodies, expectations, interim answers and vanished clients, over real sockets.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Handler } from "./exchange.ts";
import { get, post, requestHead, withFront } from "./front_rig.ts";

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const echo: Handler = async (request) => new Response(await request.text());

const bodies = [
  { rule: "with a length", head: post("/", "Content-Length: 5"), body: "abcde" },
  {
    rule: "in chunks",
    head: post("/", "Transfer-Encoding: chunked"),
    body: "2\r\nab\r\n3;x=y\r\ncde\r\n0\r\nSum: 1\r\n\r\n",
  },
];

for (const { rule, head, body } of bodies) {
  Deno.test(`a body ${rule} reaches the app (RFC 9112 §6)`, async () => {
    await withFront({ handler: echo }, async (rig) => {
      const client = await rig.connect();
      await client.send(head + body + head);
      assert.equal((await client.answer()).text, "abcde");
      for (const octet of body) {
        await client.send(octet);
        await wait(1);
      }
      assert.equal((await client.answer()).text, "abcde");
    });
  });
}

Deno.test("a large body arrives whole", async () => {
  const data = "0123456789".repeat(100_000);
  await withFront({ handler: echo }, async (rig) => {
    const client = await rig.connect();
    await client.send(post("/", `Content-Length: ${data.length}`) + data);
    assert.equal((await client.answer()).text, data);
  });
});

Deno.test("a body is read no faster than the app takes it", async () => {
  let take = () => {};
  const taken = new Promise<void>((resolve) => take = resolve);
  const handler: Handler = async (request) => {
    await taken;
    return new Response(String((await request.arrayBuffer()).byteLength));
  };
  await withFront({ handler }, async (rig) => {
    const client = await rig.connect();
    await client.send(post("/", "Content-Length: 16000000"));
    const sending = client.send(new Uint8Array(16_000_000));
    await wait(200);
    let done = false;
    void sending.then(() => done = true);
    await wait(0);
    assert.equal(done, false, "16 MB fitted somewhere although nobody read them");
    take();
    await sending;
    assert.equal((await client.answer()).text, "16000000");
  });
});

Deno.test("a short body that nobody reads does not end the connection", async () => {
  await withFront({ handler: () => new Response("a") }, async (rig) => {
    const client = await rig.connect();
    await client.send(post("/", "Content-Length: 5") + "abcde" + get("/"));
    assert.equal((await client.answer()).text, "a");
    assert.equal((await client.answer()).text, "a");
  });
});

Deno.test("a long body that nobody reads ends it after the answer", async () => {
  const limits = { maxDrainBytes: 1000 };
  await withFront({ handler: () => new Response("a"), limits }, async (rig) => {
    const client = await rig.connect();
    await client.send(post("/", "Content-Length: 200000"));
    await client.send(new Uint8Array(200_000));
    assert.equal((await client.answer()).text, "a");
    assert.equal(await client.rest(), "");
  });
});

Deno.test("a chunked body over the limit is refused", async () => {
  await withFront({ handler: echo, limits: { maxBodyBytes: 10 } }, async (rig) => {
    const client = await rig.connect();
    await client.send(post("/", "Transfer-Encoding: chunked") + "5\r\nabcde\r\n");
    await wait(20);
    await client.send("6\r\nabcdef\r\n");
    const answer = await client.answer();
    assert.equal(answer.status, 413);
    assert.equal(answer.text, "body_too_large\n");
    assert.equal(await client.rest(), "");
  });
});

Deno.test("a body that turns out malformed is refused, and the app's stream fails", async () => {
  let failure = "";
  const handler: Handler = async (request) => {
    try {
      return new Response(await request.text());
    } catch (error) {
      failure = String(error);
      return new Response("upstream failed", { status: 502 });
    }
  };
  await withFront({ handler }, async (rig) => {
    const client = await rig.connect();
    await client.send(post("/", "Transfer-Encoding: chunked") + "1\r\na\r\n");
    await wait(20);
    await client.send("0x1\r\na\r\n0\r\n\r\n" + get("/smuggled"));
    const answer = await client.answer();
    assert.equal(answer.text, "chunk_size_invalid\n");
    assert.equal(answer.status, 400);
    assert.match(failure, /chunk_size_invalid/);
    assert.equal(await client.rest(), "");
    client.close();
    assert.equal((await rig.until("closed")).requests, 1);
  });
});

Deno.test("a body that starts malformed never reaches the app", async () => {
  let calls = 0;
  const handler = () => new Response(String(++calls));
  await withFront({ handler }, async (rig) => {
    const client = await rig.connect();
    await client.send(post("/", "Transfer-Encoding: chunked") + "1\r\na\r\n0x1\r\na\r\n");
    assert.equal((await client.answer()).status, 400);
    assert.equal(calls, 0);
  });
});

Deno.test("a body that is cut off fails in the app", async () => {
  let failure: unknown;
  const handler: Handler = async (request) => {
    failure = await request.text().then(() => "whole", String);
    return new Response("late");
  };
  await withFront({ handler }, async (rig) => {
    const client = await rig.connect();
    await client.send(post("/", "Content-Length: 5") + "abc");
    await wait(20);
    client.close();
    await rig.until("closed");
    assert.match(String(failure), /cut_off/);
    assert.deepEqual(rig.events.filter(({ kind }) => kind === "handler_failed"), []);
  });
});

for (const method of ["GET", "HEAD"]) {
  for (const lane of ["fast", "handler"]) {
    Deno.test(`the body of ${method} is dropped, ${lane} lane (RFC 9110 §9.3.1)`, async () => {
      const seen: string[] = [];
      const encode = (text: string) => new TextEncoder().encode(text);
      const head = encode("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n");
      await withFront({
        handler: async (request, env) => {
          seen.push(env.head.fields.map(([name]) => name).join());
          return new Response(await request.text(), { headers: { "content-length": "0" } });
        },
        fastLane: (request) => {
          seen.push(request.fields.map(([name]) => name).join());
          return lane === "fast" ? { head, body: encode("a") } : undefined;
        },
      }, async (rig) => {
        const client = await rig.connect();
        await client.send(requestHead(method, "/", "Content-Length: 3", "X: y") + "abc");
        await client.send(requestHead(method, "/", "Transfer-Encoding: chunked") + "1\r\na\r\n");
        await client.send("0\r\n\r\n" + requestHead(method, "/"));
        for (let i = 0; i < 3; i++) {
          assert.equal((await client.answer({ method })).status, 200);
        }
        const each = lane === "fast" ? 1 : 2; // the fast lane was asked first
        assert.deepEqual(seen.filter((_, i) => i % each === 0), ["host,x", "host", "host"]);
      });
    });
  }
}

Deno.test("a long body of GET is refused", async () => {
  await withFront({ limits: { maxDrainBytes: 10 } }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/", "Content-Length: 11") + "0123456789a");
    assert.equal((await client.answer()).text, "body_too_large\n");
    assert.equal(await client.rest(), "");
  });
});

Deno.test("100 is sent when the app reads (RFC 9110 §10.1.1)", async () => {
  await withFront({ handler: echo }, async (rig) => {
    const client = await rig.connect();
    await client.send(post("/", "Content-Length: 3", "Expect: 100-continue"));
    assert.equal((await client.answer()).statusLine, "HTTP/1.1 100 Continue");
    await client.send("abc");
    const answer = await client.answer();
    assert.equal(answer.text, "abc");
    assert.equal(answer.fields.get("connection"), undefined);
  });
});

Deno.test("100 comes before an answer that streams the body back (RFC 9110 §10.1.1)", async () => {
  await withFront({ handler: (request) => new Response(request.body) }, async (rig) => {
    const client = await rig.connect();
    await client.send(post("/", "Content-Length: 3", "Expect: 100-continue"));
    assert.equal((await client.answer()).status, 100);
    await client.send("abc");
    assert.equal((await client.answer()).text, "abc");
  });
});

Deno.test("100 is not sent to a client that has begun (RFC 9110 §10.1.1)", async () => {
  await withFront({ handler: echo }, async (rig) => {
    const client = await rig.connect();
    await client.send(post("/", "Content-Length: 3", "Expect: 100-continue") + "abc");
    assert.equal((await client.answer()).text, "abc");
  });
});

for (const method of ["POST", "GET"]) {
  Deno.test(`${method} that nobody reads is answered without 100`, async () => {
    await withFront({ handler: () => new Response("no", { status: 403 }) }, async (rig) => {
      const client = await rig.connect();
      await client.send(requestHead(method, "/", "Content-Length: 3", "Expect: 100-continue"));
      const answer = await client.answer();
      assert.equal(answer.status, 403);
      assert.equal(answer.fields.get("connection"), "close");
      assert.equal(await client.rest(), "");
    });
  });
}

Deno.test("interim answers come before the final one (RFC 9110 §15.2)", async () => {
  const handler: Handler = async (_request, { sendInformational }) => {
    sendInformational(103, [["link", "</a>; rel=preload"], ["connection", "x"], ["bad\r\n", "y"]]);
    sendInformational(100, []);
    sendInformational(101, []);
    sendInformational(200, []);
    await wait(10);
    sendInformational(199, []);
    return new Response("final");
  };
  await withFront({ handler }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/"));
    const hints = await client.answer();
    assert.equal(hints.statusLine, "HTTP/1.1 103 Early Hints");
    assert.deepEqual([...hints.fields], [["link", "</a>; rel=preload"]]);
    assert.equal((await client.answer()).statusLine, "HTTP/1.1 199 ");
    assert.equal((await client.answer()).text, "final");
    const old = await rig.connect();
    await old.send("GET / HTTP/1.0\r\n\r\n");
    assert.equal((await old.answer()).text, "final");
  });
});

Deno.test("an interim answer after the final head is dropped", async () => {
  const handler: Handler = (_request, { sendInformational }) =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          await wait(5);
          sendInformational(103, []);
          controller.enqueue(new TextEncoder().encode("a"));
          controller.close();
        },
      }, { highWaterMark: 0 }),
    );
  await withFront({ handler }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/", "Connection: close"));
    assert.match(await client.rest(), /\r\n\r\n1\r\na\r\n0\r\n\r\n$/);
  });
});

/** Tells when its signal aborts; answers only then. */
function waiter() {
  const aborted = Promise.withResolvers<unknown>();
  const handler: Handler = async ({ signal }) => {
    signal.addEventListener("abort", () => aborted.resolve(signal.reason));
    await aborted.promise;
    return new Response("too late");
  };
  return { handler, aborted: aborted.promise };
}

Deno.test("the signal aborts when the client leaves a working app", async () => {
  const { handler, aborted } = waiter();
  await withFront({ handler, limits: { halfCloseTimeoutMs: 50 } }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/"));
    await wait(20);
    client.close();
    assert.equal((await aborted as DOMException).name, "AbortError");
    assert.equal((await rig.until("closed")).reason, "client_gone");
    assert.deepEqual(rig.events.filter(({ kind }) => kind === "handler_failed"), []);
  });
});

Deno.test("a stream is cancelled when the client leaves", async () => {
  const cancelled = Promise.withResolvers<unknown>();
  const aborted = Promise.withResolvers<void>();
  const handler: Handler = ({ signal }) => {
    signal.addEventListener("abort", () => aborted.resolve());
    return new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode("a")),
        cancel: (reason) => cancelled.resolve(reason),
      }),
    );
  };
  await withFront({ handler, limits: { halfCloseTimeoutMs: 50 } }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/"));
    await client.some();
    client.close();
    assert.equal((await cancelled.promise as DOMException).name, "AbortError");
    await aborted.promise;
    assert.equal((await rig.until("closed")).reason, "client_gone");
  });
});

Deno.test("a late answer to a vanished client is cancelled", async () => {
  const cancelled = Promise.withResolvers<void>();
  const handler: Handler = async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return new Response(new ReadableStream({ cancel: () => cancelled.resolve() }));
  };
  await withFront({ handler, limits: { halfCloseTimeoutMs: 50 } }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/"));
    await wait(20);
    client.close();
    await cancelled.promise;
  });
});

Deno.test("the signal does not abort when all goes well", async () => {
  const signals: AbortSignal[] = [];
  const handler: Handler = async (request) => {
    signals.push(request.signal);
    await wait(5);
    return new Response("a");
  };
  await withFront({ handler }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/") + get("/") + get("/", "Connection: close"));
    await client.rest();
    client.close();
    await rig.until("closed");
    await wait(20);
    assert.deepEqual(signals.map(({ aborted }) => aborted), [false, false, false]);
  });
});

Deno.test("a client that only ended its sending half gets its answer", async () => {
  const handler: Handler = async () => {
    await wait(100);
    return new Response("here you are");
  };
  await withFront({ handler }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/"));
    await client.halfClose();
    assert.equal((await client.answer()).text, "here you are");
    assert.equal((await rig.until("closed")).reason, "client");
  });
});

Deno.test("a half-closed client may take long as long as it takes something", async () => {
  const parts = Array(12).fill(0);
  const handler: Handler = () =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          await wait(100);
          if (parts.pop() === undefined) controller.close();
          else controller.enqueue(new TextEncoder().encode("a"));
        },
      }, { highWaterMark: 0 }),
    );
  await withFront({ handler, limits: { halfCloseTimeoutMs: 500 } }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/"));
    await client.halfClose();
    assert.equal((await client.answer()).text, "a".repeat(12));
  });
});

Deno.test("a stream is pulled no faster than the client reads", async () => {
  let pulled = 0;
  const chunk = new Uint8Array(65_536);
  const handler: Handler = () =>
    new Response(
      new ReadableStream({
        pull(controller) {
          pulled += chunk.length;
          if (pulled > 24 * 1024 * 1024) controller.close();
          else controller.enqueue(chunk);
        },
      }, { highWaterMark: 0 }),
    );
  await withFront({ handler }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/"));
    await wait(300);
    const before = pulled;
    assert.ok(before < 16 * 1024 * 1024, `pulled ${before} bytes for a client that reads none`);
    await wait(100);
    assert.equal(pulled, before);
    await client.answer();
    assert.ok(pulled > 24 * 1024 * 1024);
  });
});
