import assert from "node:assert/strict";
import { Origin } from "./origin.ts";

/** Runs `test` against a server that answers with `handler`. */
async function withServer(
  handler: (request: Request) => Response | Promise<Response>,
  test: (url: URL) => Promise<void>,
): Promise<void> {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, handler);
  try {
    await test(new URL(`http://127.0.0.1:${server.addr.port}/base/`));
  } finally {
    await server.shutdown();
  }
}

function origin(url: URL, options: { appliedSeq?: number; timeoutMs?: number } = {}): Origin {
  const { appliedSeq, timeoutMs = 2000 } = options;
  return new Origin({
    url,
    appliedSeq: () => appliedSeq,
    maxObjectBytes: 1000,
    timeoutMs,
    parallel: 2,
  });
}

Deno.test("an object comes with what receivers and purges need to know of it", async () => {
  const seen: string[] = [];
  await withServer(({ url, headers: sent }) => {
    seen.push(new URL(url).pathname, `${sent.get("purge-seq")}`, `${sent.get("accept-encoding")}`);
    const headers = {
      "content-type": "video/mp2t",
      etag: '"v1"',
      "cache-control": "public, max-age=60",
      age: "20",
      "surrogate-key": "one news",
      "cache-tag": "one,two",
    };
    return new Response("segment", { headers });
  }, async (url) => {
    const outcome = await origin(url, { appliedSeq: 7 }).fetch("/one/a.ts?t=1");
    assert.ok(outcome.kind === "object");
    const { body, ...rest } = outcome.object;
    assert.equal(new TextDecoder().decode(body), "segment");
    assert.deepEqual(rest, {
      key: "/one/a.ts?t=1",
      contentType: "video/mp2t",
      etag: '"v1"',
      maxAgeSeconds: 40,
      tags: ["one", "news", "two"],
      purgeSeq: 7,
    });
    assert.deepEqual(seen, ["/base/one/a.ts", "7", "identity"]);
  });
});

Deno.test("without a purge log there is no fence, and the sequence is 0", async () => {
  await withServer(
    ({ headers }) => new Response(String(headers.has("purge-seq"))),
    async (url) => {
      const outcome = await origin(url).fetch("/a");
      assert.ok(outcome.kind === "object");
      assert.equal(new TextDecoder().decode(outcome.object.body), "false");
      assert.equal(outcome.object.purgeSeq, 0);
    },
  );
});

Deno.test("an entity tag that still holds comes back as not_modified", async () => {
  await withServer(
    ({ headers }) => new Response(null, { status: headers.get("if-none-match") ? 304 : 200 }),
    async (url) => {
      assert.equal((await origin(url).fetch("/a", { etag: '"v1"' })).kind, "not_modified");
    },
  );
});

const longTags = Array.from({ length: 129 }, (_, n) => `t${n}`).join(" ");

// What the origin may answer and the word that comes out.
const rows = [
  { what: "status 404", answer: () => new Response("", { status: 404 }), reason: "not_found" },
  { what: "status 410", answer: () => new Response("", { status: 410 }), reason: "not_found" },
  { what: "status 503", answer: () => new Response("", { status: 503 }), reason: "bad_status" },
  {
    what: "a redirect",
    answer: () => Response.redirect("http://127.0.0.1:1/"),
    reason: "bad_status",
  },
  {
    what: "a body of more than the limit",
    answer: () => new Response("x".repeat(1001)),
    reason: "oversize",
  },
  { what: "a body without an end", answer: () => new Response(endless()), reason: "oversize" },
  {
    what: "a private answer",
    answer: () => new Response("x", { headers: { "cache-control": "private, max-age=60" } }),
    reason: "private",
  },
  {
    what: "an answer with 129 tags",
    answer: () => new Response("x", { headers: { "surrogate-key": longTags } }),
    reason: "bad_tags",
  },
  {
    what: "a tag with white space",
    answer: () => new Response("x", { headers: { "cache-tag": "two words" } }),
    reason: "bad_tags",
  },
];

for (const { what, answer, reason } of rows) {
  Deno.test(`${what} comes out as ${reason}`, async () => {
    await withServer(answer, async (url) => {
      const outcome = await origin(url).fetch("/a");
      assert.equal(outcome.kind === "failed" && outcome.reason, reason);
    });
  });
}

Deno.test("a body that breaks off comes out as truncated", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    using connection = await listener.accept();
    await connection.read(new Uint8Array(4096));
    const head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n";
    await connection.write(new TextEncoder().encode(`${head}only this`));
  })();
  const outcome = await origin(new URL(`http://127.0.0.1:${listener.addr.port}/`)).fetch("/a");
  assert.equal(outcome.kind === "failed" && outcome.reason, "truncated");
  await serving;
  listener.close();
});

Deno.test("an origin that answers too slowly comes out as timeout", async () => {
  await withServer(async () => {
    await new Promise((resolve) => setTimeout(resolve, 150));
    return new Response("late");
  }, async (url) => {
    const outcome = await origin(url, { timeoutMs: 30 }).fetch("/a");
    assert.equal(outcome.kind === "failed" && outcome.reason, "timeout");
    await new Promise((resolve) => setTimeout(resolve, 150));
  });
});

Deno.test("an origin that is not there comes out as no_answer", async () => {
  const outcome = await origin(new URL("http://127.0.0.1:1/")).fetch("/a");
  assert.equal(outcome.kind === "failed" && outcome.reason, "no_answer");
});

Deno.test("an aborted fetch comes out as aborted", async () => {
  const signal = AbortSignal.abort();
  const outcome = await origin(new URL("http://127.0.0.1:1/")).fetch("/a", { signal });
  assert.equal(outcome.kind === "failed" && outcome.reason, "aborted");
});

Deno.test("large transfers wait for a place, small ones do not", async () => {
  let [now, most] = [0, 0];
  await withServer(async () => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve, 150));
    now--;
    return new Response("x");
  }, async (url) => {
    const from = origin(url);
    await Promise.all([1, 2, 3, 4, 5].map((n) => from.fetch(`/${n}`, { large: true })));
    assert.equal(most, 2);
  });
});

function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(300)) });
}
