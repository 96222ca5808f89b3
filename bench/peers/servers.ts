/**
 * The caches that are measured side by side: ours, and nginx, Varnish and Traffic Server from Debian,
 * all on loopback in front of the same origin, each with its cache in memory.
 *
 * @module
 */

import { configureTrafficServer } from "./traffic_server.ts";

/** A running cache. */
export interface Server {
  readonly name: string;
  readonly url: string;
  /** Process ids whose CPU time counts. */
  readonly pids: () => number[];
  stop(): Promise<void>;
}

const root = new URL("../..", import.meta.url);

/** Finds a free TCP port on loopback. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

/**
 * Starts the origin: `/<bytes>` and whatever is below it answers that many bytes, cacheable for an
 * hour.
 */
export function startOrigin(): { url: string; stop: () => Promise<void> } {
  const bodies = new Map<number, Uint8Array<ArrayBuffer>>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const size = Number(new URL(request.url).pathname.split("/")[1]);
    if (!(size >= 0 && size <= 1 << 26)) return new Response(null, { status: 404 });
    if (!bodies.has(size)) bodies.set(size, new Uint8Array(size).fill(97));
    const headers = {
      "cache-control": "public, max-age=3600",
      "content-type": "video/mp2t",
      "etag": `"${size}"`,
    };
    return new Response(bodies.get(size), { headers });
  });
  return { url: `http://127.0.0.1:${server.addr.port}`, stop: () => server.shutdown() };
}

/** What may differ from one start of ours to another. */
export interface EdgeOptions {
  /** Flags beside those that it needs. */
  readonly flags?: readonly string[];
  /** A checkout of another version; this tree without. */
  readonly tree?: string;
  /** How many processes share the port; 1 without. */
  readonly processes?: number;
}

/** Starts `downlink-edge`. */
export function startEdge(origin: string, options: EdgeOptions = {}): Promise<Server> {
  return startNode("edge", ["--upstream", origin], options);
}

/** Starts `downlink-shield`. */
export function startShield(origin: string, options: EdgeOptions = {}): Promise<Server> {
  return startNode("shield", ["--origin", origin], options);
}

async function startNode(
  role: "edge" | "shield",
  nextHop: readonly string[],
  { flags = [], tree, processes = 1 }: EdgeOptions,
): Promise<Server> {
  const port = freePort();
  const allowed = ["net", "env", "read", "write"].map((name) => `--allow-${name}`);
  const common = ["run", "--no-prompt", ...allowed, `${role}/main.ts`];
  common.push("--listen", `127.0.0.1:${port}`, ...nextHop, "--log-level", "error", ...flags);
  const own = Array.from({ length: processes }, () => `127.0.0.1:${freePort()}`);
  const shared = processes === 1 ? "" : `, ${processes} processes`;
  const name = `downlink-${role}${shared}${tree === undefined ? "" : ` (${tree})`}`;
  const started: Server[] = [];
  for (const [n, address] of own.entries()) {
    const siblings = [address, ...own.filter((_, other) => other !== n)].join(",");
    const sharing = processes === 1 ? [] : ["--siblings", siblings];
    const args = [...common, "--admin", `127.0.0.1:${freePort()}`, ...sharing];
    started.push(await start({ name, port, binary: Deno.execPath(), args, cwd: tree }));
  }
  return {
    ...started[0],
    pids: () => started.flatMap((one) => one.pids()),
    stop: () => stopAll(started),
  };
}

/** nginx in front of an origin. */
export interface NginxOptions {
  /** Where its cache is; a memory file system where there is one, without. */
  readonly disk?: string;
  /** One fetch for all who ask for the same (`proxy_cache_lock`). */
  readonly collapse?: boolean;
  /** Keeps objects in slices of this size, as nginx writes sizes. */
  readonly slice?: string;
}

/** Starts nginx with proxy_cache. */
export async function startNginx(
  origin: string,
  { disk, collapse = false, slice }: NginxOptions = {},
): Promise<Server> {
  const port = freePort();
  const dir = await Deno.makeTempDir({ prefix: "bench-nginx-", dir: disk ?? await shm() });
  await Deno.chmod(dir, 0o755); // its workers run as another user
  const conf = `${dir}/nginx.conf`;
  const lock = collapse ? "proxy_cache_lock on; proxy_cache_lock_timeout 60s;" : "";
  const slicing = slice === undefined ? "" : `slice ${slice}; proxy_cache_valid 206 1h;
      proxy_cache_key $uri$slice_range; proxy_set_header Range $slice_range;`;
  await Deno.writeTextFile(
    conf,
    `daemon off; worker_processes 1; pid ${dir}/pid; error_log /dev/null;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 1000000000; sendfile on;
  client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy;
  proxy_cache_path ${dir}/cache keys_zone=bench:10m max_size=512m;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { proxy_pass ${origin}; proxy_cache bench; proxy_http_version 1.1; ${lock}
      ${slicing} }
  }
}
`,
  );
  return await start({ name: "nginx", port, binary: "nginx", args: ["-c", conf, "-p", dir], dir });
}

/** Starts Varnish with malloc storage. */
export async function startVarnish(origin: string): Promise<Server> {
  const port = freePort();
  const dir = await Deno.makeTempDir({ prefix: "bench-varnish-" });
  await Deno.chmod(dir, 0o755); // varnishd's child runs as another user
  const backend = origin.replace("http://", "");
  const args = ["-F", "-n", dir, "-a", `127.0.0.1:${port}`, "-b", backend, "-s", "malloc,512m"];
  return await start({ name: "varnish", port, binary: "varnishd", args, dir });
}

/** Starts Traffic Server with one thread and its objects in the RAM cache. */
export async function startTrafficServer(origin: string): Promise<Server> {
  const port = freePort();
  const dir = await Deno.makeTempDir({ prefix: "bench-ats-", dir: await shm() });
  const bytes = 512 << 20;
  const setUp = { port, origin, dir, cacheBytes: bytes, ramBytes: bytes };
  const args = await configureTrafficServer(setUp);
  return await start({ name: "ats", port, binary: "traffic_server", args, dir });
}

/** All four, ours first. */
export async function startAll(
  origin: string,
  ours: readonly EdgeOptions[] = [{}],
): Promise<Server[]> {
  const servers: Server[] = [];
  try {
    for (const options of ours) servers.push(await startEdge(origin, options));
    for (const start of [startNginx, startVarnish, startTrafficServer]) {
      servers.push(await start(origin));
    }
  } catch (error) {
    await stopAll(servers);
    throw error;
  }
  return servers;
}

/** Stops them. */
export async function stopAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()));
}

async function shm(): Promise<string | undefined> {
  const info = await Deno.stat("/dev/shm").catch(() => undefined);
  return info?.isDirectory ? "/dev/shm" : undefined;
}

/** How a server is started. */
interface StartOptions {
  readonly name: string;
  readonly port: number;
  readonly binary: string;
  readonly args: string[];
  readonly cwd?: string;
  /** Removed at the end. */
  readonly dir?: string;
}

async function start({ name, port, binary, args, cwd, dir }: StartOptions): Promise<Server> {
  const options = { args, cwd: cwd ?? root, stdout: "null", stderr: "null" } as const;
  const child = new Deno.Command(binary, options).spawn();
  const stop = async () => {
    child.kill("SIGTERM");
    await child.status;
    if (dir !== undefined) await Deno.remove(dir, { recursive: true });
  };
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0;; tries++) {
    const answer = await fetch(`${url}/1`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer !== undefined && answer.status < 500) break;
    if (tries > 100) {
      await stop();
      throw new Error(`Cannot measure ${name}: need it to answer on ${url}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { name, url, pids: () => processTree(child.pid), stop };
}

/** A process and all below it. */
function processTree(pid: number): number[] {
  const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).trim();
  const below = children === ""
    ? []
    : children.split(" ").flatMap((child) => processTree(Number(child)));
  return [pid, ...below];
}
