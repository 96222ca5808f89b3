/**
 * `deno run -A bench/peers/slices.ts [rounds]`: ranges of one object of 4 GiB in slices of 1 MiB, ours
 * beside nginx (`slice 1m`): what 100 ranges cost the origin at first, and what each costs the server
 * when its slice is there.
 *
 * @module
 */

import { parseRange } from "#http";
import { type Case, compare, print, script } from "./load.ts";
import { type Server, startEdge, startNginx, stopAll } from "./servers.ts";

const rounds = Number(Deno.args[0] ?? 5);
const completeBytes = 4 * 2 ** 30;
const ranges = 100;

const starts = (bytes: number) =>
  Array.from({ length: ranges }, (_, n) => (n * 1_299_709_871) % (completeBytes - bytes));

function rangeOf(start: number, bytes: number): string {
  return `bytes=${start}-${start + bytes - 1}`;
}

/** An origin of the object that counts what is taken from it. */
function startOrigin() {
  const piece = new Uint8Array(2 ** 16);
  const taken = { bytes: 0, requests: 0 };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    if (!request.url.endsWith("/big")) return new Response("here");
    const range = request.headers.get("range");
    const [[start, end]] = (range && parseRange(range, completeBytes)) as [number, number][] ||
      [[0, completeBytes]];
    taken.requests++;
    let left = end - start;
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        const bytes = Math.min(left, piece.length);
        if (bytes > 0) controller.enqueue(piece.subarray(0, bytes));
        taken.bytes += bytes;
        if ((left -= bytes) === 0) controller.close();
      },
    }, { highWaterMark: 0 });
    const headers = new Headers({
      "accept-ranges": "bytes",
      "cache-control": "public, max-age=3600",
      "content-length": String(end - start),
      "etag": '"1"',
    });
    if (range !== null) {
      headers.set("content-range", `bytes ${start}-${end - 1}/${completeBytes}`);
    }
    return new Response(body, { status: range === null ? 200 : 206, headers });
  });
  return { taken, url: `http://127.0.0.1:${server.addr.port}`, stop: () => server.shutdown() };
}

/** Asks for each range once, one after the other. */
async function askOnce({ url }: Server, bytes: number): Promise<void> {
  for (const start of starts(bytes)) {
    const response = await fetch(`${url}/big`, { headers: { range: rangeOf(start, bytes) } });
    const got = (await response.bytes()).length;
    if (response.status !== 206 || got !== bytes) {
      throw new Error(`Cannot measure: need ${bytes} bytes of a range: received ${got}`);
    }
  }
}

function warmCase(label: string, bytes: number): Case {
  const lines = starts(bytes).map((start) => [`Range: ${rangeOf(start, bytes)}`]);
  const paths = lines.map(() => "/big");
  // Nothing is fetched whole to warm up: the script asks for the ranges.
  return { label, paths: ["/1"], script: script(paths, (n) => lines[n]) };
}

const origin = startOrigin();
const servers = [
  await startEdge(origin.url),
  await startNginx(origin.url, { slice: "1m" }),
];
try {
  print(`${ranges} ranges of 64 KB, each asked once, of an object of 4 GiB:\n`);
  print("| server | requests at the origin | MiB from the origin |");
  print("| --- | ---: | ---: |");
  for (const server of servers) {
    const before = { ...origin.taken };
    await askOnce(server, 2 ** 16);
    const mib = Math.round((origin.taken.bytes - before.bytes) / 2 ** 20);
    print(`| ${server.name} | ${origin.taken.requests - before.requests} | ${mib} |`);
  }
  print(`\nThe same again and again, median of ${rounds} rounds of 1 s:\n`);
  await compare(servers, [warmCase("1 KB", 2 ** 10), warmCase("64 KB", 2 ** 16)], rounds);
} finally {
  await stopAll(servers);
  await origin.stop();
}
