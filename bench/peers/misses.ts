/**
 * `deno run -A bench/peers/misses.ts [rounds]`: many clients on one cold segment that the origin sends
 * slowly, ours beside nginx, Varnish and Traffic Server, each set to ask once for all who ask.
 *
 * - Fetches: how often the origin was asked for the segment by 1,000 clients who ask before it sends
 *   anything.
 * - Waiting: how much later than the leader a waiter had its first byte of the body, with 16 waiters
 *   (so that the writing to the others is not what is measured).
 * - Joining: from the request of a client who comes while the body arrives to its first byte.
 *
 * @module
 */

import { median, print } from "./load.ts";
import {
  type Server,
  startEdge,
  startNginx,
  startTrafficServer,
  startVarnish,
  stopAll,
} from "./servers.ts";

const rounds = Number(Deno.args[0] ?? 5);
const clients = 1000;
const waiters = 16;
const pieceBytes = 16 * 1024;
const pieces = 20;
/** Until the origin sends the first byte, and between two pieces. */
const quietMs = 400;
const pieceMs = 50;

/** Counts what it is asked for. `/1` is answered at once. */
function startSlowOrigin() {
  const fetches = new Map<string, number>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    const headers = { "cache-control": "public, max-age=3600", "content-type": "video/mp2t" };
    if (pathname === "/1") return new Response("x", { headers });
    fetches.set(pathname, (fetches.get(pathname) ?? 0) + 1);
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await wait(sent === 0 ? quietMs : pieceMs);
        controller.enqueue(new Uint8Array(pieceBytes).fill(97));
        if (++sent === pieces) controller.close();
      },
    }, { highWaterMark: 0 });
    return new Response(body, {
      headers: { ...headers, "content-length": String(pieces * pieceBytes) },
    });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    fetches,
    stop: () => server.shutdown(),
  };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** One client with its connection open. */
class Client {
  private constructor(readonly conn: Deno.TcpConn) {}

  static async connect(server: Server): Promise<Client> {
    const port = Number(new URL(server.url).port);
    return new Client(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /**
   * Asks, reads the whole answer and closes.
   *
   * @returns When the first byte of the body came, on the clock of `performance.now()`.
   */
  async get(path: string): Promise<number> {
    const request = `GET ${path} HTTP/1.1\r\nHost: bench.test\r\nConnection: close\r\n\r\n`;
    await this.conn.write(new TextEncoder().encode(request));
    const room = new Uint8Array(64 * 1024);
    let head = "";
    let firstMs: number | undefined;
    for (let count; (count = await this.conn.read(room)) !== null;) {
      if (firstMs !== undefined) continue;
      head += new TextDecoder().decode(room.subarray(0, count));
      const end = head.indexOf("\r\n\r\n");
      if (end !== -1 && head.length > end + 4) firstMs = performance.now();
    }
    this.conn.close();
    if (firstMs === undefined || !head.startsWith("HTTP/1.1 200")) {
      throw new Error(`Cannot measure: need a 200 with a body: received ${head.slice(0, 40)}`);
    }
    return firstMs;
  }
}

async function crowd(server: Server, path: string, count: number): Promise<number[]> {
  const all: Client[] = [];
  while (all.length < count) all.push(await Client.connect(server));
  const leading = all[0].get(path);
  await wait(20); // the leader's request is under way
  return await Promise.all([leading, ...all.slice(1).map((client) => client.get(path))]);
}

/** How much later than the leader the waiters had something, in milliseconds. */
async function waiting(server: Server, path: string): Promise<number[]> {
  const [leader, ...others] = await crowd(server, path, 1 + waiters);
  return others.map((ms) => ms - leader);
}

/** How long those wait who come while the body arrives, in milliseconds. */
async function joining(server: Server, path: string): Promise<number[]> {
  const leading = (await Client.connect(server)).get(path);
  await wait(quietMs + 2 * pieceMs);
  const times: number[] = [];
  const reading: Promise<unknown>[] = [];
  for (let n = 0; n < 8; n++) {
    const client = await Client.connect(server);
    const startMs = performance.now();
    reading.push(client.get(path).then((ms) => times.push(ms - startMs)));
    await wait(pieceMs / 2);
  }
  await Promise.all([leading, ...reading]);
  return times;
}

const origin = startSlowOrigin();
const servers: Server[] = [];
try {
  servers.push(await startEdge(origin.url));
  servers.push(await startNginx(origin.url, { collapse: true }));
  servers.push(await startVarnish(origin.url));
  servers.push(await startTrafficServer(origin.url));
  print(`${clients} clients on one cold segment; median of ${rounds} rounds (waiting, joining)`);
  print("");
  print("| server | fetches for 1,000 | waiting, ms | joining, ms |");
  print("| --- | ---: | ---: | ---: |");
  const waited = new Map(servers.map(({ name }) => [name, [] as number[]]));
  const joined = new Map(servers.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    for (const server of servers) {
      waited.get(server.name)!.push(...await waiting(server, `/w${round}-${server.name}`));
      joined.get(server.name)!.push(...await joining(server, `/j${round}-${server.name}`));
    }
  }
  for (const server of servers) {
    const path = `/crowd-${server.name}`;
    await crowd(server, path, clients);
    const figures = [waited, joined].map((times) => median(times.get(server.name)!).toFixed(1));
    print(`| ${server.name} | ${origin.fetches.get(path)} | ${figures.join(" | ")} |`);
  }
} finally {
  await stopAll(servers);
  await origin.stop();
}
