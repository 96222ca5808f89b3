import assert from "node:assert/strict";
import { commandLine, programs } from "./programs.ts";

const root = new URL("..", import.meta.url);

/** A program that was started with flags; its exit is awaited by the test. */
function start(
  name: string,
  flags: readonly string[],
  env: Record<string, string> = {},
): Deno.ChildProcess {
  const { main, permissions } = programs.find((program) => program.name === name) ??
    assert.fail(name);
  const args = ["run", "--quiet", ...permissions, main, ...flags];
  return new Deno.Command(Deno.execPath(), {
    args,
    cwd: root,
    env,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function run(name: string, flags: readonly string[]) {
  const { code, stdout, stderr } = await start(name, flags).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

Deno.test("deno.json runs each program under the permissions of the table", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", root)));
  for (const { name, main, permissions } of [...programs, commandLine]) {
    assert.equal(tasks[name], `deno run ${permissions.join(" ")} ${main}`);
  }
});

for (const { name } of programs) {
  Deno.test(`${name} --help teaches within 80 columns`, async () => {
    const { code, out } = await run(name, ["--help"]);
    assert.equal(code, 0);
    assert.match(out, new RegExp(`^downlink-${name}: `));
    for (const flag of ["--admin HOST:PORT", "--config FILE", "--drain-time TIME"]) {
      assert.ok(out.includes(flag), flag);
    }
    for (const line of out.split("\n")) assert.ok(line.length <= 80, line);
  });

  Deno.test(`${name} --version says its version`, async () => {
    assert.match((await run(name, ["--version"])).out, /^downlink-[a-z]+ \d+\.\d+\.\d+\n$/);
  });

  Deno.test(`${name} --licenses names what is in it`, async () => {
    const { code, out } = await run(name, ["--licenses"]);
    assert.equal(code, 0);
    for (const part of ["Apache License", "Deno, the runtime", "npm package hono@"]) {
      assert.ok(out.includes(part), part);
    }
  });

  Deno.test(`${name} refuses bad input with one sentence and exit code 2`, async () => {
    const wrong = [["--nonsense"], ["--admin", "nowhere"], ["--drain-time", "soon"]];
    for (const flags of [...wrong, ["--admin", "0.0.0.0:0"]]) {
      const { code, err } = await run(name, flags);
      assert.equal(code, 2, `${flags}: ${err}`);
      assert.match(err, /^Cannot [^\n]+: need [^\n]+: received [^\n]*\n$/);
    }
  });
}

// Values that would be taken and then do nothing: one row each.
const idle = [
  {
    name: "headend",
    flags: ["--origin", "http://127.0.0.1:9", "--session-file", "/nowhere/session.xml"],
    says: /^Cannot use --session-file: need a file in a folder/,
  },
  {
    name: "stb",
    flags: ["--interface", "eth0"],
    says: /^Cannot use --interface: need an IPv4 address/,
  },
  {
    name: "stb",
    flags: ["--interface", "::1"],
    says: /^Cannot use --interface: need an IPv4 address/,
  },
  {
    name: "stb",
    flags: ["--service-list", "nope"],
    says: /^Cannot use --service-list: need a path/,
  },
  {
    name: "stb",
    flags: ["--session", "x", "--page", "/nowhere"],
    says: /^Cannot use --page: need a folder/,
  },
  {
    name: "edge",
    flags: ["--purge-log", "kafka=127.0.0.1:9092", "--upstream", "http://127.0.0.1:9"],
    says: /^Cannot use --purge-log: need --control with it/,
  },
  {
    name: "headend",
    flags: ["--interface", "eth0"],
    says: /^Cannot use --interface: need an IPv4 address/,
  },
];

for (const { name, flags, says } of idle) {
  Deno.test(`${name} refuses ${flags.join(" ")}`, async () => {
    const { code, err } = await run(name, flags);
    assert.equal(code, 2, err);
    assert.match(err, says);
    assert.equal(err.trim().split("\n").length, 1);
  });
}

Deno.test("an edge without a next hop refuses to start with one sentence", async () => {
  const { code, err } = await run("edge", ["--admin", "127.0.0.1:0", "--listen", "127.0.0.1:0"]);
  assert.equal(code, 2);
  assert.match(err, /^Cannot start: need --upstream or --control [^\n]+\n$/);
});

Deno.test("a program whose port is taken says so and exits with 1", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${(taken.addr as Deno.NetAddr).port}`;
  const { code, err } = await run("shield", ["--listen", address, "--admin", "127.0.0.1:0"]);
  taken.close();
  assert.equal(code, 1);
  assert.match(err, new RegExp(`Cannot listen on ${address}: need a free address`));
});

/** Waits for a program's admin port to say that it is ready. */
async function ready(port: number): Promise<void> {
  for (let tries = 0; tries < 1200; tries++) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`nothing ready on port ${port}`);
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

Deno.test("a program tells its service manager that it is ready, alive and stopping", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/notify`;
  const manager = Deno.listenDatagram({ transport: "unixpacket", path });
  const child = start("control", [
    ...["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", folder],
  ], { NOTIFY_SOCKET: path, WATCHDOG_USEC: "200000" });
  const heard = async () => new TextDecoder().decode((await manager.receive())[0]);
  try {
    assert.equal(await heard(), "READY=1");
    assert.equal(await heard(), "WATCHDOG=1");
    child.kill("SIGTERM");
    let last = await heard();
    while (last === "WATCHDOG=1") last = await heard();
    assert.equal(last, "STOPPING=1");
    assert.equal((await child.output()).code, 0);
  } finally {
    manager.close();
    await Deno.remove(folder, { recursive: true });
  }
});

for (const role of ["edge", "shield"] as const) {
  Deno.test(`${role} drains at SIGTERM: the answer in flight is whole, exit code 0`, async () => {
    const chunk = new Uint8Array(1000).fill(7);
    const origin = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
      let left = 20;
      const body = new ReadableStream({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 50));
          controller.enqueue(chunk.slice());
          if (--left === 0) controller.close();
        },
      });
      const headers = { "cache-control": "max-age=60", "content-length": "20000" };
      return new Response(body, { headers });
    });
    const [port, admin] = [freePort(), freePort()];
    const hop = role === "edge" ? "--upstream" : "--origin";
    const flags = ["--listen", `127.0.0.1:${port}`, "--admin", `127.0.0.1:${admin}`];
    const child = start(role, [...flags, hop, `http://127.0.0.1:${origin.addr.port}`]);
    try {
      await ready(admin);
      for (const path of ["/healthz", "/metrics"]) {
        assert.equal(
          (await (await fetch(`http://127.0.0.1:${admin}${path}`)).text()).length > 0,
          true,
        );
      }
      const response = await fetch(`http://127.0.0.1:${port}/slow`);
      assert.match(response.headers.get("cache-status") ?? "", /fwd=uri-miss/);
      child.kill("SIGTERM");
      const body = new Uint8Array(await response.arrayBuffer());
      assert.equal(body.length, 20_000);
      assert.ok(body.every((byte) => byte === 7));
      assert.equal((await child.output()).code, 0);
      await assert.rejects(fetch(`http://127.0.0.1:${port}/after`));
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    } finally {
      await origin.shutdown();
    }
  });
}
