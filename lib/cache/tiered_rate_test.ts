import assert from "node:assert/strict";
import type { DiskFaultReason } from "./disk_fault.ts";
import { assertBytes, putObject, readObject, suiteBody, suiteResponse } from "./store_suite.ts";
import { openTieredStore, type TieredStore, type TieredStoreOptions } from "./tiered_store.ts";

const MiB = 2 ** 20;
/** Goes straight to the disk: a sixteenth of 7 MiB is less. */
const largeBytes = 600_000;

type Options = Pick<TieredStoreOptions, "writeBytesPerSecond"> & { readonly patient?: boolean };

async function withStore(
  { patient, writeBytesPerSecond }: Options,
  run: (store: TieredStore, faults: DiskFaultReason[]) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "downlink-rate-" });
  const faults: DiskFaultReason[] = [];
  const store = await openTieredStore({
    memoryBytes: 8 * MiB,
    disk: { dir, budgetBytes: 64 * MiB, durable: false, patient },
    restMs: 0,
    onFault: ({ reason }) => void faults.push(reason),
    writeBytesPerSecond,
  });
  try {
    await run(store, faults);
  } finally {
    await store.close();
    await Deno.remove(dir, { recursive: true });
  }
}

const put = (store: TieredStore, key: string, bytes: number) =>
  putObject(store, suiteResponse(key), suiteBody(bytes, bytes), { expectedBytes: bytes });

const turn = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("a flood of fills is written no faster than may be, served, and the rest counted", async () => {
  const writeBytesPerSecond = 2 * MiB;
  await withStore({ writeBytesPerSecond }, async (store, faults) => {
    const sinceMs = performance.now();
    for (let i = 0; i < 300; i++) {
      const entry = await put(store, `/${i}`, 60_000);
      assert.equal(entry?.memory?.length, 60_000, "in memory at once");
      if (i % 10 === 0) await turn(5);
    }
    await turn(50);
    const { writtenBytes } = store.disk;
    const passedSeconds = (performance.now() - sinceMs) / 1000;
    const mostBytes = writeBytesPerSecond * (1 + passedSeconds) + 2 * 64_000;
    assert.ok(writtenBytes > MiB && writtenBytes < mostBytes, `${writtenBytes} of ${mostBytes}`);
    assert.ok(faults.filter((reason) => reason === "over_write_rate").length > 100);
    assert.ok(store.memory.usedBytes <= store.memory.budgetBytes);
    assertBytes(await readObject(store.find("/299")[0]), suiteBody(60_000, 60_000));
  });
});

Deno.test("a large object over the write rate stays in memory, where it fits", async () => {
  await withStore({ writeBytesPerSecond: 1000 }, async (store, faults) => {
    assert.equal((await put(store, "/first", largeBytes))?.memory, undefined, "on the disk");
    assert.equal((await put(store, "/second", largeBytes))?.memory?.length, largeBytes);
    assert.equal(await put(store, "/huge", 3 * MiB), undefined);
    assert.deepEqual(faults, ["over_write_rate", "over_write_rate"]);
    assertBytes(await readObject(store.find("/first")[0]), suiteBody(largeBytes, largeBytes));
    assertBytes(await readObject(store.find("/second")[0]), suiteBody(largeBytes, largeBytes));
    assert.deepEqual(store.find("/huge"), []);
  });
});

Deno.test("an object that says no length is given up when it owes more than a second", async () => {
  await withStore({ writeBytesPerSecond: MiB }, async (store, faults) => {
    const writer = store.open(suiteResponse("/endless"));
    for (let sent = 0; sent < 4 * MiB; sent += 64_000) void writer.write(suiteBody(1, 64_000));
    assert.equal(await writer.commit(), undefined);
    assert.deepEqual(faults, ["over_write_rate"]);
    await writer.abort();
    assert.equal(store.disk.usedBytes, 0, "nothing is left of it");
    assert.ok(store.disk.writtenBytes < 3 * MiB);
  });
});

Deno.test("reads do not wait for writes: with every write hanging, all of the disk can be read", async () => {
  await withStore({ patient: true }, async (store, faults) => {
    for (let i = 0; i < 40; i++) await put(store, `/${i}`, largeBytes + i);
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const open = Deno.open;
    let hanging = 0;
    Deno.open = async (path, options) => {
      if (String(path).includes("/unfinished/")) {
        hanging++;
        await released;
      }
      return await open(path, options);
    };
    try {
      const flood = Array.from({ length: 40 }, (_, i) => put(store, `/new-${i}`, largeBytes));
      await turn(0);
      for (let i = 0; i < 40; i++) {
        const body = suiteBody(largeBytes + i, largeBytes + i);
        assertBytes(await readObject(store.find(`/${i}`)[0]), body);
      }
      assert.ok(hanging > 0 && hanging <= 4, `${hanging} files being written at once`);
      release();
      assert.ok((await Promise.all(flood)).some((entry) => entry !== undefined));
    } finally {
      release();
      Deno.open = open;
    }
    assert.deepEqual(faults.filter((reason) => reason !== "queue_full"), []);
  });
});
