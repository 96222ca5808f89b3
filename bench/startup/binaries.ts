/**
 * `deno run -A bench/startup/binaries.ts [rounds]`: size of each binary in `dist/`, and the time from its
 * start to its first answer on /healthz and its memory then.
 *
 * @module
 */

const rounds = Number(Deno.args[0] ?? 7);
const root = new URL("../..", import.meta.url);

/** What each program needs to start alone, beside its ports. */
const flags: Readonly<Record<string, readonly string[]>> = {
  control: ["--data", "DIR"],
  shield: [],
  edge: ["--upstream", "http://127.0.0.1:9"],
  headend: ["--origin", "http://127.0.0.1:9", "--session-file", "DIR/session.xml"],
  stb: ["--session", "http://127.0.0.1:9/session.xml", "--cache", "DIR", "--mdns", "off"],
};

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

async function answers(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
  await response?.body?.cancel();
  return response?.ok === true;
}

/** Starts a program once: milliseconds to the first answer, and resident memory in bytes. */
async function measure(name: string): Promise<{ ms: number; bytes: number }> {
  const dir = await Deno.makeTempDir({ prefix: `bench-${name}-` });
  const [port, admin] = [freePort(), freePort()];
  const ports = ["--admin", `127.0.0.1:${admin}`];
  if (name !== "headend") ports.push("--listen", `127.0.0.1:${port}`);
  const args = [...ports, ...flags[name].map((flag) => flag.replace("DIR", dir))];
  const started = performance.now();
  const binary = new URL(`dist/downlink-${name}`, root).pathname;
  const child = new Deno.Command(binary, { args, stdout: "null", stderr: "null" }).spawn();
  try {
    while (!await answers(admin)) {
      if (performance.now() - started > 10_000) {
        throw new Error(`Cannot measure ${name}: no answer`);
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const ms = performance.now() - started;
    const status = Deno.readTextFileSync(`/proc/${child.pid}/status`);
    return { ms, bytes: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024 };
  } finally {
    child.kill("SIGTERM");
    await child.status;
    await Deno.remove(dir, { recursive: true });
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

const lines = [
  "| binary | size | start to first answer | memory then |",
  "| --- | ---: | ---: | ---: |",
];
for (const name of Object.keys(flags)) {
  const { size } = await Deno.stat(new URL(`dist/downlink-${name}`, root));
  await measure(name); // the first start writes the code cache
  const runs = [];
  for (let round = 0; round < rounds; round++) runs.push(await measure(name));
  const ms = median(runs.map((run) => run.ms)).toFixed(0);
  const memory = (median(runs.map((run) => run.bytes)) / 2 ** 20).toFixed(0);
  lines.push(`| downlink-${name} | ${(size / 1e6).toFixed(0)} MB | ${ms} ms | ${memory} MiB |`);
}
Deno.stdout.writeSync(new TextEncoder().encode(`${lines.join("\n")}\n`));
