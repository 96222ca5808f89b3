/**
 * The same promises over each kind of store: memory alone, real ATS, real Varnish.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { PurgeKind } from "#purge";
import { missingFor } from "#rigs";
import { type NodeUnderTest, openStoreHome, type StoreHome } from "./store_kinds_rig.ts";

const kinds = ["builtin", "ats", "varnish"] as const;
const homes = new Map<string, Promise<StoreHome>>();

type Run = (node: NodeUnderTest, home: StoreHome) => Promise<void>;

/** Registers one promise for each kind of store. */
function promise(
  name: string,
  run: Run,
  options: { sliceBytes?: number; memoryBytes?: number; podOnly?: boolean } = {},
): void {
  for (const kind of options.podOnly ? ["ats", "varnish"] as const : kinds) {
    const missing = kind === "builtin" ? undefined : missingFor(kind);
    Deno.test({
      name: `${kind}${missing ? ` (${missing})` : ""}: ${name}`,
      ignore: missing !== undefined,
      sanitizeOps: false, // connections to the store rest in a pool
      sanitizeResources: false,
      async fn() {
        if (!homes.has(kind)) homes.set(kind, openStoreHome(kind));
        const home = await homes.get(kind)!;
        const node = home.open(options);
        try {
          await run(node, home);
        } finally {
          await node.close();
        }
      },
    });
  }
}

const fresh = ["cache-control", "max-age=600"] as const;

const pattern = Uint8Array.from({ length: 65_521 }, (_, i) => (i * 31 + (i >> 8)) & 0xff);

/** Bytes that differ with the seed and from place to place. */
function bytesOf(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += pattern.length) {
    bytes.set(pattern.subarray(0, length - at), at);
    bytes[at] = seed;
  }
  return bytes;
}

async function textOf(node: NodeUnderTest, path: string, init?: RequestInit): Promise<string> {
  const response = await node.get(path, init);
  return `${response.status} ${await response.text()}`;
}

async function statusOf(response: Response): Promise<string | null> {
  await response.body?.cancel();
  return response.headers.get("cache-status");
}

promise("a second request is a hit, of every size", async (node) => {
  for (const size of [0, 10, 70_000, 3_000_000, 6_000_000]) {
    const body = bytesOf(size, size);
    node.origin.objects.set(`/${size}?q=1`, {
      fields: [fresh, ["etag", '"a"'], ["x-a", "b"]],
      body,
    });
    for (let i = 0; i < 3; i++) {
      const response = await node.get(`/${size}?q=1`);
      assert.equal(response.headers.get("x-a"), "b");
      assert.equal(Buffer.compare(new Uint8Array(await response.arrayBuffer()), body), 0);
      if (i > 0) {
        assert.match(response.headers.get("cache-status")!, /^node;hit/);
        assert.match(response.headers.get("age")!, /^\d$/);
      }
      await node.settled();
    }
    assert.equal(node.origin.count(`/${size}?q=1`), 1);
  }
});

promise("statuses and fields come back as they were", async (node) => {
  const rows = [[404, "gone"], [301, ""], [299, "odd"], [503, "kept as it says"]] as const;
  for (const [status, body] of rows) {
    const fields = [fresh, ["location", "/x"], ["x-multi", "1"], ["x-multi", "2"]] as const;
    node.origin.objects.set(`/${status}`, { status, body, fields: [...fields] });
    for (let i = 0; i < 2; i++) {
      const response = await node.get(`/${status}`);
      assert.equal(response.status, status);
      assert.equal(response.headers.get("x-multi"), "1, 2");
      assert.equal(response.headers.get("cache-control"), "max-age=600");
      assert.equal(await response.text(), body);
      await node.settled();
    }
    assert.equal(node.origin.count(`/${status}`), 1);
  }
});

promise("ranges are cut from what is stored", async (node) => {
  const body = bytesOf(1, 6_000_000);
  node.origin.objects.set("/film", { fields: [fresh, ["etag", '"f"']], body });
  await (await node.get("/film")).arrayBuffer();
  await node.settled();
  const rows = [
    ["bytes=0-9", 206, [0, 10]],
    ["bytes=5000000-", 206, [5_000_000, 6_000_000]],
    ["bytes=-7", 206, [5_999_993, 6_000_000]],
    ["bytes=1000000-1000009,0-4", 206, undefined],
    ["bytes=7000000-", 416, undefined],
  ] as const;
  for (const [range, status, place] of rows) {
    const response = await node.get("/film", { headers: { range } });
    const received = new Uint8Array(await response.arrayBuffer());
    assert.equal(response.status, status, range);
    if (place) assert.equal(Buffer.compare(received, body.subarray(...place)), 0, range);
  }
  assert.equal(node.origin.count("/film"), 1);
});

promise("large objects come in slices, and are read again from them", async (node) => {
  const body = bytesOf(2, 1_000_000);
  const fields = [fresh, ["etag", '"s"'], ["accept-ranges", "bytes"]] as const;
  node.origin.objects.set("/film", { fields: [...fields], body });
  const range = async (from: number, to: number) => {
    const headers = { range: `bytes=${from}-${to - 1}` };
    const response = await node.get("/film", { headers });
    const received = new Uint8Array(await response.arrayBuffer());
    assert.equal(Buffer.compare(received, body.subarray(from, to)), 0, `${from}-${to}`);
  };
  await range(300_000, 300_010);
  await range(0, 200_000);
  await node.settled();
  const asked = node.origin.asked.length;
  await range(0, 150_000);
  await range(300_100, 310_000);
  assert.equal(node.origin.asked.length, asked, "all of it is stored");
}, { sliceBytes: 100_000 });

promise("variants are kept by what chose them", async (node) => {
  for (const coding of ["gzip", "br", ""]) {
    const fields = [fresh, ["vary", "accept-encoding"], ["content-encoding", coding || "identity"]];
    node.origin.objects.set("/v", { fields: fields as [string, string][], body: `in ${coding}` });
    const headers = { "accept-encoding": coding };
    assert.equal(await textOf(node, "/v", { headers }), `200 in ${coding}`);
    await node.settled();
  }
  for (const coding of ["gzip", "br", ""]) {
    const headers = { "accept-encoding": coding };
    assert.equal(await textOf(node, "/v", { headers }), `200 in ${coding}`);
  }
  assert.equal(node.origin.count("/v"), 3);
});

promise("many who want the same at once are one fetch, stored or not", async (node) => {
  node.origin.objects.set("/live", {
    fields: [fresh],
    body: bytesOf(3, 900_000),
    chunks: 5,
    waitMs: 20,
  });
  const answers = await Promise.all(Array.from({ length: 40 }, () => node.get("/live")));
  for (const answer of answers) assert.equal((await answer.arrayBuffer()).byteLength, 900_000);
  assert.equal(node.origin.count("/live"), 1);
  await node.settled();
  const again = await Promise.all(Array.from({ length: 20 }, () => node.get("/live")));
  for (const answer of again) assert.equal((await answer.arrayBuffer()).byteLength, 900_000);
  assert.equal(node.origin.count("/live"), 1);
});

promise("what may not be stored never waits in line", async (node) => {
  const fields = [["cache-control", "private, no-store"]] as const;
  node.origin.objects.set("/me", { fields: [...fields], body: "mine", waitMs: 100 });
  await textOf(node, "/me");
  let most = 0, now = 0;
  const fetch = node.origin.fetch.bind(node.origin);
  node.origin.fetch = async (request) => {
    most = Math.max(most, ++now);
    return await fetch(request).finally(() => now--);
  };
  await Promise.all(Array.from({ length: 6 }, () => textOf(node, "/me")));
  assert.equal(most, 6, "all six at the same time");
});

promise("what went stale is confirmed, and its bytes stay", async (node) => {
  for (const size of [100, 5_000_000]) {
    const body = bytesOf(4, size);
    const fields = [["cache-control", "max-age=0"], ["etag", '"e"']] as const;
    node.origin.objects.set(`/${size}`, { fields: [...fields], body });
    for (let i = 0; i < 3; i++) {
      const response = await node.get(`/${size}`);
      assert.equal(Buffer.compare(new Uint8Array(await response.arrayBuffer()), body), 0);
      await node.settled();
    }
    const conditional = node.origin.asked.filter(({ target, fields }) =>
      target === `/${size}` && fields.some(([name]) => name === "if-none-match")
    );
    assert.equal(conditional.length, 2);
    // The head that a 304 brought is the one that counts from then on.
    const longer = [["cache-control", "max-age=600"], ["etag", '"e"'], ["x-new", "1"]] as const;
    node.origin.objects.set(`/${size}`, { fields: [...longer], body });
    await (await node.get(`/${size}`)).arrayBuffer();
    await node.settled();
    const response = await node.get(`/${size}`);
    assert.equal(response.headers.get("x-new"), "1");
    assert.match((await statusOf(response))!, /node;hit/);
  }
});

promise("stale stands in while it is revalidated, and when the origin fails", async (node) => {
  const control = "max-age=0, stale-while-revalidate=60, stale-if-error=60";
  node.origin.objects.set("/a", { fields: [["cache-control", control]], body: "old" });
  assert.equal(await textOf(node, "/a"), "200 old");
  await node.settled();
  node.origin.objects.set("/a", { fields: [["cache-control", control]], body: "new" });
  assert.equal(await textOf(node, "/a"), "200 old");
  for (let tries = 0; await textOf(node, "/a") !== "200 new"; tries++) {
    assert.ok(tries < 3000);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await node.settled();
  node.origin.down = true;
  assert.equal(await textOf(node, "/a"), "200 new");
});

promise("a POST makes what it changed invalid", async (node) => {
  for (const size of [10, 5_000_000]) {
    const path = `/${size}`;
    node.origin.objects.set(path, { fields: [fresh], body: bytesOf(1, size) });
    await (await node.get(path)).arrayBuffer();
    await node.settled();
    node.origin.objects.set(path, { fields: [fresh], body: bytesOf(2, size) });
    await (await node.get(path, { method: "POST", body: "x" })).body?.cancel();
    const after = new Uint8Array(await (await node.get(path)).arrayBuffer());
    assert.equal(Buffer.compare(after, bytesOf(2, size)), 0);
    await node.settled();
  }
});

promise("HEAD and only-if-cached are answered from what is stored", async (node) => {
  node.origin.objects.set("/a", { fields: [fresh], body: bytesOf(1, 100_000) });
  const only = { headers: { "cache-control": "only-if-cached" } };
  assert.equal((await node.get("/a", only)).status, 504);
  await (await node.get("/a")).arrayBuffer();
  await node.settled();
  const head = await node.get("/a", { method: "HEAD" });
  assert.equal(head.headers.get("content-length"), "100000");
  assert.equal((await (await node.get("/a", only)).arrayBuffer()).byteLength, 100_000);
  assert.equal(node.origin.asked.length, 1);
});

for (const size of [30, 200_000, 5_000_000]) {
  promise(
    `a purge of every kind takes ${size} bytes, a soft one marks them stale`,
    async (node) => {
      const rows = [
        ["url", "/news/a?b=1"],
        ["prefix", "/news"],
        ["tag", "one"],
        ["all", ""],
      ] as const;
      for (const [kind, value] of rows) {
        const tags = ["surrogate-key", "front one"] as const;
        const etag = ["etag", `"${kind}"`] as const;
        node.origin.objects.set("/news/a?b=1", {
          fields: [fresh, tags, etag],
          body: bytesOf(1, size),
        });
        node.origin.objects.set("/film/a", { fields: [fresh], body: "other" });
        const get = async () => new Uint8Array(await (await node.get("/news/a?b=1")).arrayBuffer());
        await get();
        await textOf(node, "/film/a");
        await node.settled();
        const asked = node.origin.count("/news/a?b=1");
        assert.equal(Buffer.compare(await get(), bytesOf(1, size)), 0);
        assert.equal(node.origin.count("/news/a?b=1"), asked, "stored");

        node.purge(kind, value, true);
        assert.equal(
          Buffer.compare(await get(), bytesOf(1, size)),
          0,
          "stale while it is asked for",
        );
        for (let tries = 0; node.origin.count("/news/a?b=1") === asked; tries++) {
          assert.ok(tries < 3000);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        await node.settled();

        node.origin.objects.set("/news/a?b=1", { fields: [fresh, tags], body: bytesOf(2, size) });
        node.purge(kind, value);
        assert.equal(Buffer.compare(await get(), bytesOf(2, size)), 0, `gone after ${kind}`);
        await node.settled();
        assert.equal(Buffer.compare(await get(), bytesOf(2, size)), 0);
        const others = node.origin.count("/film/a");
        await textOf(node, "/film/a");
        assert.equal(node.origin.count("/film/a"), others + (kind === "all" ? 1 : 0));
        node.purge("all", "");
      }
    },
  );
}

promise("a purge during a fetch keeps what arrives from being served later", async (node) => {
  for (const size of [500, 3_000_000]) {
    const tags = ["surrogate-key", "t"] as const;
    const path = `/${size}`;
    const fields = [fresh, tags];
    node.origin.objects.set(path, { fields, body: bytesOf(1, size), chunks: 4, waitMs: 30 });
    const first = await node.get(path);
    node.purge("tag", "t");
    node.origin.objects.set(path, { fields, body: bytesOf(2, size) });
    await first.arrayBuffer();
    await node.settled();
    const after = new Uint8Array(await (await node.get(path)).arrayBuffer());
    assert.equal(Buffer.compare(after, bytesOf(2, size)), 0);
  }
});

promise("a peer ahead of this node is not answered from what is stored", async (node) => {
  node.origin.objects.set("/a", { fields: [fresh], body: "old" });
  await textOf(node, "/a");
  await node.settled();
  node.origin.objects.set("/a", { fields: [fresh], body: "new" });
  assert.equal(await textOf(node, "/a", { headers: { "purge-seq": "5" } }), "200 new");
});

promise("what purges took is removed in the background", async (node, home) => {
  const tags = ["surrogate-key", "a(b front"] as const;
  for (const path of ["/x/1", "/x/2?c=d", "/y"]) {
    node.origin.objects.set(path, { fields: [fresh, tags], body: "bytes" });
    await textOf(node, path);
  }
  await node.settled();
  const shown = async (path: string) => {
    const recalled = await node.store.recall?.({ key: path, fields: [], wanted: () => true });
    const found = node.store.find(path).length;
    recalled?.release();
    return found;
  };
  const again = node.restarted(); // with nothing in memory
  const stored = async () =>
    await Promise.all(["/x/1", "/x/2?c=d", "/y"].map(async (key) => {
      const recalled = await again.store.recall?.({ key, fields: [], wanted: () => true });
      recalled?.release();
      return recalled !== undefined;
    }));
  assert.deepEqual(await stored(), [true, true, true], home.kind);
  node.purge("prefix", "/x");
  await node.removed();
  await node.settled();
  const third = node.restarted();
  const left = async (key: string) =>
    await third.store.recall?.({ key, fields: [], wanted: () => true }) !== undefined;
  assert.deepEqual([await left("/x/1"), await left("/x/2?c=d"), await left("/y")], [
    false,
    false,
    true,
  ]);
  node.purge("tag", "a(b");
  await node.removed();
  await node.settled();
  assert.equal(
    await node.restarted().store.recall?.({ key: "/y", fields: [], wanted: () => true }),
    undefined,
  );
  assert.equal(await shown("/nothing"), 0);
}, { podOnly: true });

promise("another process finds what was stored, as far as no purge took it", async (node) => {
  const tags = ["surrogate-key", "t"] as const;
  for (const [path, size] of [["/a", 50], ["/b", 5_000_000]] as const) {
    node.origin.objects.set(path, { fields: [fresh, tags], body: bytesOf(1, size) });
    await (await node.get(path)).arrayBuffer();
  }
  await node.settled();
  const asked = node.origin.asked.length;
  const second = node.restarted();
  for (const path of ["/a", "/b"]) await (await second.get(path)).arrayBuffer();
  assert.equal(second.origin.asked.length, asked);
  node.purge("tag", "t");
  const third = node.restarted();
  await (await third.get("/a")).arrayBuffer();
  assert.equal(third.origin.asked.length, asked + 1);
}, { podOnly: true });

promise("who has applied a purge serves nothing that it covers, under load", async (node) => {
  const paths = ["/n/1", "/n/2", "/f/1"];
  let version = 1;
  const publish = () => {
    for (const path of paths) {
      const size = path === "/f/1" ? 20_000 : 200;
      const fields = [fresh, ["surrogate-key", "t"], ["etag", `"v${version}"`]] as const;
      const body = `v${version} `.repeat(size);
      node.origin.objects.set(path, { fields: [...fields], body, chunks: 3, waitMs: 1 });
    }
  };
  publish();
  let over = false;
  const client = async (n: number) => {
    for (let i = 0; !over; i++) {
      const path = paths[(n + i) % paths.length];
      const oldest = version;
      const headers: Record<string, string> = i % 5 === 0 ? { range: "bytes=0-99" } : {};
      const text = await (await node.get(path, { headers })).text();
      const served = parseInt(text.slice(1));
      const same = `v${served} `.repeat(1 + text.length / 3).startsWith(text);
      assert.ok(same, `${path} mixes versions`);
      assert.ok(served >= oldest, `${path}: served ${served}, need ${oldest}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  const purger = async () => {
    const kinds = [["tag", "t"], ["all", ""], ["prefix", "/"]] as const;
    for (let i = 0; i < 40; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      version++;
      publish();
      node.purge(...(kinds[i % kinds.length] as [PurgeKind, string]));
    }
    over = true;
  };
  await Promise.all([purger(), ...Array.from({ length: 8 }, (_, n) => client(n))]);
});

promise(
  "a store that is killed costs no client an answer, and is used again",
  async (node, home) => {
    const { running } = home;
    const body = bytesOf(9, 20_000_000);
    node.origin.objects.set("/film", { fields: [fresh, ["etag", '"f"']], body });
    node.origin.objects.set("/a", { fields: [fresh], body: "small" });
    await (await node.get("/film")).arrayBuffer();
    await textOf(node, "/a");
    await node.settled();
    const reading = (await node.get("/film")).body!.getReader();
    let received = (await reading.read()).value!.length;
    await running!.kill();
    for (let next = await reading.read(); !next.done; next = await reading.read()) {
      received += next.value.length;
    }
    assert.equal(received, body.length, "the rest came from the next hop");
    for (let i = 0; i < 5; i++) {
      assert.equal(await textOf(node, "/a"), "200 small");
      assert.equal((await (await node.get("/film")).arrayBuffer()).byteLength, body.length);
    }
    await running!.start();
    await new Promise((resolve) => setTimeout(resolve, 1000)); // it is left alone for that long
    assert.equal(await textOf(node, "/a"), "200 small");
    await node.settled();
    const asked = node.origin.count("/a");
    assert.equal(await textOf(node, "/a"), "200 small");
    assert.equal(node.origin.count("/a"), asked);
  },
  { podOnly: true },
);

promise("PURGE, BAN and every other request from anyone but the worker are refused", async (
  node,
  home,
) => {
  node.origin.objects.set("/a", { fields: [fresh], body: "kept" });
  await textOf(node, "/a");
  await node.settled();
  const { url, secret } = home.running!;
  const say = async (method: string, headers: Record<string, string>, localHost = "127.0.0.1") => {
    const args = ["-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", method, "-m", "5"];
    for (const [name, value] of Object.entries(headers)) args.push("-H", `${name}: ${value}`);
    args.push("--interface", localHost, `${url.href}a`);
    const { stdout } = await new Deno.Command("curl", { args }).output();
    return new TextDecoder().decode(stdout);
  };
  for (const method of ["GET", "PURGE", "BAN", "DELETE"]) {
    assert.notEqual(await say(method, {}), "200", `${method} without the secret`);
    assert.match(await say(method, { "downlink-secret": `${secret}x` }), /403|000|405/);
    const other = await say(method, { "downlink-secret": secret }, "127.0.0.2");
    assert.match(other, /403|000/, `${method} from another address`);
  }
  const asked = node.origin.asked.length;
  assert.equal(await textOf(node, "/a"), "200 kept");
  assert.equal(node.origin.asked.length, asked, "it is still there");
}, { podOnly: true });

Deno.test({
  name: "the stores are stopped",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    for (const home of homes.values()) await (await home).close();
  },
});
