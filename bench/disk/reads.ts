/**
 * `deno run -A bench/disk/reads.ts [DIR]`: how long reads of the disk tier take beside a flood of fills,
 * with the bound on writes and without. Objects of 256 KiB, read whole, at random, one after the
 * other; as root the page cache is dropped before each round, so that reads come from the disk.
 *
 * @module
 */

import { openTieredStore, type StoredResponse } from "#cache";

const MiB = 2 ** 20;
const objects = 3000;
const bodyBytes = 256 * 1024;
const seconds = 6;
const floodBytes = 4 * MiB;
/** What the fills bring, whether it is written or not. */
const floodBytesPerSecond = 400 * MiB;

const encoder = new TextEncoder();
const print = (line: string) => void Deno.stdout.writeSync(encoder.encode(`${line}\n`));
const dir = await Deno.makeTempDir({ prefix: "downlink-bench-", dir: Deno.args[0] });

function response(key: string): StoredResponse {
  const times = { requestSentMs: 0, receivedMs: 0, fillSeq: 0 };
  return { key, variant: "", status: 200, fields: [], tags: [], ...times };
}

function open(writeBytesPerSecond: number) {
  return openTieredStore({
    memoryBytes: 4 * MiB, // so small that nothing read stays in memory
    disk: { dir, budgetBytes: 20_000 * MiB, durable: false },
    writeBytesPerSecond,
  });
}

type OpenStore = Awaited<ReturnType<typeof open>>;

async function put(store: OpenStore, key: string, bytes: number): Promise<void> {
  const writer = store.open(response(key), bytes);
  for (let at = 0; at < bytes; at += 256 * 1024) {
    writer.write(new Uint8Array(256 * 1024).fill(at));
  }
  await writer.commit();
}

/** Makes the next reads come from the disk; `false` where that is not allowed. */
async function dropPageCache(): Promise<boolean> {
  try {
    await new Deno.Command("sync").output();
    await Deno.writeTextFile("/proc/sys/vm/drop_caches", "1");
    return true;
  } catch {
    return false;
  }
}

/** Reads for some seconds; returns how long each object took, in milliseconds. */
async function readAtRandom(store: OpenStore, until: number): Promise<number[]> {
  const took: number[] = [];
  for (let n = 1; performance.now() < until; n++) {
    const [entry] = store.find(`/${(n * 7919) % objects}`);
    const start = performance.now();
    for await (const _ of entry.read(0, entry.bodyBytes));
    took.push(performance.now() - start);
  }
  return took;
}

async function flood(store: OpenStore, until: number): Promise<void> {
  const start = performance.now();
  for (let n = 0; performance.now() < until; n++) {
    const dueMs = start + 1000 * n * floodBytes / floodBytesPerSecond;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
    void put(store, `/flood-${n % 200}`, floodBytes);
  }
}

async function round(how: string, rate: number, flooding: boolean): Promise<void> {
  const store = await open(rate);
  const cold = await dropPageCache();
  const until = performance.now() + 1000 * seconds;
  const [took] = await Promise.all([
    readAtRandom(store, until),
    flooding ? flood(store, until) : undefined,
  ]);
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * sorted.length)].toFixed(2);
  const written = (store.disk.writtenBytes / MiB / seconds).toFixed(0);
  await store.close();
  const cells = [how, took.length, at(0.5), at(0.99), sorted.at(-1)?.toFixed(0), written];
  print(`| ${[...cells, cold ? "cold" : "warm"].join(" | ")} |`);
}

try {
  const store = await open(Infinity);
  for (let n = 0; n < objects; n++) {
    await put(store, `/${n}`, bodyBytes);
    if (n % 20 === 0) await store.settled();
  }
  await store.close();
  print("| writes | reads | p50 ms | p99 ms | most ms | MiB/s written | page cache |");
  print("| --- | --- | --- | --- | --- | --- | --- |");
  for (let turn = 0; turn < 2; turn++) {
    await round("none", Infinity, false);
    await round("flood, 64 MiB/s", 64 * MiB, true);
    await round("flood, no bound", Infinity, true);
  }
} finally {
  await Deno.remove(dir, { recursive: true });
}
