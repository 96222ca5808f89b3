/**
 * Real ATS and Varnish with the configuration that ships, on ports and in a folder of their own.
 *
 * @module
 */

/** The stores that a pod may hold. */
export type StoreKind = "ats" | "varnish";

/** A running store. */
export interface RunningStore {
  readonly kind: StoreKind;
  readonly url: URL;
  /** Where it comes for what it is to keep. */
  readonly upstreamPort: number;
  readonly secret: string;
  /** Kills it as a crash would. */
  kill(): Promise<void>;
  /** Starts it again with what it kept: ATS with its disk, Varnish empty. */
  start(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const binaries: Readonly<Record<StoreKind, string>> = {
  ats: "traffic_server",
  varnish: "varnishd",
};

/** What is missing to run a store here, for the name of a test; `undefined` when nothing is. */
export function missingFor(kind: StoreKind): string | undefined {
  const folders = `${Deno.env.get("PATH") ?? ""}:/usr/sbin:/usr/bin`.split(":");
  for (const folder of folders) {
    try {
      if (Deno.statSync(`${folder}/${binaries[kind]}`).isFile) return undefined;
    } catch {
      // Not there.
    }
  }
  return `needs ${binaries[kind]}`;
}

/** Finds a free TCP port on loopback. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

const shipped = {
  ats: new URL("../../edge/ats/", import.meta.url),
  varnish: new URL("../../shield/varnish/", import.meta.url),
};

/** Starts a store with the shipped configuration; only ports, secret, folder and size are its own. */
export async function startStore(kind: StoreKind): Promise<RunningStore> {
  const dir = await Deno.makeTempDir({ prefix: `downlink-${kind}-` });
  await Deno.chmod(dir, 0o755); // varnishd's child runs as another user
  const [port, upstreamPort] = [freePort(), freePort()];
  const secret = crypto.randomUUID();
  const own = { dir, port, upstreamPort, secret };
  const args = await configureStore(kind, own);
  let child: Deno.ChildProcess | undefined;
  const start = async () => {
    const options = { args, stdout: "null", stderr: "null", stdin: "null" } as const;
    child = new Deno.Command(binaries[kind], options).spawn();
    await answering(port, secret);
  };
  const kill = async () => {
    if (child === undefined) return;
    const [pid, status] = [child.pid, child.status];
    child = undefined;
    for (const each of [...childrenOf(pid), pid]) {
      try {
        Deno.kill(each, "SIGKILL");
      } catch {
        // It went with its parent.
      }
    }
    await status;
  };
  const running: RunningStore = {
    kind,
    url: new URL(`http://127.0.0.1:${port}`),
    upstreamPort,
    secret,
    kill,
    start,
    async [Symbol.asyncDispose]() {
      await kill();
      await Deno.remove(dir, { recursive: true });
    },
  };
  try {
    await start();
    return running;
  } catch (error) {
    await running[Symbol.asyncDispose]();
    throw error;
  }
}

/** What a store of a test has for its own. */
export interface StoreSettings {
  readonly dir: string;
  readonly port: number;
  readonly upstreamPort: number;
  readonly secret: string;
}

/** Where Debian's package keeps what is not configuration. */
const layout = {
  bindir: "/usr/bin",
  sbindir: "/usr/sbin",
  libdir: "/usr/lib/trafficserver",
  libexecdir: "/usr/lib/trafficserver/modules",
  includedir: "/usr/include",
};

/** Writes the shipped configuration with what a test has for its own; returns the arguments. */
export async function configureStore(kind: StoreKind, own: StoreSettings): Promise<string[]> {
  return kind === "ats" ? await configureAts(own) : await configureVarnish(own);
}

async function configureAts({ dir, port, upstreamPort, secret }: StoreSettings): Promise<string[]> {
  const folders = {
    sysconfdir: `${dir}/etc`,
    datadir: `${dir}/data`,
    localstatedir: `${dir}/var`,
    runtimedir: `${dir}/run`,
    logdir: `${dir}/log`,
    cachedir: `${dir}/cache`,
  };
  for (const folder of Object.values(folders)) await Deno.mkdir(folder, { recursive: true });
  const places = Object.entries({ prefix: dir, exec_prefix: dir, ...folders, ...layout });
  const lines = places.map(([name, path]) => `${name}: ${path}\n`);
  await Deno.writeTextFile(`${dir}/runroot.yaml`, lines.join(""));
  for await (const { name } of Deno.readDir(shipped.ats)) {
    const text = await Deno.readTextFile(new URL(name, shipped.ats));
    const changed = text.replaceAll("8095", String(port)).replaceAll("8096", String(upstreamPort))
      .replace("change-this-secret", secret)
      .replace("STRING trafficserver", "STRING #-1")
      .replace("/var/cache/trafficserver 50G", `${dir}/cache 128M`);
    await Deno.writeTextFile(`${dir}/etc/${name}`, changed);
  }
  return [`--run-root=${dir}/runroot.yaml`];
}

async function configureVarnish(
  { dir, port, upstreamPort, secret }: StoreSettings,
): Promise<string[]> {
  const read = (name: string) => Deno.readTextFile(new URL(name, shipped.varnish));
  const vcl = (await read("default.vcl")).replace("8086", String(upstreamPort))
    .replace("/etc/downlink/store.secret", `${dir}/secret`);
  await Deno.writeTextFile(`${dir}/default.vcl`, vcl);
  await Deno.writeTextFile(`${dir}/secret`, secret);
  const args = (await read("varnishd.args")).replace("8085", String(port))
    .replace("/etc/varnish/default.vcl", `${dir}/default.vcl`)
    .replace("malloc,8G", "malloc,128M").replace("malloc,256M", "malloc,32M");
  return ["-F", "-n", `${dir}/work`, ...args.trim().split(/\s+/)];
}

function childrenOf(pid: number): number[] {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).trim();
    return text === "" ? [] : text.split(" ").map(Number);
  } catch {
    return [];
  }
}

async function answering(port: number, secret: string): Promise<void> {
  const headers = { "cache-control": "only-if-cached", "downlink-secret": secret };
  for (let tries = 0; tries < 1200; tries++) {
    const answer = await fetch(`http://127.0.0.1:${port}/nothing`, { headers }).catch(() => {});
    await answer?.body?.cancel();
    if (answer?.status === 504) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`Cannot test with a store: need it to answer on ${port}`);
}
