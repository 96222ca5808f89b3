/**
 * What an upstream may do to a real edge: each hazard has a bound, a clean answer and a metric, and
 * nothing of it is stored (docs/limits.md).
 *
 * @module
 */

import assert from "node:assert/strict";
import { eventually, type RawAnswer, rawUpstream, send, startEdge } from "./edge_rig.ts";

const ok = "HTTP/1.1 200 OK\r\ncache-control: max-age=600\r\n";
const chunked = `${ok}transfer-encoding: chunked\r\n\r\n`;

/** Sends the same again and again until the edge has had enough. */
const forEver = async (conn: Deno.Conn, piece: string | Uint8Array) => {
  while (true) await send(conn, piece);
};

interface Hazard {
  readonly what: string;
  readonly answer: RawAnswer;
  /** A status, or `cut` when the head had gone out already. */
  readonly client: number | "cut";
  /** Labels of the metric that counts it; of `edge_next_hop_failures_total` where no head came. */
  readonly metric: string;
}

const noHead: readonly Hazard[] = [
  { what: "says nothing", answer: () => Promise.resolve(), client: 504, metric: "timeout" },
  { what: "closes at once", answer: () => Promise.resolve("close"), client: 502, metric: "reset" },
  {
    what: "stalls within its head",
    answer: (conn) => send(conn, `${ok}content-len`),
    client: 504,
    metric: "timeout",
  },
  {
    what: "closes within its head",
    answer: (conn) => send(conn, `${ok}content-len`).then(() => "close"),
    client: 502,
    metric: "reset",
  },
  {
    what: "dribbles its head",
    async answer(conn) {
      for (const octet of `${ok}x: ${"y".repeat(1000)}`) {
        await send(conn, octet);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    client: 504,
    metric: "timeout",
  },
  {
    what: "sends garbage",
    answer: (conn) => send(conn, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    client: 502,
    metric: "malformed",
  },
  {
    what: "sends garbage that begins well",
    answer: (conn) => send(conn, "HTTP/1.1 200 OK\r\nno colon here\r\n\r\nbody"),
    client: 502,
    metric: "malformed",
  },
  {
    what: "sends an endless head",
    answer: (conn) => send(conn, ok).then(() => forEver(conn, `x: ${"y".repeat(1000)}\r\n`)),
    client: 502,
    metric: "malformed",
  },
  {
    what: "sends a field line without end",
    answer: (conn) => send(conn, `${ok}x: `).then(() => forEver(conn, "y".repeat(4096))),
    client: 502,
    metric: "malformed",
  },
  {
    what: "sends too many fields",
    answer: (conn) => send(conn, `${ok}${"x: y\r\n".repeat(300)}\r\n`),
    client: 502,
    metric: "malformed",
  },
  {
    what: "sends 1xx answers without end",
    answer: (conn) => forEver(conn, "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"),
    client: 502,
    metric: "malformed",
  },
  {
    what: "switches protocols unasked",
    answer: (conn) => send(conn, "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n"),
    client: 502,
    metric: "malformed",
  },
  {
    what: "says two lengths",
    answer: (conn) => send(conn, `${ok}content-length: 4\r\ncontent-length: 5\r\n\r\nbody!`),
    client: 502,
    metric: "malformed",
  },
  {
    what: "says a length and a coding",
    answer: (conn) =>
      send(conn, `${ok}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`),
    client: 502,
    metric: "malformed",
  },
  {
    what: "says a length that is none",
    answer: (conn) => send(conn, `${ok}content-length: -4\r\n\r\nbody`),
    client: 502,
    metric: "malformed",
  },
];

const brokenBody: readonly Hazard[] = [
  {
    what: "closes short of its length",
    answer: (conn) => send(conn, `${ok}content-length: 10\r\n\r\nshort`).then(() => "close"),
    client: "cut",
    metric: "reset",
  },
  {
    what: "stalls within its body",
    answer: (conn) => send(conn, `${ok}content-length: 10\r\n\r\nshort`),
    client: "cut",
    metric: "timeout",
  },
  {
    what: "closes without its last chunk",
    answer: (conn) => send(conn, `${chunked}4\r\nbody\r\n`).then(() => "close"),
    client: "cut",
    metric: "reset",
  },
  {
    what: "sends a chunk size that is none",
    answer: (conn) => send(conn, `${chunked}4\r\nbody\r\nxyz\r\n`),
    client: "cut",
    metric: "malformed",
  },
  {
    what: "sends a chunk size beyond numbers",
    answer: (conn) => send(conn, `${chunked}4\r\nbody\r\nffffffffffffffff\r\n`),
    client: "cut",
    metric: "malformed",
  },
  {
    what: "sends a chunk longer than it said",
    answer: (conn) => send(conn, `${chunked}4\r\nbody!!\r\n0\r\n\r\n`),
    client: "cut",
    metric: "malformed",
  },
  {
    what: "sends chunk extensions without end",
    answer: (conn) => send(conn, `${chunked}4\r\nbody\r\n4`).then(() => forEver(conn, ";a=b")),
    client: "cut",
    metric: "malformed",
  },
  {
    what: "sends huge trailers",
    answer: (conn) =>
      send(conn, `${chunked}4\r\nbody\r\n0\r\n`).then(() => forEver(conn, "x: y\r\n")),
    client: "cut",
    metric: "malformed",
  },
];

const upstreamTimes = ["--upstream-head-timeout", "400ms", "--upstream-silence-timeout", "400ms"];

const fetchStatus = async (url: string): Promise<number | "cut"> => {
  const response = await fetch(url);
  try {
    await response.arrayBuffer();
    return response.status;
  } catch {
    return "cut";
  }
};

Deno.test("an edge outlives every hazard of an upstream, tells its client, counts it and stores nothing", async (t) => {
  const hazards = new Map([...noHead, ...brokenBody].map((each, i) => [`/${i}`, each]));
  using upstream = rawUpstream(async (conn, asked) => {
    const hazard = hazards.get(asked.path.replace(/\?.*/, ""));
    if (hazard !== undefined) return await hazard.answer(conn, asked);
    await send(conn, `${ok}content-length: 5\r\n\r\nwhole`);
  });
  const stale = ["--stale-on-error", "0s"];
  await using edge = await startEdge("--upstream", upstream.url, ...upstreamTimes, ...stale);
  const counted = (hazard: Hazard) =>
    noHead.includes(hazard)
      ? edge.metric("edge_next_hop_failures_total", `reason="${hazard.metric}"`)
      : edge.metric("edge_cache_fetches_total", 'result="failed"', `reason="${hazard.metric}"`);
  for (const [path, hazard] of hazards) {
    await t.step(`it ${hazard.what}`, async () => {
      const before = await counted(hazard);
      assert.equal(await fetchStatus(`${edge.url}${path}`), hazard.client);
      await eventually("it is counted", async () => await counted(hazard) > before);
      const asked = upstream.asked(path);
      assert.equal(await fetchStatus(`${edge.url}${path}`), hazard.client, "the second time, too");
      assert.ok(upstream.asked(path) > asked, "nothing was stored");
    });
  }
  await t.step("and it serves on", async () => {
    const whole = async () => await (await fetch(`${edge.url}/whole`)).text();
    assert.deepEqual([await whole(), await whole()], ["whole", "whole"]);
    assert.equal(upstream.asked("/whole"), 1);
    assert.equal(await edge.metric("edge_cache_objects"), 1);
    assert.ok(await edge.metric("process_resident_memory_bytes") < 600e6);
  });
});

Deno.test("what an upstream sends beyond its length goes to nobody, and never answers another request", async () => {
  using upstream = rawUpstream(async (conn, { path }) => {
    const evil = `${ok}content-length: 4\r\n\r\nevil`;
    await send(conn, `${ok}content-length: 4\r\n\r\n${path === "/long" ? `good${evil}` : "good"}`);
  });
  await using edge = await startEdge("--upstream", upstream.url);
  for (const path of ["/long", "/next", "/long", "/after"]) {
    assert.equal(await (await fetch(`${edge.url}${path}`)).text(), "good");
  }
});

Deno.test("a body without end goes to its reader as fast as he reads, and is not kept", async () => {
  using upstream = rawUpstream(async (conn, { count }) => {
    await send(conn, `${ok}\r\n`);
    if (count === 1) await forEver(conn, new Uint8Array(65_536));
    return "close";
  });
  await using edge = await startEdge("--upstream", upstream.url, "--memory", "16MiB");
  const response = await fetch(`${edge.url}/endless`);
  const reader = response.body!.getReader();
  for (let bytes = 0; bytes < 64 * 2 ** 20;) bytes += (await reader.read()).value?.length ?? 0;
  await new Promise((resolve) => setTimeout(resolve, 200)); // the upstream would send gigabytes
  assert.ok(await edge.metric("edge_cache_fetched_bytes_total") === 0, "it is still under way");
  assert.ok(await edge.metric("process_resident_memory_bytes") < 400e6);
  await reader.cancel();
  await eventually(
    "it was given up",
    async () =>
      await edge.metric("edge_cache_fetches_total", 'result="failed"', 'reason="aborted"') === 1,
  );
  assert.equal(await edge.metric("edge_cache_objects"), 0);
});

/** Every way to say where a body ends, but by the end of the connection. */
const framings = [
  { name: "length", bytes: `${ok}content-length: 40\r\n\r\n${"0123456789".repeat(4)}` },
  {
    name: "chunks",
    bytes: `${chunked}14\r\n${"0123456789".repeat(2)}\r\n14;a=b\r\n${"0123456789".repeat(2)}\r\n` +
      "0\r\n\r\n",
  },
  {
    name: "trailers",
    bytes: `${chunked}28\r\n${"0123456789".repeat(4)}\r\n0\r\nx-digest: abc\r\n\r\n`,
  },
];

for (const store of ["memory", "disk"]) {
  Deno.test(`an answer cut after any octet leaves nothing in the cache: ${store}`, async () => {
    using upstream = rawUpstream(async (conn, { path, count }) => {
      const [, name, cut] = path.split("/");
      const { bytes } = framings.find((framing) => framing.name === name)!;
      if (Number(cut) >= 0 && count <= 2) { // twice: an unused answer is asked for again
        await send(conn, bytes.slice(0, Number(cut)));
        return "close";
      }
      await send(conn, bytes);
    });
    const dir = await Deno.makeTempDir({ prefix: "downlink-cut-" });
    try {
      const flags = store === "disk" ? ["--disk", dir, "--disk-size", "64MiB"] : [];
      await using edge = await startEdge("--upstream", upstream.url, ...flags);
      const ask = async (path: string) => {
        const response = await fetch(`${edge.url}${path}`);
        return { status: response.status, text: await response.text().catch(() => "cut") };
      };
      const cuts = framings.flatMap(({ name, bytes }) =>
        Array.from({ length: bytes.length }, (_, cut) => `/${name}/${cut}`)
      );
      const check = async (path: string) => {
        for (let turn = 0; upstream.asked(path) < 2; turn++) {
          const { status, text } = await ask(path);
          assert.ok(status === 502 || text === "cut", `${path}: ${status} ${text}`);
          assert.ok(turn < 3, `${path} was answered from the cache`);
        }
        assert.deepEqual(await ask(path), { status: 200, text: "0123456789".repeat(4) }, path);
      };
      for (let at = 0; at < cuts.length; at += 32) {
        await Promise.all(cuts.slice(at, at + 32).map(check));
      }
      assert.equal(await edge.metric("edge_cache_objects", 'tier="memory"'), cuts.length);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}
