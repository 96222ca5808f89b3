import assert from "node:assert/strict";
import { NextHopError, type NextHopRequest } from "#cache";
import { fieldValue } from "#http";
import { httpNextHop, type HttpNextHopOptions } from "./mod.ts";

/** A raw TCP origin: each connection is handed to `answer` once a whole request head arrived. */
function rawOrigin(answer: (connection: Deno.Conn, head: string, count: number) => Promise<void>) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const heads: string[] = [];
  const open = new Set<Deno.Conn>();
  let connections = 0;
  const serve = async (connection: Deno.Conn) => {
    open.add(connection);
    connections++;
    let text = "";
    const buffer = new Uint8Array(65536);
    for (let read; (read = await connection.read(buffer).catch(() => null)) !== null;) {
      text += new TextDecoder("latin1").decode(buffer.subarray(0, read));
      for (let end; (end = text.indexOf("\r\n\r\n")) !== -1;) {
        heads.push(text.slice(0, end));
        text = text.slice(end + 4);
        await answer(connection, heads[heads.length - 1], heads.length).catch(() => {});
      }
    }
    open.delete(connection);
  };
  (async () => {
    for await (const connection of listener) void serve(connection);
  })().catch(() => {});
  const { port } = listener.addr as Deno.NetAddr;
  return {
    url: new URL(`http://127.0.0.1:${port}/base`),
    heads,
    get connections() {
      return connections;
    },
    close() {
      listener.close();
      for (const connection of open) {
        try {
          connection.close();
        } catch { /* the test closed it */ }
      }
    },
  };
}

const send = (connection: Deno.Conn, text: string) =>
  connection.write(new TextEncoder().encode(text)).then(() => {});

const get: NextHopRequest = { method: "GET", target: "/1.ts?a=b", fields: [], appliedSeq: 0 };

async function withOrigin(
  answer: Parameters<typeof rawOrigin>[0],
  run: (origin: ReturnType<typeof rawOrigin>, hop: ReturnType<typeof httpNextHop>) => Promise<void>,
  options: Partial<HttpNextHopOptions> = {},
) {
  const origin = rawOrigin(answer);
  try {
    await run(origin, httpNextHop({ url: origin.url, ...options }));
  } finally {
    origin.close();
  }
}

// A next hop keeps its connections: the tests end before those do.
const test = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name: `httpNextHop() ${name}`, fn, sanitizeOps: false, sanitizeResources: false });

test("sends the target behind the base path, the authority as Host, and nothing of its own", () => {
  return withOrigin(
    (connection) =>
      send(connection, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-A: 1\r\nX-a: 2\r\n\r\nok"),
    async (origin, hop) => {
      const fields = [["accept", "*/*"], ["host", "evil.example"], ["purge-seq", "7"]] as const;
      const response = await hop.fetch({ ...get, fields });
      assert.equal(response.status, 200);
      assert.deepEqual(response.fields.slice(1), [["x-a", "1"], ["x-a", "2"]]);
      assert.equal(await new Response(response.body).text(), "ok");
      const [line, ...lines] = origin.heads[0].split("\r\n");
      assert.equal(line, "GET /base/1.ts?a=b HTTP/1.1");
      const names = lines.map((one) => one.split(":")[0].toLowerCase()).sort();
      assert.deepEqual(names, ["accept", "host", "purge-seq"]);
      assert.ok(lines.some((one) => one.toLowerCase() === `host: ${origin.url.host}`));
    },
  );
});

test("keeps the connection for the next request", () => {
  return withOrigin(
    (connection) => send(connection, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
    async (origin, hop) => {
      for (let i = 0; i < 3; i++) await new Response((await hop.fetch(get)).body).text();
      assert.equal(origin.connections, 1);
    },
  );
});

test("asks again on a new connection when the kept one died idle", () => {
  return withOrigin(
    async (connection, _, count) => {
      if (count === 2) return connection.close();
      await send(connection, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    },
    async (origin, hop) => {
      await new Response((await hop.fetch(get)).body).text();
      assert.equal(await new Response((await hop.fetch(get)).body).text(), "ok");
      assert.equal(origin.heads.length, 3);
    },
  );
});

// Bodies that are not whole: one row each. The reader must see an error, never an early end.
const cuts = [
  { what: "short of Content-Length", bytes: "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort" },
  {
    what: "without the last chunk",
    bytes: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\n",
  },
  {
    what: "within a chunk",
    bytes: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nshort",
  },
];

for (const { what, bytes } of cuts) {
  test(`fails a body that ends ${what}`, () => {
    return withOrigin(async (connection) => {
      await send(connection, bytes);
      connection.close();
    }, async (_, hop) => {
      const response = await hop.fetch(get);
      await assert.rejects(new Response(response.body).text());
    });
  });
}

// No head: one row for each word.
const failures: {
  what: string;
  reason: NextHopError["reason"];
  answer: (connection: Deno.Conn) => Promise<void>;
}[] = [
  {
    what: "closes without a word",
    reason: "reset",
    answer: (connection) => Promise.resolve(connection.close()),
  },
  {
    what: "sends garbage",
    reason: "malformed",
    answer: (connection) => send(connection, "\x00\x01 what?\r\n\r\n"),
  },
  { what: "says nothing", reason: "timeout", answer: () => Promise.resolve() },
];

for (const { what, reason, answer } of failures) {
  test(`says ${reason} when the origin ${what}`, () => {
    return withOrigin(answer, async (_, hop) => {
      await assert.rejects(hop.fetch(get), (error: unknown) => {
        assert.ok(error instanceof NextHopError);
        return error.reason === reason || assert.fail(`${error.reason}: ${error.message}`);
      });
    }, { headTimeoutMs: 300 });
  });
}

test("says refused when nobody listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const hop = httpNextHop({ url: new URL(`http://127.0.0.1:${port}`) });
  await assert.rejects(hop.fetch(get), { reason: "refused" });
});

test("stops when its signal does", () => {
  return withOrigin(() => Promise.resolve(), async (_, hop) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    await assert.rejects(hop.fetch({ ...get, signal: controller.signal }), { reason: "aborted" });
  });
});

test("fails a body that falls silent", () => {
  return withOrigin(
    (connection) => send(connection, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nab"),
    async (_, hop) => {
      const response = await hop.fetch(get);
      await assert.rejects(new Response(response.body).text());
    },
    { silenceTimeoutMs: 100 },
  );
});

test("answers HEAD without waiting for a body", () => {
  return withOrigin(
    (connection) => send(connection, "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n"),
    async (_, hop) => {
      const response = await hop.fetch({ ...get, method: "HEAD" });
      assert.equal(fieldValue(response.fields, "content-length"), "99");
      assert.equal(await new Response(response.body).text(), "");
    },
  );
});

test("does not read what nobody asks for", () => {
  const chunk = new Uint8Array(65536);
  let written = 0;
  return withOrigin(async (connection) => {
    await send(connection, `HTTP/1.1 200 OK\r\ncontent-length: ${chunk.length * 1000}\r\n\r\n`);
    for (let i = 0; i < 1000; i++) written += await connection.write(chunk);
  }, async (_, hop) => {
    const response = await hop.fetch(get);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.ok(written < chunk.length * 500, `the origin could send ${written} bytes`);
    await response.body.cancel();
  });
});

test("sends a request body", () => {
  return withOrigin(
    (connection) => send(connection, "HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n"),
    async (origin, hop) => {
      const body = new Response("hello").body!;
      const response = await hop.fetch({
        ...get,
        method: "POST",
        fields: [["content-length", "5"]],
        body,
      });
      assert.equal(response.status, 201);
      await response.body.cancel();
      assert.match(origin.heads[0], /^POST /);
    },
  );
});

test("tells of early hints (RFC 8297)", () => {
  const answer =
    "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
  return withOrigin((connection) => send(connection, answer), async (_, hop) => {
    const hints: string[] = [];
    const response = await hop.fetch({
      ...get,
      onInformational: (status, fields) => hints.push(`${status} ${fieldValue(fields, "link")}`),
    });
    await response.body.cancel();
    assert.equal(response.status, 200);
    assert.deepEqual(hints, ["103 </a>"]);
  });
});

test("never takes what a hop says out of turn for an answer", () => {
  const answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
  const smuggled = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil";
  return withOrigin(
    (connection, _, count) => send(connection, count === 1 ? answer + smuggled : answer),
    async (_, hop) => {
      for (let i = 0; i < 3; i++) {
        assert.equal(await new Response((await hop.fetch(get)).body).text(), "ok");
      }
    },
  );
});

test("lets requests over the bound wait, and serves them all", () => {
  return withOrigin(
    (connection) => send(connection, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
    async (origin, hop) => {
      const texts = Array.from(
        { length: 20 },
        async () => await new Response((await hop.fetch(get)).body).text(),
      );
      assert.deepEqual(await Promise.all(texts), Array(20).fill("ok"));
      assert.ok(origin.connections <= 2, `${origin.connections} connections`);
    },
    { maxSockets: 2 },
  );
});

test("fails for a head that never ends", () => {
  return withOrigin(async (connection) => {
    await send(connection, "HTTP/1.1 200 OK\r\n");
    for (let i = 0; i < 3000; i++) await send(connection, `x-${i}: ${"a".repeat(40)}\r\n`);
  }, async (_, hop) => {
    await assert.rejects(hop.fetch(get), { reason: "malformed" });
  });
});

// Why a body failed is told in the words of a next hop: one row for each.
const brokenBodies = [
  { reason: "reset", then: (connection: Deno.Conn) => connection.close(), abort: false },
  { reason: "timeout", then: () => {}, abort: false },
  { reason: "aborted", then: () => {}, abort: true },
];

for (const { reason, then, abort } of brokenBodies) {
  test(`fails a body with ${reason}`, () => {
    return withOrigin(async (connection) => {
      await send(connection, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nab");
      then(connection);
    }, async (_, hop) => {
      const controller = new AbortController();
      const response = await hop.fetch({ ...get, signal: controller.signal });
      const reading = new Response(response.body).text();
      if (abort) controller.abort();
      await assert.rejects(reading, (error: unknown) => {
        assert.ok(error instanceof NextHopError);
        assert.equal(error.reason, reason);
        return true;
      });
    }, { silenceTimeoutMs: 100 });
  });
}

test("reads a chunked body however it is cut", () => {
  const body = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" +
    "5;a=b\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\nx: y\r\n\r\n";
  let cut = 0;
  return withOrigin(async (connection) => {
    (connection as Deno.TcpConn).setNoDelay();
    await send(connection, body.slice(0, cut));
    await new Promise((resolve) => setTimeout(resolve, 2));
    await send(connection, body.slice(cut));
  }, async (origin, hop) => {
    for (cut = 1; cut < body.length; cut++) {
      const response = await hop.fetch(get);
      assert.equal(await new Response(response.body).text(), "hello 0123456789");
    }
    assert.equal(origin.connections, 1, "and the connection is used again");
  });
});

test("does not use a connection again whose request body was not sent to its end", () => {
  const stalled = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(3)),
  });
  return withOrigin(
    (connection) => send(connection, "HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n"),
    async (origin, hop) => {
      const fields = [["content-length", "9"]] as const;
      const response = await hop.fetch({ ...get, method: "POST", fields, body: stalled });
      assert.equal(response.status, 413);
      await response.body.cancel();
      await (await hop.fetch(get)).body.cancel();
      assert.equal(origin.connections, 2);
    },
  );
});

// A request body that breaks off must not leave the exchange waiting: one row for each way.
const brokenRequests = [
  {
    how: "fails",
    body: () => new ReadableStream<Uint8Array>({ pull: () => Promise.reject(new Error("gone")) }),
  },
  { how: "is shorter than it said", body: () => new Blob(["ab"]).stream() },
  { how: "is longer than it said", body: () => new Blob(["abcdef"]).stream() },
];

for (const { how, body } of brokenRequests) {
  test(`ends the exchange when the request body ${how}`, () => {
    return withOrigin(() => Promise.resolve(), async (_, hop) => {
      const fields = [["content-length", "4"]] as const;
      await assert.rejects(
        hop.fetch({ ...get, method: "POST", fields, body: body() }),
        NextHopError,
      );
    });
  });
}

test("sends a body of unknown length in chunks", async () => {
  let seen = "";
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const origin = (async () => {
    const connection = await listener.accept();
    const buffer = new Uint8Array(1000);
    while (!seen.endsWith("0\r\n\r\n")) {
      seen += new TextDecoder().decode(buffer.subarray(0, await connection.read(buffer) ?? 0));
    }
    await send(connection, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    connection.close();
    listener.close();
  })();
  const { port } = listener.addr as Deno.NetAddr;
  const hop = httpNextHop({ url: new URL(`http://127.0.0.1:${port}`) });
  await (await hop.fetch({ ...get, method: "POST", body: new Blob(["hello"]).stream() })).body
    .cancel();
  await origin;
  assert.match(seen, /transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/);
});

test("asks for * without the base path", () => {
  return withOrigin(
    (connection) => send(connection, "HTTP/1.1 204 No Content\r\n\r\n"),
    async (origin, hop) => {
      await (await hop.fetch({ ...get, method: "OPTIONS", target: "*" })).body.cancel();
      assert.match(origin.heads[0], /^OPTIONS \* HTTP/);
    },
  );
});

test("stops waiting in line when its signal does", () => {
  return withOrigin(() => Promise.resolve(), async (_, hop) => {
    const controller = new AbortController();
    const asked = [1, 2].map(() => hop.fetch({ ...get, signal: controller.signal }));
    setTimeout(() => controller.abort(), 20);
    await Promise.all(asked.map((one) => assert.rejects(one, { reason: "aborted" })));
  }, { maxSockets: 1 });
});
