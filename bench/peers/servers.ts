/**
 * The caches that are measured side by side: ours, nginx and Varnish from Debian, all on loopback in
 * front of the same origin, each with its cache in memory.
 *
 * @module
 */

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

/** Starts the origin: `/<bytes>` answers that many bytes, cacheable for an hour. */
export function startOrigin(): { url: string; stop: () => Promise<void> } {
  const bodies = new Map<number, Uint8Array<ArrayBuffer>>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const size = Number(new URL(request.url).pathname.slice(1));
    if (!(size >= 0 && size <= 1 << 24)) return new Response(null, { status: 404 });
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

/** Starts `downlink-edge` from the tree, with more flags if need be. */
export async function startEdge(origin: string, more: readonly string[] = []): Promise<Server> {
  const [port, admin] = [freePort(), freePort()];
  const args = [
    "run",
    "--no-prompt",
    "--allow-net",
    "--allow-env",
    "--allow-read",
    "--allow-write",
  ];
  const flags = ["--listen", `127.0.0.1:${port}`, "--admin", `127.0.0.1:${admin}`];
  flags.push("--upstream", origin, "--log-level", "error", ...more);
  return await start("downlink-edge", port, Deno.execPath(), [...args, "edge/main.ts", ...flags]);
}

/** Starts nginx with proxy_cache on a memory file system where there is one. */
export async function startNginx(origin: string): Promise<Server> {
  const port = freePort();
  const dir = await Deno.makeTempDir({ prefix: "bench-nginx-", dir: await shm() });
  await Deno.chmod(dir, 0o755); // its workers run as another user
  const conf = `${dir}/nginx.conf`;
  await Deno.writeTextFile(
    conf,
    `daemon off; worker_processes 1; pid ${dir}/pid; error_log /dev/null;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000000; sendfile on;
  client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy;
  proxy_cache_path ${dir}/cache keys_zone=bench:10m max_size=256m;
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass ${origin}; proxy_cache bench; proxy_http_version 1.1; }
  }
}
`,
  );
  const server = await start("nginx", port, "nginx", ["-c", conf, "-p", dir]);
  return { ...server, stop: () => server.stop().then(() => Deno.remove(dir, { recursive: true })) };
}

/** Starts Varnish with malloc storage. */
export async function startVarnish(origin: string): Promise<Server> {
  const port = freePort();
  const dir = await Deno.makeTempDir({ prefix: "bench-varnish-" });
  await Deno.chmod(dir, 0o755); // varnishd's child runs as another user
  const backend = origin.replace("http://", "");
  const args = ["-F", "-n", dir, "-a", `127.0.0.1:${port}`, "-b", backend, "-s", "malloc,256m"];
  const server = await start("varnish", port, "varnishd", args);
  return { ...server, stop: () => server.stop().then(() => Deno.remove(dir, { recursive: true })) };
}

async function shm(): Promise<string | undefined> {
  const info = await Deno.stat("/dev/shm").catch(() => undefined);
  return info?.isDirectory ? "/dev/shm" : undefined;
}

async function start(name: string, port: number, binary: string, args: string[]): Promise<Server> {
  const child = new Deno.Command(binary, { args, cwd: root, stdout: "null", stderr: "null" })
    .spawn();
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0;; tries++) {
    const answer = await fetch(`${url}/1`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer !== undefined && answer.status < 500) break;
    if (tries > 100) {
      child.kill("SIGTERM");
      throw new Error(`Cannot measure ${name}: need it to answer on ${url}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const stop = async () => {
    child.kill("SIGTERM");
    await child.status;
  };
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
