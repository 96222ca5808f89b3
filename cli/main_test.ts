import assert from "node:assert/strict";

const root = new URL("..", import.meta.url);

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

async function ready(port: number): Promise<void> {
  for (let tries = 0; tries < 1200; tries++) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`nothing ready on ${port}`);
}

Deno.test("the real program purges through a real control and waits for a real edge", async () => {
  const dir = await Deno.makeTempDir();
  const children: Deno.ChildProcess[] = [];
  const start = async (program: string, admin: number, flags: string[]) => {
    const args = ["run", "-A", "--no-check", `${program}/main.ts`, "--admin", `127.0.0.1:${admin}`];
    const options = { cwd: root, stdout: "null", stderr: "null" } as const;
    const child = new Deno.Command(Deno.execPath(), { args: [...args, ...flags], ...options });
    children.push(child.spawn());
    await ready(admin);
  };
  const downlink = async (...args: string[]) => {
    const flags = ["run", "--quiet", "--no-prompt", "--allow-net", "--allow-env=DOWNLINK_*"];
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...flags, "--allow-read", "cli/main.ts", ...args],
      cwd: root,
      env: { DOWNLINK_CONTROL: `http://127.0.0.1:${control}` },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, out: text(stdout), err: text(stderr) };
  };
  const headers = { "cache-control": "max-age=600", "content-type": "video/mp4" };
  const origin = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("x".repeat(2048), { headers }),
  );
  const [control, edge] = [freePort(), freePort()];
  try {
    const listen = ["--listen", `127.0.0.1:${control}`];
    await start("control", freePort(), [...listen, "--data", `${dir}/control`]);
    await start("edge", freePort(), [
      ...["--listen", `127.0.0.1:${edge}`, "--data", `${dir}/edge`, "--node-id", "edge-1"],
      ...["--upstream", `http://127.0.0.1:${origin.addr.port}`],
      ...["--control", `http://127.0.0.1:${control}`],
    ]);
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${edge}${path}`);
      await response.text();
      return response.headers.get("cache-status") ?? "";
    };
    await get("/news/1");
    assert.match(await get("/news/1"), /;hit/);
    const dry = await downlink("purge", "--prefix", "/news", "--dry-run");
    assert.match(dry.out, /would hit 1 objects, 2.0 KiB, on 1 of 1 caches; nothing was purged\n/);
    assert.match(dry.out, / {2}edge-1 +1 +2.0 KiB +\/news\/1\n/);
    assert.match(await get("/news/1"), /;hit/);
    const purged = await downlink("purge", "--prefix", "/news", "--wait");
    assert.equal(purged.code, 0, purged.err);
    assert.match(purged.out, /\napplied by 1 of 1 nodes, half within [\d.]+ ms/);
    assert.match(await get("/news/1"), /fwd=/);
    const [, id] = /^purge ([0-9a-f-]{36}), number 1: prefix \/news\n/.exec(purged.out) ?? [];
    assert.match((await downlink("status", id)).out, /prefix \/news, by api, now\napplied by 1/);
    assert.match((await downlink("nodes")).out, /\nedge-1 +edge +/);
  } finally {
    for (const child of children) {
      child.kill("SIGKILL");
      await child.status;
    }
    await origin.shutdown();
    await Deno.remove(dir, { recursive: true });
  }
});
