/**
 * `deno run -A bench/http1/slow_clients.ts [slow] [idle]`: what slow and idle clients cost the front of
 * `downlink-edge`, on loopback. 5 000 clients dribble their heads while new ones come, and then
 * 10 000 connections lie idle. Each number is measured at the client or read from the kernel.
 *
 * @module
 */

import { type Server, startEdge, startOrigin } from "../peers/servers.ts";

const slowClients = Number(Deno.args[0] ?? 5_000);
const idleClients = Number(Deno.args[1] ?? 10_000);
const newClients = 500;
const dribbleMs = 1_000;
const encoder = new TextEncoder();
const request = encoder.encode("GET /1024 HTTP/1.1\r\nHost: bench\r\n\r\n");
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function print(line: string): void {
  Deno.stdout.writeSync(encoder.encode(`${line}\n`));
}

/** Resident memory of the processes, in bytes (proc(5)). */
function residentBytes(pids: readonly number[]): number {
  const kib = pids.map((pid) =>
    Number(/VmRSS:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1] ?? 0)
  );
  return kib.reduce((sum, one) => sum + one, 0) * 1024;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** Each client of its own loopback port; fifty at a time, so that the backlog is not the test. */
async function connectMany(count: number, port: number): Promise<Deno.TcpConn[]> {
  const conns: Deno.TcpConn[] = [];
  while (conns.length < count) {
    const some = Math.min(50, count - conns.length);
    const connect = () => Deno.connect({ hostname: "127.0.0.1", port });
    conns.push(...await Promise.all(Array.from({ length: some }, connect)));
  }
  return conns;
}

/** Milliseconds from connecting to the first byte of an answer. */
async function firstByteMs(port: number): Promise<number> {
  const startMs = performance.now();
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(request);
  await conn.read(new Uint8Array(4096));
  conn.close();
  return performance.now() - startMs;
}

async function firstBytes(port: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < newClients; n++) {
    times.push(await firstByteMs(port));
    await wait(5);
  }
  return times;
}

/** Sends one octet of a head a second until cut off; returns how long the connection lived. */
async function dribble(conn: Deno.TcpConn): Promise<number> {
  const startMs = performance.now();
  let open = true;
  const timer = setInterval(() => {
    if (open) conn.write(encoder.encode("a")).catch(() => {});
  }, dribbleMs);
  await conn.write(encoder.encode("GET /"));
  const room = new Uint8Array(256);
  while (await conn.read(room).catch(() => null) !== null);
  open = false;
  clearInterval(timer);
  conn.close();
  return performance.now() - startMs;
}

async function slowHeads(port: number): Promise<void> {
  const quiet = await firstBytes(port);
  const conns = await connectMany(slowClients, port);
  const lives = conns.map(dribble);
  const busy = await firstBytes(port);
  const lived = await Promise.all(lives);
  const p = (times: readonly number[]) =>
    `${quantile(times, 0.5).toFixed(1)} | ${quantile(times, 0.99).toFixed(1)}`;
  print("| new clients' first byte | p50 ms | p99 ms |");
  print("| --- | ---: | ---: |");
  print(`| nobody else | ${p(quiet)} |`);
  print(`| beside ${slowClients} slow heads | ${p(busy)} |`);
  print("");
  print(
    `Slow heads were gone after ${(Math.min(...lived) / 1000).toFixed(1)} to ${
      (Math.max(...lived) / 1000).toFixed(1)
    } s.`,
  );
}

async function idleConnections({ pids }: Server, port: number): Promise<void> {
  await wait(1_000);
  const before = residentBytes(pids());
  const conns = await connectMany(idleClients, port);
  for (let n = 0; n < conns.length; n += 50) {
    await Promise.all(
      conns.slice(n, n + 50).map(async (conn) => {
        await conn.write(request);
        await conn.read(new Uint8Array(4096));
      }),
    );
  }
  await wait(1_000);
  const after = residentBytes(pids());
  const each = (after - before) / conns.length / 1024;
  print(
    `${conns.length} idle connections: ${(before / 1e6).toFixed(0)} MB -> ${
      (after / 1e6).toFixed(0)
    } MB resident, ${each.toFixed(1)} KiB each; first byte beside them: ${
      quantile(await firstBytes(port), 0.99).toFixed(1)
    } ms p99.`,
  );
  for (const conn of conns) conn.close();
}

const origin = startOrigin();
const edge = await startEdge(origin.url);
try {
  const port = Number(new URL(edge.url).port);
  await firstByteMs(port);
  await slowHeads(port);
  await idleConnections(edge, port);
} finally {
  await edge.stop();
  await origin.stop();
}
