import assert from "node:assert/strict";

const root = new URL("..", import.meta.url);
const example = new URL("./examples/three_regions.yaml", import.meta.url);

/** Programs that run now; whatever a test leaves is killed at its end. */
const running = new Map<Deno.ChildProcess, Promise<unknown>>();

interface Program {
  readonly url: string;
  readonly child: Deno.ChildProcess;
}

/** Starts a real program on ports of the system's choice and waits until it is ready. */
async function start(main: string, flags: readonly string[], url: string): Promise<Program> {
  const admin = freePort();
  const args = ["run", "-A", "-q", "--no-check", main, "--admin", `127.0.0.1:${admin}`, ...flags];
  const options = { args, cwd: root, stdout: "null", stderr: "null" } as const;
  const child = new Deno.Command(Deno.execPath(), options).spawn();
  running.set(child, child.status.then(() => running.delete(child)));
  const ready = async () => {
    const answer = await fetch(`http://127.0.0.1:${admin}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.status === 200;
  };
  await until(`${main} is ready`, ready);
  return { url, child };
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

/** Waits until `holds`, for at most twenty seconds. */
async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  while (!await holds()) {
    assert.ok(performance.now() < deadlineMs, `never came true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

Deno.test("three regions: clients to edges, edges to shields, around what is drained or dead", async () => {
  const dir = await Deno.makeTempDir({ prefix: "downlink-regions-" });
  const asked: string[] = [];
  const origin = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname, search } = new URL(request.url);
    asked.push(pathname + search);
    return new Response(pathname); // it says nothing of freshness
  });
  const [controlPort, routerPort] = [freePort(), freePort()];
  const control = `http://127.0.0.1:${controlPort}`;
  const router = `http://127.0.0.1:${routerPort}`;
  const cache = (role: "edge" | "shield", id: string, group: string) => {
    const port = freePort();
    const flags = ["--listen", `127.0.0.1:${port}`, "--control", control, "--node-id", id];
    const more = role === "shield" ? ["--origin", `http://127.0.0.1:${origin.addr.port}`] : [];
    const place = ["--cache-group", group, "--data", `${dir}/${id}`];
    return start(`${role}/main.ts`, [...flags, ...more, ...place], `http://127.0.0.1:${port}`);
  };
  // deno-lint-ignore no-explicit-any -- whatever the API answers
  const json = async (method: string, path: string, body?: BodyInit): Promise<any> => {
    const headers = { "content-type": typeof body === "string" ? "application/json" : "text/yaml" };
    return await (await fetch(control + path, { method, body, headers })).json();
  };
  /** Where a client is sent, what it gets there, and the caches that it came through. */
  const watch = async (path: string) => {
    const answer = await fetch(router + path, { redirect: "manual" });
    await answer.body?.cancel();
    const location = answer.headers.get("location") ?? "";
    const response = await fetch(location);
    const status = response.headers.get("cache-status") ?? "";
    const through = status.split(",").map((member) => member.trim().split(";")[0]);
    return { location, text: await response.text(), through };
  };
  const edgeOf = async (path: string) =>
    (await (await fetch(`${router}${path}&format=json`)).json()).edge;
  try {
    await start("control/main.ts", [
      ...["--listen", `127.0.0.1:${controlPort}`, "--router", `127.0.0.1:${routerPort}`],
      ...["--data", `${dir}/control`, "--node-report", "300ms", "--node-late", "3s"],
    ], control);
    const bytes = await Deno.readFile(example);
    assert.deepEqual(await json("PUT", "/topology/declared", bytes), { snapshot: 2 });
    await Promise.all([
      cache("shield", "shield-eu", "eu-shield"),
      cache("shield", "shield-us", "us-shield"),
    ]);
    const [fra] = await Promise.all([
      cache("edge", "edge-fra", "fra-edge"),
      cache("edge", "edge-iad", "iad-edge"),
    ]);

    await until("all hold the newest snapshot", async () => {
      const [{ number }, { nodes }] = await Promise.all([
        json("GET", "/topology"),
        json("GET", "/nodes"),
      ]);
      return nodes.length === 4 &&
        nodes.every(({ snapshot }: { snapshot: number }) => snapshot === number);
    });

    // VoD: through the shield of the region, the query dropped, fresh for as long as is declared.
    const first = await watch("/vod/1.mp4?region=eu&token=1");
    assert.equal(first.location, `${fra.url}/vod/1.mp4?token=1`);
    assert.deepEqual([first.text, first.through], ["/vod/1.mp4", ["shield-eu", "edge-fra"]]);
    await watch("/vod/1.mp4?region=eu&token=2");
    assert.deepEqual(asked, ["/vod/1.mp4"]);

    // Live: its own topology leads through Frankfurt from everywhere.
    const live = await watch("/live/a.m3u8?region=us");
    assert.deepEqual(live.through, ["shield-eu", "shield-us", "edge-iad"]);

    // The service's tag is on all that it delivers.
    await json("POST", "/purges", JSON.stringify({ kind: "tag", values: ["vod"] }));
    await until("the purge has come", async () => {
      await watch("/vod/1.mp4?region=eu");
      return asked.filter((path) => path === "/vod/1.mp4").length === 2;
    });

    // A shield that is drained gets nothing new; its neighbour stands in.
    await json("PUT", "/nodes/shield-eu/status", JSON.stringify({ status: "ADMIN_DOWN" }));
    let n = 0;
    await until("the edge goes around the drained shield", async () => {
      const { through } = await watch(`/vod/new-${n++}.mp4?region=eu`);
      return through.join() === "shield-us,edge-fra";
    });

    // An edge that died loses its clients to the next region.
    assert.equal(await edgeOf("/vod/1.mp4?region=eu"), "edge-fra");
    fra.child.kill("SIGKILL");
    await until(
      "clients go elsewhere",
      async () => await edgeOf("/vod/1.mp4?region=eu") === "edge-iad",
    );
    const { available, reason } = await json("GET", "/nodes/edge-fra");
    assert.deepEqual([available, reason], [false, "missed_heartbeats"]);

    // Back to before anything was declared: paths of no service are routed too.
    const none = await fetch(`${router}/none`, { redirect: "manual" });
    assert.deepEqual([none.status, typeof (await none.json()).error], [404, "string"]);
    await json("POST", "/topology/rollback", JSON.stringify({ to: 1 }));
    assert.equal((await watch("/none")).text, "/none");
  } finally {
    for (const child of running.keys()) child.kill("SIGKILL");
    await Promise.all(running.values());
    await origin.shutdown();
    await Deno.remove(dir, { recursive: true });
  }
});
