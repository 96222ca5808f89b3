/**
 * How long a purge takes from the request to the last node: one control, many real followers over
 * real sockets on one machine.
 *
 * `deno run -A bench/purge/main.ts [embedded|kafka|kafka-through-control] [FOLLOWERS] [PURGES]`
 *
 * @module
 */

import { startKafka } from "#rigs";

const [log = "embedded", followerText = "200", purgeText = "200"] = Deno.args;
const followers = Number(followerText);
const purges = Number(purgeText);
/** Followers of one process at most: above, a process of its own would be what is measured. */
const perProcess = 500;
const root = new URL("../..", import.meta.url);

const nowMs = () => performance.timeOrigin + performance.now();
const print = (line: string) => void Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** Lines of a child's output. */
async function* linesOf(child: Deno.ChildProcess): AsyncGenerator<string> {
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

/** Processor time of a process so far, in milliseconds. */
async function cpuMs(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function quantile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)].toFixed(1);
}

const dir = await Deno.makeTempDir({ prefix: "downlink-bench-" });
const nodeDir = await Deno.makeTempDir({ dir: "/dev/shm", prefix: "downlink-bench-" });
const children: Deno.ChildProcess[] = [];
const broker = log === "embedded" ? undefined : await startKafka();
try {
  const [port, admin] = [freePort(), freePort()];
  const url = `http://127.0.0.1:${port}`;
  const flags = ["--listen", `127.0.0.1:${port}`, "--admin", `127.0.0.1:${admin}`, "--data", dir]
    .concat("--log-level", "error", "--purge-rate", "1000000", "--purge-burst", "1000000");
  if (broker) flags.push("--purge-log", `kafka=${broker.address}`, "--kafka-replicas", "1");
  const control = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "control/main.ts", ...flags],
    cwd: root,
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  children.push(control);
  while (!await fetch(`http://127.0.0.1:${admin}/readyz`).then((r) => r.ok, () => false)) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const applied = new Map<number, number[]>();
  const waiting = new Map<number, () => void>();
  const nodes: Deno.ChildProcess[] = [];
  for (let first = 0; first < followers; first += perProcess) {
    const count = Math.min(perProcess, followers - first);
    const brokers = log === "kafka" ? broker!.address : "";
    const args = ["run", "-A", "--no-check", "bench/purge/followers.ts", url, brokers, nodeDir];
    const child = new Deno.Command(Deno.execPath(), {
      args: [...args, String(first), String(count)],
      cwd: root,
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    children.push(child);
    nodes.push(child);
    const lines = linesOf(child);
    for (let line = await lines.next(); line.value !== "ready"; line = await lines.next());
    void (async () => {
      for await (const line of lines) {
        const { seq, times } = JSON.parse(line);
        const all = [...applied.get(seq) ?? [], ...times];
        applied.set(seq, all);
        if (all.length === followers) waiting.get(seq)?.();
      }
    })();
  }
  const accepted: number[] = [], last: number[] = [], each: number[] = [];
  const before = await Promise.all([control, ...nodes].map(({ pid }) => cpuMs(pid)));
  const warmUp = 10;
  for (let i = -warmUp; i < purges; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const startMs = nowMs();
    const response = await fetch(`${url}/purges`, {
      method: "POST",
      body: JSON.stringify({ kind: "tag", values: [`tag-${i}`] }),
    });
    const { seq } = await response.json();
    const answeredMs = nowMs();
    await new Promise<void>((resolve, reject) => {
      const late = () => reject(new Error(`need ${seq} on ${followers} nodes: received fewer`));
      const timer = setTimeout(late, 10_000);
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      waiting.set(seq, done);
      if (applied.get(seq)?.length === followers) done();
    });
    if (i < 0) continue;
    const times = applied.get(seq)!;
    accepted.push(answeredMs - startMs);
    last.push(Math.max(...times) - startMs);
    each.push(...times.map((time) => time - startMs));
  }
  const after = await Promise.all([control, ...nodes].map(({ pid }) => cpuMs(pid)));
  const [controlMs, ...nodeMs] = after.map((ms, i) => (ms - before[i]) / (purges + warmUp));
  const row = [
    log,
    followers,
    quantile(accepted, 0.5),
    quantile(accepted, 0.99),
    quantile(each, 0.5),
    quantile(last, 0.5),
    quantile(last, 0.99),
    quantile(last, 1),
    controlMs.toFixed(1),
    nodeMs.reduce((sum, ms) => sum + ms, 0).toFixed(1),
  ];
  print(`| ${row.join(" | ")} |`);
} finally {
  for (const child of children) {
    child.kill("SIGKILL");
    await child.status;
  }
  await broker?.[Symbol.asyncDispose]();
  await Deno.remove(dir, { recursive: true });
  await Deno.remove(nodeDir, { recursive: true });
}
Deno.exit(0);
