/**
 * `deno run -A bench/peers/hits.ts [rounds]`: what a cache hit costs, ours beside nginx and Varnish in
 * one run. Rounds are interleaved; the table shows medians: requests per second and CPU microseconds
 * a request of the server's process tree, and our cost as a ratio of the better peer's.
 *
 * @module
 */

import { type Server, startEdge, startNginx, startOrigin, startVarnish } from "./servers.ts";

/** One measurement of one server. */
interface Sample {
  readonly requestsPerSecond: number;
  readonly cpuMicroseconds: number;
}

const sizes = [1 << 10, 64 << 10, 1 << 20];
const rounds = Number(Deno.args[0] ?? 5);
const ticksPerSecond = 100; // USER_HZ of Linux, fixed in its ABI

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** CPU time of processes since they started, in seconds (proc(5), utime and stime). */
function cpuSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /, "").split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / ticksPerSecond;
}

async function load(url: string, seconds: number): Promise<number> {
  const args = ["-t1", "-c16", `-d${seconds}s`, url];
  const { stdout } = await new Deno.Command("wrk", { args }).output();
  const text = new TextDecoder().decode(stdout);
  const requests = Number(/(\d+) requests in/.exec(text)?.[1]);
  if (!(requests > 0) || /Non-2xx/.test(text)) {
    throw new Error(`Cannot measure ${url}: wrk says ${text}`);
  }
  return requests;
}

async function measure(server: Server, size: number): Promise<Sample> {
  const seconds = 3;
  const before = cpuSeconds(server.pids());
  const requests = await load(`${server.url}/${size}`, seconds);
  const cpu = cpuSeconds(server.pids()) - before;
  return { requestsPerSecond: requests / seconds, cpuMicroseconds: cpu / requests * 1e6 };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Measures all servers with all sizes, round after round. */
async function measureAll(servers: readonly Server[]): Promise<Map<string, Sample[]>> {
  const samples = new Map<string, Sample[]>();
  for (const server of servers) for (const size of sizes) await load(`${server.url}/${size}`, 1);
  for (let round = 0; round < rounds; round++) {
    for (const size of sizes) {
      for (const server of servers) {
        const key = `${server.name} ${size}`;
        samples.set(key, [...samples.get(key) ?? [], await measure(server, size)]);
      }
    }
  }
  return samples;
}

function printTable(names: readonly string[], samples: ReadonlyMap<string, Sample[]>): void {
  print(
    `Cache hits, 16 connections, one wrk thread, median of ${rounds} interleaved rounds of 3 s`,
  );
  print("");
  print("| body | server | requests/s | CPU us/request | ours / best peer |");
  print("| --- | --- | ---: | ---: | ---: |");
  for (const size of sizes) {
    const of = (name: string, pick: (one: Sample) => number) =>
      median(samples.get(`${name} ${size}`)!.map(pick));
    const cost = (name: string) => of(name, (one) => one.cpuMicroseconds);
    const best = Math.min(...names.slice(1).map(cost));
    for (const name of names) {
      const rate = of(name, (one) => one.requestsPerSecond).toFixed(0);
      const ratio = name === names[0] ? (cost(name) / best).toFixed(2) : "";
      const label = size < 1 << 20 ? `${size >> 10} KB` : "1 MB";
      print(`| ${label} | ${name} | ${rate} | ${cost(name).toFixed(1)} | ${ratio} |`);
    }
  }
}

const origin = startOrigin();
const servers: Server[] = [];
try {
  for (const start of [startEdge, startNginx, startVarnish]) servers.push(await start(origin.url));
  const samples = await measureAll(servers);
  printTable(servers.map((server) => server.name), samples);
} finally {
  await Promise.all(servers.map((server) => server.stop()));
  await origin.stop();
}
