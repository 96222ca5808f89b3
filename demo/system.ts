/**
 * The demo's system: which processes there are, where they listen, how they find each other.
 *
 * @module
 */

import { programs } from "../tools/programs.ts";
import { Child, type ChildCommand, type ChildEnd } from "./child.ts";
import { answers } from "./http_json.ts";
import type { Ports } from "./ports.ts";

const root = new URL("..", import.meta.url);

/** How long a process may take to become ready. */
const readyMs = 20_000;
/** How long a process may drain before it is killed. */
const patienceMs = 5_000;
/** What programs are told: a little less, so that they end on their own. */
const drainTime = "3s";

/** The multicast group of the demo; it is never routed and stays on the loopback. */
const group = "239.255.70.1";

/** Files that the carousel repeats. */
const carouselFiles = [
  "/files/notice.txt",
  "/files/poster.svg",
  "/files/guide.xml",
  "/files/film.ts",
];

/** What the demo runs. */
export type NodeName =
  | "origin"
  | "control"
  | "satellite"
  | "shield-1"
  | "edge-1"
  | "edge-2"
  | "headend"
  | "stb-1";

/** Where a process listens. */
export interface Address {
  /** What its clients use, `http://127.0.0.1:PORT` without a slash at the end. */
  readonly url: string;
  readonly adminUrl: string;
}

/** `HOST:PORT` of both listeners, as flags want it. */
interface Hosts {
  readonly listen: string;
  readonly admin: string;
}

/** How the system is put up. */
export interface SystemOptions {
  readonly ports: Ports;
  /** Folder for state and caches. */
  readonly dir: string;
  /** Folder with the compiled programs; their sources are run without it. */
  readonly binaries?: string;
  /** Folder of the page; the one of the set-top box without it. */
  readonly page?: string;
  /** Whether packets go to a multicast group; to one receiver if not. */
  readonly multicast: boolean;
  /** Says what is going on, a line at a time. */
  readonly progress: (line: string) => void;
  /** Called when a process ends that should not. */
  readonly onDeath: (child: Child, end: ChildEnd) => void;
}

const usualPorts: Readonly<Record<NodeName, readonly [listen: number, admin: number]>> = {
  origin: [8070, 9070],
  satellite: [0, 9071],
  control: [9000, 9001],
  "shield-1": [8081, 9081],
  "edge-1": [8080, 9080],
  "edge-2": [8082, 9082],
  headend: [0, 9084],
  "stb-1": [8090, 9090],
};

/** The processes of one demo. */
export class System {
  readonly addresses: Readonly<Record<NodeName, Address>>;
  readonly #options: SystemOptions;
  readonly #hosts: Readonly<Record<NodeName, Hosts>>;
  readonly #up: string;
  readonly #down: string;
  #children: Child[] = [];
  #stopping = false;

  constructor(options: SystemOptions) {
    this.#options = options;
    const { ports, multicast } = options;
    const host = (port: number) => `127.0.0.1:${port}`;
    const entries = Object.entries(usualPorts).map(([name, [listen, admin]]) =>
      [name, { listen: host(ports.tcp(listen)), admin: host(ports.tcp(admin)) }] as const
    );
    this.#hosts = Object.fromEntries(entries) as Record<NodeName, Hosts>;
    this.addresses = Object.fromEntries(
      entries.map(([name, { listen, admin }]) => [name, {
        url: `http://${listen}`,
        adminUrl: `http://${admin}`,
      }]),
    ) as Record<NodeName, Address>;
    this.#up = host(ports.udp(5000));
    const receiver = multicast ? group : "127.0.0.1";
    this.#down = `${receiver}:${ports.udp(5001, receiver)}`;
  }

  /** The group and port, or the receiver's address where there is no multicast. */
  get downlink(): string {
    return this.#down;
  }

  get children(): readonly Child[] {
    return this.#children;
  }

  /**
   * Starts everything and waits until all of it is ready.
   *
   * @throws {Error} One sentence when a process does not become ready.
   */
  async start(): Promise<void> {
    await this.#bringUp(["origin", "control", "satellite"]);
    await this.#bringUp(["shield-1", "edge-1", "edge-2", "headend"]);
    await this.#bringUp(["stb-1"]);
  }

  /** Stops everything, those who serve viewers first. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const children = [...this.#children].reverse();
    await Promise.all(children.map((child) => child.stop(patienceMs)));
  }

  async #bringUp(names: readonly NodeName[]): Promise<void> {
    for (const name of names) {
      const child = new Child(this.#command(name));
      this.#children.push(child);
      child.ended.then((end) => {
        if (!this.#stopping) this.#options.onDeath(child, end);
      });
    }
    await Promise.all(names.map((name) => this.#ready(name)));
  }

  async #ready(name: NodeName): Promise<void> {
    const started = performance.now();
    const child = this.#children.find((each) => each.name === name);
    while (!await answers(`${this.addresses[name].adminUrl}/readyz`)) {
      if (this.#stopping || !child?.running) return;
      if (performance.now() - started > readyMs) {
        throw new Error(
          `Cannot start the demo: ${name} must be ready within ${readyMs / 1000} s: received ` +
            `no 200 from ${this.addresses[name].adminUrl}/readyz`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    this.#options.progress(`${name} is ready after ${seconds} s`);
  }

  #command(name: NodeName): ChildCommand {
    const args = this.#arguments(name);
    const { listen, admin } = this.#hosts[name];
    const common = ["--admin", admin, "--drain-time", drainTime, "--log-format", "json"];
    if (name !== "headend" && name !== "satellite") common.push("--listen", listen);
    const { program, before } = this.#program(name);
    return { name, program, args: [...before, ...args, ...common], cwd: root };
  }

  /** The executable, and what stands before a program's own arguments. */
  #program(name: NodeName): { program: string; before: readonly string[] } {
    const run = (main: string, permissions: readonly string[]) => ({
      program: Deno.execPath(),
      before: ["run", "--quiet", "--no-lock", ...permissions, main],
    });
    const ours = ["--no-prompt", "--allow-net", "--allow-env", "--allow-read", "--allow-ffi"];
    if (name === "origin") return run("demo/origin/main.ts", ours.slice(0, 4));
    if (name === "satellite") return run("demo/satellite/main.ts", ours);
    const worker = name.replace(/-\d+$/, "");
    const build = programs.find((each) => each.name === worker);
    if (!build) throw new RangeError(`Cannot run ${name}: need a row of tools/programs.ts`);
    const { binaries } = this.#options;
    return binaries === undefined
      ? run(build.main, build.permissions)
      : { program: `${binaries}/downlink-${worker}`, before: [] };
  }

  #arguments(name: NodeName): readonly string[] {
    const { dir, page } = this.#options;
    const at = (node: NodeName) => this.addresses[node].url;
    const node = ["--control", at("control"), "--node-id", name, "--data", `${dir}/${name}`];
    const session = `${dir}/session.xml`;
    switch (name) {
      case "origin":
        return [];
      case "satellite":
        return ["--listen", this.#up, "--to", this.#down];
      case "control":
        return ["--data", `${dir}/control`];
      case "shield-1":
        return ["--origin", at("origin"), ...node];
      case "edge-1":
      case "edge-2":
        return ["--upstream", at("shield-1"), ...node];
      case "headend":
        return [
          ...["--origin", at("shield-1"), "--service-list", "/dvbi/services.xml"],
          ...["--group", this.#down, "--interface", "127.0.0.1", "--send-to", this.#up],
          ...["--session-file", session, "--repair", at("edge-1"), "--cycle", "10s"],
          ...carouselFiles.flatMap((file) => ["--file", file]),
          ...node,
        ];
      case "stb-1":
        return [
          ...["--session", session, "--interface", "127.0.0.1", "--cache", `${dir}/stb-cache`],
          ...["--cache-size", "1GiB", "--repair", `${at("edge-1")},${at("edge-2")}`],
          ...["--mdns", "off"],
          ...(page === undefined ? [] : ["--page", page]),
          ...node,
        ];
    }
  }
}
