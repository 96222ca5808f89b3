/**
 * A real control that asks for tokens, with a real shield and a real edge in front of an origin; for the
 * test of the console.
 *
 * @module
 */

import { createServer, type Server } from "node:http";

const root = new URL("../../", import.meta.url);

/** One process of a program, with what it logged so far. */
class Running {
  readonly #process: Deno.ChildProcess;
  #log = "";
  readonly #drained: Promise<void>;

  constructor(main: string, args: readonly string[]) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--quiet", main, ...args, "--log-format", "json"],
      cwd: root,
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#drained = this.#read();
  }

  /** Waits until the log holds something; returns its first group. */
  async logged(pattern: RegExp): Promise<string> {
    const deadlineMs = performance.now() + 30_000;
    for (;;) {
      const found = pattern.exec(this.#log);
      if (found) return found[1];
      if (performance.now() > deadlineMs) throw new Error(`no ${pattern} in: ${this.#log}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async stop(): Promise<void> {
    try {
      this.#process.kill("SIGTERM");
    } catch {
      // It has ended already.
    }
    await this.#drained;
    await this.#process.status;
  }

  async #read(): Promise<void> {
    for await (const text of this.#process.stderr.pipeThrough(new TextDecoderStream())) {
      this.#log += text;
    }
  }
}

/** The parts of the test, put up and taken down. */
export class ConsoleRig {
  readonly #dir: string;
  readonly #origin: Server;
  /** Secrets of tokens by scope. */
  readonly tokens: Record<"admin" | "read", string>;
  #control!: Running;
  #nodes: Running[] = [];
  #traffic: ReturnType<typeof setInterval> | undefined;
  /** Where control is. */
  url = "http://127.0.0.1:0";
  /** Nodes that have registered so far. */
  nodeCount = 2;

  private constructor(dir: string, origin: Server, tokens: ConsoleRig["tokens"]) {
    this.#dir = dir;
    this.#origin = origin;
    this.tokens = tokens;
  }

  /** Starts everything, with viewers at the edge and boxes that report. */
  static async start(): Promise<ConsoleRig> {
    const dir = await Deno.makeTempDir();
    const admin = await makeToken(dir, "ops", "admin");
    const node = await makeToken(dir, "nodes", "node");
    await Deno.writeTextFile(`${dir}/node.token`, node);
    const rig = new ConsoleRig(dir, await startOrigin(), { admin, read: "" });
    await rig.startControl();
    rig.tokens.read = await rig.#makeToken("wall", "read");
    await rig.#startNodes();
    await rig.#declare();
    await rig.#reportBoxes(0);
    return rig;
  }

  /** Starts control on the folder and, the second time, on the port that it had. */
  async startControl(): Promise<void> {
    this.#control = new Running("control/main.ts", [
      ...["--listen", new URL(this.url).host, "--admin", "127.0.0.1:0"],
      ...["--data", `${this.#dir}/control`, "--node-token-file", `${this.#dir}/node.token`],
      // The tests beside this one may load the machine as they like.
      ...["--health-load", "10000"],
    ]);
    this.url = `http://${await this.#control.logged(/"listen":"([^"]+)"/)}`;
  }

  async stopControl(): Promise<void> {
    await this.#control.stop();
  }

  /** Registers a node that applies no purge by itself. */
  async registerIdler(): Promise<void> {
    const url = "http://127.0.0.1:1";
    const node = { id: "idler", role: "edge", url, adminUrl: url, version: "0.1.0" };
    await this.#send("POST", "/nodes", node);
    this.nodeCount++;
  }

  /** Says for that node and for the boxes that they have applied purges up to a number. */
  async applyEverywhere(appliedSeq: number): Promise<void> {
    await this.#send("POST", "/nodes/idler/heartbeat", { appliedSeq });
    await this.#reportBoxes(appliedSeq);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#traffic);
    await Promise.all([this.#control, ...this.#nodes].map((running) => running.stop()));
    this.#origin.closeAllConnections();
    this.#origin.close();
    await Deno.remove(this.#dir, { recursive: true });
  }

  async #startNodes(): Promise<void> {
    const file = `${this.#dir}/node.token`;
    const { port } = this.#origin.address() as { port: number };
    const common = (id: string) => [
      ...["--listen", "127.0.0.1:0", "--admin", freeAddress(), "--token-file", file],
      ...["--control", this.url, "--node-id", id, "--data", `${this.#dir}/${id}`],
    ];
    const origin = `http://127.0.0.1:${port}`;
    const shield = new Running("shield/main.ts", [...common("shield-1"), "--origin", origin]);
    this.#nodes.push(shield);
    const shieldUrl = `http://${await shield.logged(/"listen":"([^"]+)"/)}`;
    const edge = new Running("edge/main.ts", [...common("edge-1"), "--upstream", shieldUrl]);
    this.#nodes.push(edge);
    const edgeUrl = `http://${await edge.logged(/"listen":"([^"]+)"/)}`;
    let count = 0;
    const view = async () => {
      const response = await fetch(`${edgeUrl}/video/${count++ % 20}.m4s`).catch(() => undefined);
      await response?.body?.cancel();
    };
    this.#traffic = setInterval(view, 25);
  }

  async #declare(): Promise<void> {
    const policy = { name: "fair", per: "client", quota: 10, burst: 100_000 };
    await this.#send("PUT", "/topology/declared", {
      carousel: [{ path: "/epg/week.xml", priority: 1 }],
      buckets: { policies: [{ ...policy, paths: ["/slow/"] }] },
    });
  }

  async #reportBoxes(appliedSeq: number): Promise<void> {
    const figures = { packetsExpected: 1000, packetsLost: 10, repairRequests: 1, repairBytes: 10 };
    const bytesByRoad = { satellite: 800, repair: 100, internet: 100 };
    const box = { ...figures, uptimeSeconds: 9, bytesByRoad };
    const reports = ["box-1", "box-2"].map((id) => ({
      id,
      region: "north",
      version: "0.1.0",
      appliedSeq,
      box,
    }));
    await this.#send("POST", "/fleet/reports", { reports });
  }

  async #makeToken(name: string, scope: string): Promise<string> {
    const { token } = await this.#send("POST", "/tokens", { name, scopes: [scope] });
    return token;
  }

  async #send(method: string, path: string, body: unknown): Promise<{ token: string }> {
    const authorization = `Bearer ${this.tokens.admin}`;
    const init = { method, headers: { authorization }, body: JSON.stringify(body) };
    const response = await fetch(this.url + path, init);
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return await response.json();
  }
}

/** A node registers the address that it was given: port 0 would be no address. */
function freeAddress(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return `127.0.0.1:${(listener.addr as Deno.NetAddr).port}`;
}

/** By command, as an operator makes them. */
async function makeToken(dir: string, name: string, scope: string): Promise<string> {
  const flags = ["create", "--data", `${dir}/control`, "--name", name, "--scope", scope];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", "control/main.ts", "token", ...flags],
    cwd: root,
  }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

/** Objects of 20 kB, some of them news. */
async function startOrigin(): Promise<Server> {
  const server = createServer((request, response) => {
    response.setHeader("cache-control", "max-age=60");
    if (request.url === "/video/7.m4s") response.setHeader("surrogate-key", "news");
    response.end(new Uint8Array(20_000));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
