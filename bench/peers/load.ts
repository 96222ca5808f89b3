/**
 * Loads servers with wrk and reads what each answer costs them.
 *
 * @module
 */

import type { Server } from "./servers.ts";

/** One measurement of one server. */
export interface Sample {
  readonly requestsPerSecond: number;
  readonly cpuMicroseconds: number;
}

/** What is asked for. */
export interface Case {
  readonly label: string;
  /** Every path that is asked for; all are fetched once before anything is measured. */
  readonly paths: readonly string[];
  /** Requests of its own, see {@link script}; without it wrk repeats the first path. */
  readonly script?: string;
}

const ticksPerSecond = 100; // USER_HZ of Linux, fixed in its ABI
const connections = 16;
const roundSeconds = 1;

/** CPU time of processes since they started, in seconds (proc(5), utime and stime). */
export function cpuSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /, "").split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / ticksPerSecond;
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Writes a line to the standard output. */
export function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

/**
 * Returns a wrk script that asks for `paths` in turn. The requests are made before the run, so that
 * what they hold costs wrk nothing.
 *
 * @param lines Field lines of the n-th request, besides `Host`.
 */
export function script(paths: readonly string[], lines: (n: number) => readonly string[]): string {
  const requests = paths.map((path, n) =>
    JSON.stringify([`GET ${path} HTTP/1.1`, "Host: bench.test", ...lines(n), "", ""].join("\r\n"))
  );
  return `local requests = {\n${requests.join(",\n")}\n}
local n = 0
function request()
  n = n % #requests + 1
  return requests[n]
end
`;
}

/** Measures one server with one case for a second. */
export async function measure(server: Server, one: Case, file?: string): Promise<Sample> {
  const args = ["-t1", `-c${connections}`, `-d${roundSeconds}s`, `${server.url}${one.paths[0]}`];
  if (file !== undefined) args.unshift("-s", file);
  const before = cpuSeconds(server.pids());
  const { stdout } = await new Deno.Command("wrk", { args }).output();
  const cpu = cpuSeconds(server.pids()) - before;
  const text = new TextDecoder().decode(stdout);
  const requests = Number(/(\d+) requests in/.exec(text)?.[1]);
  if (!(requests > 0) || /Non-2xx/.test(text)) {
    throw new Error(
      `Cannot measure ${server.name}: need answers to ${one.label}: wrk says ${text}`,
    );
  }
  return {
    requestsPerSecond: requests / roundSeconds,
    cpuMicroseconds: cpu / requests * 1e6,
  };
}

/** Fetches everything once, a few at a time. */
async function warm(server: Server, paths: readonly string[]): Promise<void> {
  const rest = [...paths];
  const one = async () => {
    for (let path = rest.pop(); path !== undefined; path = rest.pop()) {
      await (await fetch(`${server.url}${path}`)).bytes();
    }
  };
  await Promise.all([one(), one(), one(), one()]);
}

/**
 * Measures all servers with all cases, round after round, and prints the medians.
 *
 * @param servers Ours first; those named like ours with more behind it are ours as well.
 */
export async function compare(
  servers: readonly Server[],
  cases: readonly Case[],
  rounds: number,
): Promise<void> {
  const samples = new Map<string, Sample[]>();
  const dir = await Deno.makeTempDir({ prefix: "bench-wrk-" });
  try {
    for (const [n, one] of cases.entries()) {
      if (one.script) await Deno.writeTextFile(`${dir}/${n}.lua`, one.script);
      for (const server of servers) {
        await warm(server, one.paths);
        await measure(server, one, one.script && `${dir}/${n}.lua`);
      }
    }
    for (let round = 0; round < rounds; round++) {
      for (const [n, one] of cases.entries()) {
        for (const server of servers) {
          const key = `${server.name} ${one.label}`;
          const sample = await measure(server, one, one.script && `${dir}/${n}.lua`);
          samples.set(key, [...samples.get(key) ?? [], sample]);
        }
      }
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
  printTable(servers.map(({ name }) => name), cases, samples);
}

function printTable(
  names: readonly string[],
  cases: readonly Case[],
  samples: ReadonlyMap<string, Sample[]>,
): void {
  print("| what | server | requests/s | CPU us/request | ours / best peer |");
  print("| --- | --- | ---: | ---: | ---: |");
  for (const { label } of cases) {
    const of = (name: string, pick: (one: Sample) => number) =>
      median(samples.get(`${name} ${label}`)!.map(pick));
    const cost = (name: string) => of(name, (one) => one.cpuMicroseconds);
    const isOurs = (name: string) => name.startsWith(names[0]);
    const peers = names.filter((name) => !isOurs(name));
    const best = Math.min(...(peers.length > 0 ? peers : names.slice(0, 1)).map(cost));
    for (const name of names) {
      const rate = of(name, (one) => one.requestsPerSecond).toFixed(0);
      const ratio = isOurs(name) ? (cost(name) / best).toFixed(2) : "";
      print(`| ${label} | ${name} | ${rate} | ${cost(name).toFixed(1)} | ${ratio} |`);
    }
  }
}
