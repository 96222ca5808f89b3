import assert from "node:assert/strict";
import { programs } from "./programs.ts";

const root = new URL("..", import.meta.url);
/** Too large for the memory tier of the nodes here: it is on the disk when its answer has ended. */
const bodyBytes = 200_000;

function start(name: string, flags: readonly string[]): Deno.ChildProcess {
  const { main, permissions } = programs.find((program) => program.name === name) ??
    assert.fail(name);
  const args = ["run", "--quiet", ...permissions, main, ...flags, "--log-level", "warn"];
  return new Deno.Command(Deno.execPath(), { args, cwd: root, stdout: "null", stderr: "null" })
    .spawn();
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !await holds().catch(() => false); tries++) {
    if (tries === 600) assert.fail(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** An origin whose bodies say their version, a control and one node with a disk. */
class Rig implements AsyncDisposable {
  version = 1;
  fetches = 0;
  readonly dir = Deno.makeTempDirSync({ prefix: "downlink-restart-" });
  readonly #origin = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    this.fetches++;
    const body = new Uint8Array(bodyBytes).fill(this.version);
    return new Response(body, { headers: { "cache-control": "max-age=3600" } });
  });
  readonly #ports = { control: freePort(), controlAdmin: freePort(), node: freePort() };
  readonly #admin = freePort();
  readonly #running = new Map<string, Deno.ChildProcess>();

  constructor(readonly role: "edge" | "shield") {}

  async startControl(): Promise<void> {
    const { control, controlAdmin } = this.#ports;
    const flags = ["--listen", `127.0.0.1:${control}`, "--admin", `127.0.0.1:${controlAdmin}`];
    this.#running.set("control", start("control", [...flags, "--data", `${this.dir}/control`]));
    await ready(controlAdmin);
  }

  async startNode(...more: readonly string[]): Promise<void> {
    const hop = this.role === "edge" ? "--upstream" : "--origin";
    const flags = ["--listen", `127.0.0.1:${this.#ports.node}`]
      .concat("--admin", `127.0.0.1:${this.#admin}`, "--memory", "1MiB")
      .concat(hop, `http://127.0.0.1:${this.#origin.addr.port}`)
      .concat("--disk", `${this.dir}/node`, "--disk-size", "64MiB")
      .concat("--control", `http://127.0.0.1:${this.#ports.control}`);
    this.#running.set("node", start(this.role, [...flags, ...more]));
    await ready(this.#admin);
  }

  async stop(name: "control" | "node", signal: Deno.Signal = "SIGTERM"): Promise<void> {
    const child = this.#running.get(name) ?? assert.fail(name);
    this.#running.delete(name);
    child.kill(signal);
    await child.status;
  }

  /** The version that a path has now, and whether the origin was asked for it. */
  async get(path: string): Promise<{ version: number; fetched: boolean }> {
    const before = this.fetches;
    const response = await fetch(`http://127.0.0.1:${this.#ports.node}${path}`);
    assert.equal(response.status, 200);
    const body = new Uint8Array(await response.arrayBuffer());
    assert.equal(body.length, bodyBytes);
    assert.ok(body.every((byte) => byte === body[0]), "of one version");
    return { version: body[0], fetched: this.fetches > before };
  }

  async purge(path: string): Promise<void> {
    const response = await fetch(`http://127.0.0.1:${this.#ports.control}/purges`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ kind: "url", values: [path] }),
    });
    assert.equal(response.status, 202, await response.text());
  }

  async metric(line: RegExp): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.#admin}/metrics`);
    return line.exec(await response.text())?.[1] ?? assert.fail(String(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#running.values()) {
      child.kill("SIGKILL");
      await child.status;
    }
    await this.#origin.shutdown();
    await Deno.remove(this.dir, { recursive: true });
  }
}

async function ready(port: number): Promise<void> {
  await eventually(`ready on ${port}`, async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    await answer.body?.cancel();
    return answer.status === 200;
  });
}

const old = { version: 1, fetched: false };
const fresh = { version: 2, fetched: true };

/** Fills a node's disk with the first version of two paths. */
async function filled(rig: Rig): Promise<void> {
  await rig.startControl();
  await rig.startNode();
  for (const path of ["/purged", "/kept"]) {
    assert.deepEqual(await rig.get(path), { version: 1, fetched: true });
    assert.deepEqual(await rig.get(path), old);
  }
  const objects = new RegExp(`^${rig.role}_cache_objects{tier="disk"} (\\d+)$`, "m");
  await eventually("both on disk", async () => await rig.metric(objects) === "2");
}

for (const [role, signal] of [["edge", "SIGTERM"], ["shield", "SIGKILL"]] as const) {
  Deno.test(`${role} with a disk: no old byte after a purge while it was off (${signal})`, async () => {
    await using rig = new Rig(role);
    await filled(rig);
    await rig.stop("node", signal);
    rig.version = 2;
    await rig.purge("/purged");
    await rig.startNode();
    assert.deepEqual(await rig.get("/purged"), fresh);
    assert.deepEqual(await rig.get("/kept"), old, "what was not purged outlived the restart");
  });
}

Deno.test("a node that starts with control away serves nothing of before until it was heard", async () => {
  await using rig = new Rig("edge");
  await filled(rig);
  await rig.stop("node");
  rig.version = 2;
  await rig.purge("/purged");
  await rig.stop("control");
  await rig.startNode("--catch-up", "100ms");
  assert.deepEqual(await rig.get("/purged"), fresh);
  await rig.startControl();
  await eventually("shown again", async () => !(await rig.get("/kept")).fetched);
  assert.equal((await rig.get("/purged")).version, 2);
});

Deno.test("a disk without its place in the purge log is emptied", async () => {
  await using rig = new Rig("edge");
  await filled(rig);
  await rig.stop("node");
  rig.version = 2;
  await Deno.remove(`${rig.dir}/node/purges.log`);
  await rig.startNode();
  for (const path of ["/purged", "/kept"]) assert.deepEqual(await rig.get(path), fresh);
});

Deno.test("a node refuses to keep its place in the purge log apart from its disk", async () => {
  await using rig = new Rig("edge");
  const { main, permissions } = programs.find(({ name }) => name === "edge") ?? assert.fail();
  const flags = ["--disk", `${rig.dir}/node`, "--data", `${rig.dir}/elsewhere`]
    .concat("--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--control", "http://127.0.0.1:1");
  const args = ["run", "--quiet", ...permissions, main, ...flags];
  const { code, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: root }).output();
  assert.equal(code, 2);
  assert.match(new TextDecoder().decode(stderr), /^Cannot use --data: need the folder of --disk /);
});
