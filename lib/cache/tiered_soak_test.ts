import assert from "node:assert/strict";
import { chargeFor } from "./disk_object.ts";
import { suiteBody, suiteResponse } from "./store_suite.ts";
import { openTieredStore } from "./tiered_store.ts";

const MiB = 2 ** 20;
const memoryBytes = 2 * MiB;
const diskBytes = 8 * MiB;
/** As many as a live edge with segments of 1.2 s has in an hour. */
const rounds = 3000;

async function bytesUnder(dir: string): Promise<number> {
  let bytes = 0;
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    const path = `${dir}/${name}`;
    try {
      bytes += isDirectory ? await bytesUnder(path) : chargeFor((await Deno.stat(path)).size);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // it went meanwhile
    }
  }
  return bytes;
}

Deno.test("an hour of churn: both tiers stay within budget, in numbers and on the disk", async () => {
  const dir = await Deno.makeTempDir({ prefix: "downlink-soak-" });
  const faults: string[] = [];
  const store = await openTieredStore({
    memoryBytes,
    disk: { dir, budgetBytes: diskBytes, durable: false },
    restMs: 20,
    onFault: ({ reason }) => void faults.push(reason),
  });
  const body = suiteBody(1, 300_000);
  const put = async (key: string, bytes: number, fillSeq: number) => {
    const writer = store.open(suiteResponse(key, { fillSeq }));
    for (let at = 0; at < bytes; at += 64_000) {
      writer.write(body.slice(at, Math.min(at + 64_000, bytes)));
    }
    await writer.commit();
  };
  /** A request: reads what is there, else fetches it. */
  const ask = async (key: string, bytes: number, round: number) => {
    const [entry] = store.find(key);
    if (entry === undefined) return await put(key, bytes, round);
    store.touch(entry);
    assert.equal(entry.bodyBytes, bytes);
    for await (const piece of entry.read(0, Math.min(entry.bodyBytes, 10_000))) {
      assert.equal(piece[0], body[0]);
      break;
    }
  };
  let mostOnDisk = 0;
  try {
    for (let round = 0; round < rounds; round++) {
      await put("/live/index.m3u8", 700 + round % 100, round);
      await ask(`/live/${Math.floor(round / 3)}`, 20_000, round);
      await ask(`/vod/${(round * 7919) % 400}`, 5_000, round);
      if (round % 10 === 0) await ask(`/film/${(round * 31) % 97}`, 300_000, round);
      if (round % 17 === 0) {
        for (const entry of store.find(`/vod/${round % 400}`)) store.remove(entry);
      }
      if (round % 23 === 0) {
        for (const entry of store.find(`/vod/${round % 400}`)) {
          await store.update(entry, { ...entry.response, fillSeq: round });
        }
      }
      if (round % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      const { memory, disk } = store;
      assert.ok(memory.usedBytes <= memoryBytes, `memory: ${memory.usedBytes} in ${round}`);
      assert.ok(disk.usedBytes <= diskBytes, `disk: ${disk.usedBytes} in ${round}`);
      if (round % 100 === 99) {
        const onDisk = await bytesUnder(dir);
        mostOnDisk = Math.max(mostOnDisk, onDisk);
        // What is being removed is still there for a moment.
        assert.ok(onDisk <= 1.1 * diskBytes, `on the disk: ${onDisk} in ${round}`);
      }
    }
    await store.settled();
    assert.ok(mostOnDisk > diskBytes / 2, "the disk was in use");
    const entries = [...store.entries()];
    assert.equal(entries.length, store.count);
    assert.equal(new Set(entries.map(({ response }) => response.key)).size, entries.length);
    assert.deepEqual(faults.filter((reason) => reason !== "queue_full"), []);
  } finally {
    await store.close();
  }
  assert.ok(await bytesUnder(dir) <= diskBytes, "nothing is left behind");
  await Deno.remove(dir, { recursive: true });
});
