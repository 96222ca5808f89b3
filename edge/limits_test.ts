import assert from "node:assert/strict";

const root = new URL("..", import.meta.url);
const permissions = [
  "--no-prompt",
  "--allow-net",
  "--allow-env=DOWNLINK_*,NOTIFY_SOCKET,WATCHDOG_USEC",
  "--allow-read",
  "--allow-write",
];

const hasRedis = (Deno.env.get("PATH") ?? "").split(":").some((folder) => {
  try {
    return Deno.statSync(`${folder}/redis-server`).isFile;
  } catch {
    return false;
  }
});

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

/** Programs that a test started; they end with it, whatever became of it. */
class Programs implements AsyncDisposable {
  readonly #children: Deno.ChildProcess[] = [];

  run(command: string, args: readonly string[]): Deno.ChildProcess {
    const child = new Deno.Command(command, {
      args: [...args],
      cwd: root,
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#children.push(child);
    return child;
  }

  /** Starts an edge or control and waits until it is ready. */
  async program(main: string, flags: readonly string[]) {
    const [listen, admin] = [freePort(), freePort()];
    const child = this.run(Deno.execPath(), [
      "run",
      "--quiet",
      ...permissions,
      main,
      "--listen",
      `127.0.0.1:${listen}`,
      "--admin",
      `127.0.0.1:${admin}`,
      ...flags,
    ]);
    await eventually(`${main} is ready`, async () => {
      const answer = await fetch(`http://127.0.0.1:${admin}/readyz`).catch(() => undefined);
      await answer?.body?.cancel();
      return answer?.status === 200;
    });
    return { child, url: `http://127.0.0.1:${listen}`, admin: `http://127.0.0.1:${admin}` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      try {
        child.kill("SIGKILL");
      } catch {
        // It ended by itself.
      }
      await child.status;
      await child.stderr.cancel().catch(() => {});
    }
  }
}

async function eventually(what: string, probe: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1200; tries++) {
    if (await probe()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(`never came true: ${what}`);
}

const text = async (url: string) => await (await fetch(url)).text();

/** Asks as often as told, and counts the answers by status. */
async function ask(times: number, url: () => string): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (let n = 0; n < times; n++) {
    const { status, body } = await fetch(url());
    await body?.cancel();
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

/** 30 requests for all, and next to nothing comes back meanwhile. */
const live = { name: "live", per: "class", paths: ["/live/"], quota: 30, windowSeconds: 3600 };

Deno.test({
  name: `two edges hold one limit through Redis, with a password, and alone when it is gone${
    hasRedis ? "" : " (skipped: no redis-server here)"
  }`,
  ignore: !hasRedis,
  async fn() {
    const dir = await Deno.makeTempDir({ prefix: "downlink-limits-" });
    await using programs = new Programs();
    await using origin = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
      return new Response("x", { headers: { "cache-control": "max-age=600" } });
    });
    const port = freePort();
    const secret = "a-password-that-no-log-shows";
    await Deno.writeTextFile(`${dir}/password`, `${secret}\n`);
    const limits = { policies: [{ ...live, shared: true }] };
    await Deno.writeTextFile(`${dir}/limits.json`, JSON.stringify(limits));
    const redis = programs.run("redis-server", [
      ...["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", dir],
      ...["--requirepass", secret],
    ]);
    const edge = (name: string) =>
      programs.program("edge/main.ts", [
        ...["--upstream", `http://127.0.0.1:${origin.addr.port}`, "--node-id", name],
        ...["--buckets", `${dir}/limits.json`, "--redis", `redis://127.0.0.1:${port}`],
        ...["--redis-password-file", `${dir}/password`],
      ]);
    const edges = [await edge("one"), await edge("two")];
    const leases = async (value: number) =>
      (await Promise.all(edges.map(({ admin }) => text(`${admin}/metrics`))))
        .every((metrics) => metrics.includes(`\nedge_ratelimit_degraded ${value}\n`));
    await eventually("both lease", () => leases(0));
    let n = 0;
    const counts = await ask(200, () => `${edges[n++ % 2].url}/live/1`);
    // The promise: the limit, and the credit of two nodes that did not know of each other.
    assert.ok(counts[200] >= 28 && counts[200] <= 30 + 2 * 30, JSON.stringify(counts));
    assert.equal(counts[200] + counts[429], 200);
    assert.deepEqual(await ask(5, () => `${edges[0].url}/vod/1`), { 200: 5 });
    redis.kill("SIGKILL");
    await eventually("both say that they are alone", () => leases(1));
    assert.deepEqual(await ask(5, () => `${edges[0].url}/vod/1`), { 200: 5 });
    const metrics = await text(`${edges[0].admin}/metrics`);
    assert.match(
      metrics,
      /^edge_ratelimit_decisions_total\{policy="live",decision="refused"\} \d+/m,
    );
    assert.match(metrics, /^edge_redis_faults_total\{fault="unreachable"\} [1-9]/m);
    for (const { child } of edges) {
      child.kill("SIGTERM");
      const log = await new Response(child.stderr).text();
      assert.ok(log.includes("shared limits") && !log.includes(secret), log.slice(0, 500));
      assert.equal((await child.status).code, 0);
    }
    await Deno.remove(dir, { recursive: true });
  },
});

Deno.test("limits that control declares reach the edge, and leave it again", async () => {
  const dir = await Deno.makeTempDir({ prefix: "downlink-limits-" });
  await using programs = new Programs();
  await using origin = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
    return new Response("x", { headers: { "cache-control": "max-age=600" } });
  });
  const control = await programs.program("control/main.ts", ["--data", `${dir}/control`]);
  const edge = await programs.program("edge/main.ts", [
    ...["--upstream", `http://127.0.0.1:${origin.addr.port}`],
    ...["--control", control.url, "--data", `${dir}/edge`],
  ]);
  const declare = async (buckets: unknown) => {
    const body = JSON.stringify({ buckets });
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${control.url}/topology/declared`, {
      method: "PUT",
      headers,
      body,
    });
    return { status: answer.status, text: await answer.text() };
  };
  const refused = await declare({ policies: [{ ...live, quota: 0 }] });
  assert.equal(refused.status, 400);
  assert.match(refused.text, /need buckets\.policies\[0\]\.quota to be >=1: received 0/);
  assert.equal((await declare({ policies: [live] })).status, 200);
  await eventually("the limit holds", async () => {
    return (await ask(40, () => `${edge.url}/live/1`))[429] > 0;
  });
  assert.equal((await declare({ policies: [] })).status, 200);
  await eventually("the limit is gone", async () => {
    return (await ask(5, () => `${edge.url}/live/1`))[429] === undefined;
  });
  await Deno.remove(dir, { recursive: true });
});

// What an operator gets wrong, and the one sentence that says so.
const mistakes = [
  {
    flags: ["--redis", "redis://user:secret@127.0.0.1:6379"],
    says: /^Cannot use --redis: need a URL without user and password, see --redis-password-file\n$/,
  },
  {
    flags: ["--redis", "http://127.0.0.1"],
    says: /^Cannot use --redis: need a redis or rediss URL .*: received http:\/\/127.0.0.1\n$/,
  },
  {
    flags: ["--redis", "redis://127.0.0.1", "--redis-password-file", "/nowhere"],
    says: /^Cannot use --redis-password-file: need a readable file: received .*\n$/,
  },
  { flags: ["--buckets", "/nowhere"], says: /^Cannot use --buckets: need a readable JSON file: / },
  {
    flags: ["--buckets", "deno.json"],
    says: /^Cannot use --buckets: need .* as \w+: received .* in deno.json\n$/,
  },
  { flags: ["--client-field", "a b"], says: /^Cannot use --client-field: need a field name: / },
];

for (const { flags, says } of mistakes) {
  Deno.test(`an edge with ${flags.join(" ").replace("secret", "...")} does not start`, async () => {
    const args = [
      "run",
      "--quiet",
      ...permissions,
      "edge/main.ts",
      "--upstream",
      "http://127.0.0.1",
    ];
    const ports = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...args, ...ports, ...flags],
      cwd: root,
    }).output();
    const said = new TextDecoder().decode(stderr);
    assert.equal(code, 2);
    assert.match(said, says);
    assert.ok(!said.includes("secret"), said);
  });
}
