import assert from "node:assert/strict";
import fc from "fast-check";
import type { DiskFaultReason } from "./disk_fault.ts";
import type { StoredEntry, StoredResponse } from "./store.ts";
import { assertBytes, putObject, readObject, suiteBody, suiteResponse } from "./store_suite.ts";
import { openTieredStore, type TieredStore, type TieredStoreOptions } from "./tiered_store.ts";

const MiB = 2 ** 20;
/** Larger than what 4 MiB of memory take: 224 KiB. */
const largeBytes = 250_000;

type Options = Partial<TieredStoreOptions> & { readonly diskBytes?: number };

/** A folder for one store after the other. */
class Home implements AsyncDisposable {
  readonly faults: DiskFaultReason[] = [];
  store!: TieredStore;

  constructor(readonly dir: string) {}

  static async make(options: Options = {}): Promise<Home> {
    const home = new Home(await Deno.makeTempDir({ prefix: "downlink-tiers-" }));
    await home.open(options);
    return home;
  }

  async open({ diskBytes = 16 * MiB, ...options }: Options = {}): Promise<TieredStore> {
    const disk = { dir: this.dir, budgetBytes: diskBytes, durable: false };
    const onFault = ({ reason }: { reason: DiskFaultReason }) => void this.faults.push(reason);
    return this.store = await openTieredStore({ memoryBytes: 4 * MiB, disk, onFault, ...options });
  }

  async reopen(options: Options = {}): Promise<TieredStore> {
    await this.store.close();
    return await this.open(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    await Deno.remove(this.dir, { recursive: true });
  }
}

async function put(
  store: TieredStore,
  key: string,
  bytes = 1000,
  change: Partial<StoredResponse> = {},
): Promise<StoredEntry> {
  const entry = await putObject(store, suiteResponse(key, change), suiteBody(bytes, bytes));
  return entry ?? assert.fail(`${key} was not admitted`);
}

function only(store: TieredStore, key: string): StoredEntry {
  const found = store.find(key);
  assert.equal(found.length, 1, key);
  return found[0];
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const lastMs = performance.now() + 30_000; !holds();) {
    assert.ok(performance.now() < lastMs, `never came true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function filesUnder(dir: string): Promise<number> {
  let files = 0;
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    files += isDirectory ? await filesUnder(`${dir}/${name}`) : 1;
  }
  return files;
}

Deno.test("a small object is in memory at once and on the disk after its rest", async () => {
  await using home = await Home.make({ restMs: 300 });
  const { store } = home;
  assert.ok((await put(store, "/a")).memory);
  assert.deepEqual([store.memory.count, store.disk.count], [1, 0]);
  await until("it is on the disk", () => store.disk.count === 1);
  assert.deepEqual([store.memory.count, store.disk.count, store.count], [1, 1, 1]);
  assert.ok(only(store, "/a").memory, "memory is looked at first");
});

Deno.test("a large object is on the disk only", async () => {
  await using home = await Home.make();
  assert.equal((await put(home.store, "/a", largeBytes)).memory, undefined);
  assert.deepEqual([home.store.memory.count, home.store.disk.count], [0, 1]);
  assertBytes(await readObject(only(home.store, "/a")), suiteBody(largeBytes, largeBytes));
});

Deno.test("what is replaced all the time is never written", async () => {
  await using home = await Home.make();
  for (let version = 0; version < 100; version++) {
    await put(home.store, "/live.m3u8", 500 + version);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.equal(home.store.disk.count, 0);
  assert.equal(await filesUnder(`${home.dir}/objects`), 0);
});

Deno.test("an object comes back to memory at its second use on the disk", async () => {
  await using home = await Home.make();
  await put(home.store, "/a");
  await put(home.store, "/large", largeBytes);
  const store = await home.reopen();
  store.touch(only(store, "/a"));
  await store.settled();
  assert.equal(only(store, "/a").memory, undefined, "once is a scan");
  for (let use = 0; use < 3; use++) store.touch(only(store, "/large"));
  store.touch(only(store, "/a"));
  await store.settled();
  const entry = only(store, "/a");
  assertBytes(entry.memory ?? assert.fail("in memory"), suiteBody(1000, 1000));
  assert.deepEqual(entry.response, suiteResponse("/a"));
  assert.deepEqual([store.memory.count, store.disk.count, store.count], [1, 2, 2]);
});

Deno.test("an object that goes or changes while it is read back is not brought back", async () => {
  await using home = await Home.make();
  for (const key of ["/removed", "/replaced", "/updated"]) await put(home.store, key);
  const store = await home.reopen();
  for (const key of ["/removed", "/replaced", "/updated"]) {
    const entry = only(store, key);
    store.touch(entry);
    store.touch(entry); // reading begins
    if (key === "/removed") store.remove(entry);
    if (key === "/replaced") await put(store, key, 2000);
    if (key === "/updated") await store.update(entry, suiteResponse(key, { fillSeq: 9 }));
  }
  await store.settled();
  assert.deepEqual(store.find("/removed"), []);
  assert.equal(only(store, "/replaced").bodyBytes, 2000);
  assert.equal(only(store, "/updated").response.fillSeq, 9);
  assert.equal(store.count, 2);
});

Deno.test("variants come newest first whichever tier they are in", async () => {
  await using home = await Home.make();
  const variants = ["small 1", "large 2", "small 3", "large 4"];
  for (const [i, variant] of variants.entries()) {
    const bytes = variant.startsWith("large") ? largeBytes : 1000;
    await put(home.store, "/a", bytes, { variant, receivedMs: i });
  }
  const order = (store: TieredStore) => store.find("/a").map(({ response }) => response.variant);
  assert.deepEqual(order(home.store), variants.toReversed());
  const store = await home.reopen();
  assert.deepEqual(order(store), variants.toReversed());
  const oldest = store.find("/a")[3];
  for (let use = 0; use < 2; use++) store.touch(oldest);
  await store.settled();
  assert.ok(store.find("/a")[3].memory, "promoted");
  assert.deepEqual(order(store), variants.toReversed());
});

Deno.test("what an earlier process left is hidden until it is released", async () => {
  await using home = await Home.make();
  for (const key of ["/a", "/b", "/c"]) await put(home.store, key);
  const store = await home.reopen({ holdBack: true });
  assert.deepEqual(store.find("/a"), []);
  assert.equal(store.count, 3, "a sweep sees it");
  await put(store, "/a", 2000);
  await put(store, "/large", largeBytes);
  assert.equal(only(store, "/a").bodyBytes, 2000);
  assert.equal(only(store, "/large").bodyBytes, largeBytes);
  for (const entry of store.entries()) if (entry.response.key === "/b") store.remove(entry);
  store.release();
  assert.equal(only(store, "/a").bodyBytes, 2000);
  assert.deepEqual(store.find("/b"), []);
  assert.equal(only(store, "/c").bodyBytes, 1000);
});

/** Makes every write fail, whoever asks: a file stands where a folder must be. */
async function breakWrites(dir: string): Promise<void> {
  await Deno.remove(`${dir}/unfinished`, { recursive: true });
  await Deno.writeTextFile(`${dir}/unfinished`, "");
}

Deno.test("a disk that cannot be written to is left alone, and memory goes on", async () => {
  const circuit = { faults: 3, pauseMs: 1000 };
  await using home = await Home.make({ circuit, restMs: 0 });
  const { store, faults } = home;
  await breakWrites(home.dir);
  for (let i = 0; i < 20; i++) {
    await put(store, `/${i}`);
    await store.settled();
  }
  assert.equal(store.resting.writes, true);
  assert.equal(faults.filter((reason) => reason === "write_failed").length, 3);
  for (let i = 0; i < 20; i++) assert.ok(only(store, `/${i}`).memory);
  assert.ok((await put(store, "/large", largeBytes)).memory, "memory takes what it can");
  await Deno.remove(`${home.dir}/unfinished`);
  await until("the disk is tried again", () => !store.resting.writes);
  await put(store, "/after");
  await store.settled();
  assert.equal(store.disk.count, 1);
});

Deno.test("a disk that cannot be read from is not looked at for a while", async () => {
  await using home = await Home.make({ restMs: 0 });
  for (let i = 0; i < 10; i++) await put(home.store, `/${i}`);
  const store = await home.reopen({ circuit: { faults: 3, pauseMs: 5000 } });
  await Deno.remove(`${home.dir}/objects`, { recursive: true });
  let failed = 0;
  for (let i = 0; i < 10; i++) {
    for (const entry of store.find(`/${i}`)) {
      await readObject(entry).catch(() => failed++);
    }
  }
  assert.equal(failed, 3, "three clients saw it");
  assert.equal(store.resting.reads, true);
  await put(store, "/9", 2000);
  assert.equal(only(store, "/9").bodyBytes, 2000);
});

Deno.test("damaged objects cost themselves, not the disk", async () => {
  await using home = await Home.make();
  for (let i = 0; i < 20; i++) await put(home.store, `/${i}`);
  await home.store.settled();
  let damaged = 0;
  for await (const folder of Deno.readDir(`${home.dir}/objects`)) {
    for await (const { name } of Deno.readDir(`${home.dir}/objects/${folder.name}`)) {
      if (damaged++ < 10) await Deno.truncate(`${home.dir}/objects/${folder.name}/${name}`, 100);
    }
  }
  let store = await home.reopen({ circuit: { faults: 3 } });
  let failed = 0;
  for (const entry of store.entries()) await readObject(entry).catch(() => failed++);
  assert.deepEqual([failed, store.count, store.resting.reads], [10, 10, false]);
  await Deno.writeTextFile(`${home.dir}/journal`, "lost\n");
  for (const [i, entry] of [...store.entries()].entries()) if (i < 5) store.remove(entry);
  store = await home.reopen({ circuit: { faults: 3 } });
  assert.deepEqual([store.count, store.resting.reads], [5, false]);
});

/** What the test of interleavings does. */
const operation = fc.record({
  do: fc.constantFrom("small", "large", "remove", "update", "touch", "tick", "wait"),
  key: fc.nat(2),
});

Deno.test("one version of an object, the newest, is found at any time and after a restart", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { minLength: 5, maxLength: 40 }),
      fc.constantFrom(0, 1),
      async (operations, restMs) => {
        await using home = await Home.make({ restMs, memoryBytes: MiB });
        const expected = new Map<string, { readonly bytes: number; readonly fillSeq: number }>();
        const commits: Promise<unknown>[] = [];
        const check = async (store: TieredStore, settled: boolean) => {
          for (let key = 0; key < 3; key++) {
            const found = store.find(`/${key}`);
            assert.ok(found.length <= 1);
            const is = found.map(({ bodyBytes, response: { fillSeq } }) => ({
              bytes: bodyBytes,
              fillSeq,
            }));
            const want = expected.get(`/${key}`);
            if (settled) assert.deepEqual(is, want === undefined ? [] : [want]);
            for (const entry of settled ? found : []) {
              const { bodyBytes } = entry;
              assertBytes(await readObject(entry), suiteBody(bodyBytes, bodyBytes));
            }
          }
        };
        for (const [seq, { do: action, key: number }] of operations.entries()) {
          const { store } = home;
          const key = `/${number}`;
          const [entry] = store.find(key);
          if (action === "small" || action === "large") {
            const bytes = (action === "large" ? 70_000 : 1000) + seq;
            const writer = store.open(suiteResponse(key, { fillSeq: seq }));
            await writer.write(suiteBody(bytes, bytes));
            commits.push(writer.commit());
            expected.set(key, { bytes, fillSeq: seq });
          } else if (action === "tick") {
            await new Promise((resolve) => setTimeout(resolve, 1));
          } else if (action === "wait") {
            await Promise.all(commits);
            await check(store, true);
          } else if (entry === undefined || entry.response.fillSeq !== expected.get(key)?.fillSeq) {
            continue; // the newest is still on its way
          } else if (action === "remove") {
            store.remove(entry);
            expected.delete(key);
          } else if (action === "update") {
            await store.update(entry, { ...entry.response, fillSeq: seq });
            expected.set(key, { bytes: entry.bodyBytes, fillSeq: seq });
          } else {
            store.touch(entry);
          }
          await check(store, false);
        }
        await Promise.all(commits);
        await check(home.store, true);
        await check(await home.reopen(), true);
        assert.deepEqual(home.faults, []);
      },
    ),
    { numRuns: 60 },
  );
});
