/**
 * `deno run -A --v8-flags=--expose-gc bench/disk/index.ts [objects]`: what the disk tier's index costs:
 * bytes of memory an object, and seconds to reopen a store of so many, from its journal and without.
 * The files are small (1 KiB): the index knows nothing of their size.
 *
 * @module
 */

import process from "node:process";
import { openDiskStore, type StoredResponse } from "#cache";

const objects = Number(Deno.args[0] ?? 200_000);
const dir = await Deno.makeTempDir({ prefix: "downlink-bench-" });
const options = { dir, budgetBytes: 50 * 2 ** 30, durable: false, maxObjects: 2 * objects };

/** A media segment as an origin sends it. */
function segment(n: number): StoredResponse {
  return {
    key: `/one/cmaf/video-${n}.m4s`,
    variant: "",
    status: 200,
    fields: [
      ["cache-control", "max-age=86400, immutable"],
      ["content-type", "video/iso.segment"],
      ["date", "Sun, 06 Nov 1994 08:49:37 GMT"],
      ["etag", `"${n.toString(16).padStart(16, "0")}"`],
      ["surrogate-key", "one"],
    ],
    requestSentMs: 1_000_000 + n,
    receivedMs: 1_000_010 + n,
    fillSeq: 7,
    tags: ["one"],
  };
}

/** Heap and buffers in use, in bytes. */
function usedBytes(): number {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) {
    throw new Error("Cannot measure: need --v8-flags=--expose-gc: received none");
  }
  for (let i = 0; i < 3; i++) gc();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

async function reopen(how: string): Promise<void> {
  const before = usedBytes();
  const start = performance.now();
  const startCpu = process.cpuUsage();
  const store = await openDiskStore(options);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(startCpu);
  const cpuSeconds = (user + system) / 1e6;
  await store.sync(); // lines that wait for the journal are not the index
  const each = (usedBytes() - before) / store.count;
  const took = `${seconds.toFixed(2)} s, ${cpuSeconds.toFixed(2)} s of CPU`;
  print(`${how}: ${store.count} objects, ${took}, ${each.toFixed(0)} bytes each`);
  await store.close();
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

try {
  const store = await openDiskStore(options);
  const body = new Uint8Array(1024);
  for (let n = 0; n < objects;) {
    const batch = [];
    for (; n < objects && batch.length < 64; n++) {
      const writer = store.open(segment(n), body.length);
      void writer.write(body);
      batch.push(writer.commit());
    }
    await Promise.all(batch);
  }
  await store.close();
  await reopen("with its journal");
  await Deno.remove(`${dir}/journal`);
  await reopen("without");
} finally {
  await Deno.remove(dir, { recursive: true });
}
