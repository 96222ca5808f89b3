/**
 * Real programs in real pods: an edge on Traffic Server, a shield on Varnish, a bucket as the origin;
 * and what clients see when a part of it is killed under load.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  freePort,
  missingFor,
  missingForS3,
  type RunningStore,
  s3Uploader,
  startS3,
  startStore,
} from "#rigs";
import { programs } from "./programs.ts";

const root = new URL("..", import.meta.url);
const missing = missingFor("ats") ?? missingFor("varnish");
const note = (reason: string | undefined) => reason === undefined ? "" : ` (${reason})`;

interface Running {
  readonly name: string;
  readonly listen: string;
  readonly admin: string;
  metric(pattern: RegExp): Promise<number>;
  end(signal: Deno.Signal): Promise<void>;
}

const children = new Set<Deno.ChildProcess>();

/** Starts a program with the permissions that it ships with, and waits until it is ready. */
async function start(name: string, flags: readonly string[]): Promise<Running> {
  const { main, permissions } = programs.find((program) => program.name === name)!;
  const [port, adminPort] = [freePort(), freePort()];
  const [listen, admin] = [`127.0.0.1:${port}`, `127.0.0.1:${adminPort}`];
  const own = name === "control" ? ["--listen", listen] : ["--listen", listen, "--admin", admin];
  const args = ["run", "--quiet", ...permissions, main, ...own, ...flags];
  const options = { args, cwd: root, stdout: "null", stderr: "piped" } as const;
  const child = new Deno.Command(Deno.execPath(), options).spawn();
  children.add(child);
  let told = "";
  const reading = (async () => {
    for await (const chunk of child.stderr) {
      told = (told + new TextDecoder().decode(chunk)).slice(-2000);
    }
  })();
  const probe = name === "control" ? `http://${listen}/healthz` : `http://${admin}/readyz`;
  for (let tries = 0;; tries++) {
    const answer = await fetch(probe).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer !== undefined && answer.status < 500) break;
    if (tries === 1200) assert.fail(`${name} did not get ready: ${told}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return {
    name,
    listen,
    admin,
    async metric(pattern) {
      const text = await (await fetch(`http://${admin}/metrics`)).text();
      const lines = text.split("\n").filter((line) => pattern.test(line));
      return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
    },
    async end(signal) {
      child.kill(signal);
      await child.status;
      await reading;
      children.delete(child);
    },
  };
}

/** The flags of a node whose store is in its pod. */
async function podFlags(store: RunningStore, dir: string): Promise<string[]> {
  const secret = `${dir}/${store.kind}.secret`;
  await Deno.writeTextFile(secret, `${store.secret}\n`);
  const upstream = `127.0.0.1:${store.upstreamPort}`;
  const url = store.url.href.replace(/\/$/, "");
  return [
    "--store",
    `${store.kind}=${url}`,
    "--store-upstream",
    upstream,
    "--store-secret",
    secret,
  ];
}

async function withFolder(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "downlink-pods-" });
  try {
    await run(dir);
  } finally {
    for (const child of children) {
      child.kill("SIGKILL");
      await child.status;
      await child.stderr.cancel().catch(() => {});
    }
    children.clear();
    await Deno.remove(dir, { recursive: true });
  }
}

async function get(node: Running, path: string, headers: HeadersInit = {}): Promise<string> {
  const response = await fetch(`http://${node.listen}${path}`, { headers });
  return `${response.status} ${await response.text()}`;
}

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !await holds(); tries++) {
    if (tries === 1500) assert.fail(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const common = { sanitizeOps: false, sanitizeResources: false };
const chain = missing ?? missingForS3();

Deno.test({
  ...common,
  name: `edge on ATS, shield on Varnish, origin in S3: hits, ranges, purge by tag, restarts${
    note(chain)
  }`,
  ignore: chain !== undefined,
  fn: () =>
    withFolder(async (dir) => {
      await using stack = new AsyncDisposableStack();
      const [s3, ats, varnish] = await Promise.all([
        startS3(),
        startStore("ats"),
        startStore("varnish"),
      ]);
      for (const server of [s3, ats, varnish]) stack.use(server);
      const upload = s3Uploader(s3, "films");
      await upload("PUT", "");
      const meta = [["x-amz-meta-surrogate-key", "news"], [
        "cache-control",
        "max-age=600",
      ]] as const;
      const large = Buffer.alloc(12_000_000, "0123456789abcdef").toString();
      await upload("PUT", "/vod/a.txt", { fields: [...meta], body: "first" });
      await upload("PUT", "/vod/film.mp4", { fields: [...meta], body: large });
      await Deno.writeTextFile(
        `${dir}/s3`,
        `aws_access_key_id=${s3.accessKeyId}\naws_secret_access_key=${s3.secretAccessKey}\n`,
      );
      const control = await start("control", [
        "--data",
        `${dir}/control`,
        "--admin",
        "127.0.0.1:0",
      ]);
      const joined = ["--control", `http://${control.listen}`];
      const bucket = ["--origin", "s3://films/vod", "--s3-endpoint", s3.endpoint.origin];
      const shield = await start("shield", [
        ...joined,
        ...bucket,
        "--s3-credentials",
        `${dir}/s3`,
        "--data",
        `${dir}/shield`,
        ...await podFlags(varnish, dir),
      ]);
      const edgeFlags = [...joined, "--data", `${dir}/edge`, ...await podFlags(ats, dir)];
      let edge = await start("edge", edgeFlags);
      await eventually(
        "the edge knows the shield",
        async () => await get(edge, "/a.txt") === "200 first",
      );
      assert.equal(await get(edge, "/film.mp4"), `200 ${large}`);
      assert.equal(await get(edge, "/film.mp4", { range: "bytes=11999990-" }), "206 6789abcdef");
      for (const node of [edge, shield]) {
        const kept = new RegExp(`^${node.name}_store_handed_over_total\\{result="kept"\\}`);
        await eventually(`${node.name} handed over`, async () => await node.metric(kept) >= 2);
      }

      await edge.end("SIGTERM");
      edge = await start("edge", edgeFlags);
      assert.equal(await get(edge, "/a.txt"), "200 first");
      assert.equal(await get(edge, "/film.mp4", { range: "bytes=5-9" }), "206 56789");
      assert.equal(await edge.metric(/^edge_cache_fetches_total/), 0, "all of it came from ATS");

      await upload("PUT", "/vod/a.txt", { fields: [...meta], body: "second" });
      assert.equal(await get(edge, "/a.txt"), "200 first");
      const order = await fetch(`http://${edge.admin}/purges`, {
        method: "POST",
        body: JSON.stringify({ kind: "tag", values: ["news"] }),
      });
      assert.equal(order.status, 202);
      const { id } = await order.json();
      await eventually("the purge is completed", async () => {
        const state = await (await fetch(`http://${edge.admin}/purges/${id}`)).json();
        return state.state === "completed";
      });
      assert.equal(await get(edge, "/a.txt"), "200 second");
      assert.equal((await get(edge, "/nothing")).slice(0, 3), "404");
    }),
});

/** An origin that counts what it is asked for. */
function countingOrigin() {
  const counts = new Map<string, number>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    counts.set(pathname, (counts.get(pathname) ?? 0) + 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const headers = { "cache-control": "max-age=600", etag: `"${pathname}"` };
    return new Response(`bytes of ${pathname} `.repeat(2000), { headers });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    counts,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Clients that ask for what `path` names until they are stopped; they count what went wrong. */
function load(node: Running, path: (n: number) => string) {
  let over = false, asked = 0;
  const errors: string[] = [];
  const client = async () => {
    while (!over) {
      const wanted = path(asked++);
      const expected = `200 ${`bytes of ${wanted} `.repeat(2000)}`;
      const got = await get(node, wanted).catch((error) => String(error));
      if (got !== expected) errors.push(`${wanted}: ${got.slice(0, 80)}`);
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
  };
  const clients = Array.from({ length: 8 }, client);
  return {
    get asked() {
      return asked;
    },
    async stop(): Promise<string[]> {
      over = true;
      await Promise.all(clients);
      return errors;
    },
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test({
  ...common,
  name: `ATS killed and back, then the first shield killed, under load: no client sees it${
    note(missing)
  }`,
  ignore: missing !== undefined,
  fn: () =>
    withFolder(async (dir) => {
      await using origin = countingOrigin();
      await using ats = await startStore("ats");
      const first = await start("shield", ["--origin", origin.url]);
      const second = await start("shield", ["--origin", origin.url]);
      const upstream = `http://${first.listen},http://${second.listen}`;
      const small = ["--memory", "2MiB"]; // so that most answers come from ATS
      const edge = await start("edge", [
        "--upstream",
        upstream,
        ...small,
        ...await podFlags(ats, dir),
      ]);
      const cached = (n: number) => `/cached/${n % 60}`;
      for (let n = 0; n < 60; n++) await get(edge, cached(n));
      const kept = /^edge_store_handed_over_total\{result="kept"\}/;
      await eventually("ATS has all", async () => await edge.metric(kept) >= 60);

      const clients = load(edge, cached);
      await pause(300);
      await ats.kill();
      await pause(600);
      await ats.start();
      const found = /^edge_store_requests_total\{kind="look",result="done"\}/;
      const before = await edge.metric(found);
      await eventually("ATS is used again", async () => await edge.metric(found) > before);
      assert.deepEqual(await clients.stop(), []);
      assert.ok(clients.asked > 100);
      assert.ok(await edge.metric(/^edge_store_requests_total\{kind="look",result="away"\}/) > 0);

      const mixed = load(edge, (n) => n % 3 === 0 ? `/new/${n >> 3}` : cached(n));
      await pause(300);
      await first.end("SIGKILL");
      await pause(700);
      assert.deepEqual(await mixed.stop(), []);
      const objects = [...origin.counts].filter(([path]) => path.startsWith("/new/"));
      assert.ok(objects.length > 20);
      // What the first shield had fetched and not handed on when it died is fetched by the second.
      const twice = objects.filter(([, count]) => count > 1);
      assert.ok(twice.length <= 8, `${twice.length} of ${objects.length} twice`);
      assert.ok(objects.every(([, count]) => count <= 2));
      assert.ok(
        [...origin.counts].filter(([path]) => path.startsWith("/cached/"))
          .every(([, count]) => count === 1),
        "what was cached is not fetched again",
      );
    }),
});
