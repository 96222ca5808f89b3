import assert from "node:assert/strict";
import fc from "fast-check";
import type { DiskFaultReason } from "./disk_fault.ts";
import { type DiskStore, type DiskStoreOptions, openDiskStore } from "./disk_store.ts";
import { assertBytes, putObject, readObject, suiteBody, suiteResponse } from "./store_suite.ts";

const budgetBytes = 4 * 2 ** 20;

/** A directory, and the reasons of all faults of the stores that were opened on it. */
interface Place {
  readonly dir: string;
  readonly faults: DiskFaultReason[];
  open(options?: Partial<DiskStoreOptions>): Promise<DiskStore>;
}

function placeTest(name: string, run: (place: Place) => Promise<void>): void {
  Deno.test(`the disk store ${name}`, async () => {
    const dir = await Deno.makeTempDir({ prefix: "downlink-damage-" });
    const faults: DiskFaultReason[] = [];
    const onFault = ({ reason }: { reason: DiskFaultReason }) => faults.push(reason);
    try {
      await run({
        dir,
        faults,
        open: (options) => openDiskStore({ dir, budgetBytes, onFault, ...options }),
      });
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}

async function objectFiles(dir: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const folder of Deno.readDir(`${dir}/objects`)) {
    if (!folder.isDirectory) continue;
    for await (const { name } of Deno.readDir(`${dir}/objects/${folder.name}`)) {
      paths.push(`${dir}/objects/${folder.name}/${name}`);
    }
  }
  return paths.sort();
}

async function put(store: DiskStore, key: string, size: number, seed = 1): Promise<void> {
  assert.ok(await putObject(store, suiteResponse(key), suiteBody(seed, size)), `${key} admitted`);
}

async function assertWhole(store: DiskStore, key: string, size: number, seed = 1): Promise<void> {
  const [entry] = store.find(key);
  assert.ok(entry, `${key} is there`);
  assertBytes(await readObject(entry), suiteBody(seed, size));
}

/** What may happen to a file. */
const damage = fc.oneof(
  fc.record({ do: fc.constant("flip" as const), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ do: fc.constant("cut" as const), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ do: fc.constant("grow" as const), at: fc.constant(0) }),
  fc.record({ do: fc.constant("zero" as const), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
);

function damaged(bytes: Uint8Array, how: { do: string; at: number }): Uint8Array {
  const at = Math.min(bytes.length - 1, Math.floor(how.at * bytes.length));
  if (how.do === "cut") return bytes.slice(0, at);
  if (how.do === "grow") return new Uint8Array([...bytes, 0]);
  const copy = bytes.slice();
  if (how.do === "flip") copy[at] ^= 1 << (at & 7);
  else copy.fill(0, at, at + 4096);
  return copy;
}

for (const journal of ["kept", "lost"]) {
  placeTest(
    `never gives a byte of a damaged file that was not written, journal ${journal}`,
    async ({ dir, open }) => {
      const size = 150_000;
      const body = suiteBody(5, size);
      await fc.assert(
        fc.asyncProperty(damage, async (how) => {
          let store = await open();
          await putObject(store, suiteResponse("/a"), body);
          await store.close();
          const [path] = await objectFiles(dir);
          const bytes = await Deno.readFile(path);
          const other = damaged(bytes, how);
          await Deno.writeFile(path, other);
          if (journal === "lost") await Deno.remove(`${dir}/journal`);
          store = await open();
          const [entry] = store.find("/a");
          if (entry !== undefined) {
            const read = await readObject(entry).catch(() => undefined);
            if (read === undefined) assert.deepEqual(store.find("/a"), [], "gone after it failed");
            else assertBytes(read, body);
          }
          await store.close();
        }),
        { numRuns: 40 },
      );
    },
  );
}

placeTest("gives the ranges that a flipped bit does not touch", async ({ dir, faults, open }) => {
  const store = await open();
  await put(store, "/a", 300_000);
  const [path] = await objectFiles(dir);
  const bytes = await Deno.readFile(path);
  bytes[70_000] ^= 1; // in the second block of 64 KiB
  await Deno.writeFile(path, bytes);
  const [entry] = store.find("/a");
  const body = suiteBody(1, 300_000);
  assertBytes(await readObject(entry, 131_072, 300_000), body.slice(131_072));
  assertBytes(await readObject(entry, 0, 65_536), body.slice(0, 65_536));
  assert.deepEqual(faults, []);
  await assert.rejects(readObject(entry, 65_536, 65_537), { name: "DiskReadError" });
  assert.deepEqual(faults, ["bad_checksum"]);
  assert.deepEqual(store.find("/a"), []);
  await store.close();
  assert.deepEqual(await objectFiles(dir), [], "and so is its file");
});

placeTest("goes on when files vanish", async ({ dir, faults, open }) => {
  const store = await open();
  await put(store, "/a", 1000);
  await put(store, "/b", 1000);
  for (const path of await objectFiles(dir)) await Deno.remove(path);
  await assert.rejects(readObject(store.find("/a")[0]), { name: "DiskReadError" });
  assert.deepEqual(store.find("/a"), []);
  store.remove(store.find("/b")[0]);
  assert.equal(store.count, 0);
  assert.deepEqual(faults, ["vanished"]);
  await store.close();
});

placeTest("goes on when its directories vanish", async ({ dir, open }) => {
  const store = await open();
  await put(store, "/a", 1000);
  const unfinished = store.open(suiteResponse("/u"));
  await unfinished.write(suiteBody(1, 300_000));
  await new Promise((resolve) => setTimeout(resolve, 50));
  await Deno.remove(`${dir}/objects`, { recursive: true });
  await Deno.remove(`${dir}/unfinished`, { recursive: true });
  await unfinished.write(suiteBody(1, 300_000));
  assert.equal(await unfinished.commit(), undefined, "its first bytes are gone");
  await put(store, "/b", 400_000);
  await assertWhole(store, "/b", 400_000);
  await store.close();
});

placeTest("goes on when a file cannot be read", async ({ dir, faults, open }) => {
  const store = await open();
  await put(store, "/a", 1000);
  const [path] = await objectFiles(dir);
  await Deno.remove(path);
  await Deno.mkdir(path);
  await assert.rejects(readObject(store.find("/a")[0]), { name: "DiskReadError" });
  assert.deepEqual(store.find("/a"), []);
  assert.equal(faults[0], "read_failed");
  await put(store, "/b", 1000);
  await store.close();
});

placeTest(
  "leaves alone what is not its own, and removes what is no whole object",
  async ({ dir, faults, open }) => {
    let store = await open();
    await put(store, "/a", 1000);
    await put(store, "/b", 1000, 2);
    await store.close();
    const [one, other] = await objectFiles(dir);
    await Deno.mkdir(`${dir}/objects/00`, { recursive: true });
    const zeros = `${dir}/objects/00/${"0".repeat(32)}-00000000ffff`;
    await Deno.writeTextFile(zeros, "not an object");
    const impostor = `${dir}/objects/00/${"0".repeat(32)}-000000000eee`;
    await Deno.copyFile(other, impostor);
    const foreign = [
      `${dir}/README`,
      `${dir}/objects/README`,
      `${dir}/objects/00/README`,
      `${dir}/unfinished/README`,
    ];
    for (const path of foreign) await Deno.writeTextFile(path, "mine");
    await Deno.writeTextFile(`${dir}/unfinished/12`, "half of an object");

    store = await open();
    assert.equal(store.count, 2);
    await assertWhole(store, "/a", 1000);
    await assertWhole(store, "/b", 1000, 2);
    await store.close();
    assert.deepEqual(faults.sort(), ["bad_record", "bad_record", "foreign_file", "foreign_file"]);
    for (const path of foreign) assert.equal(await Deno.readTextFile(path), "mine");
    const left = (await objectFiles(dir)).filter((path) => !path.endsWith("README"));
    assert.deepEqual(left, [one, other].sort());
    await assert.rejects(Deno.stat(`${dir}/unfinished/12`), Deno.errors.NotFound);
  },
);

placeTest("needs no journal", async ({ dir, open }) => {
  let store = await open();
  for (let i = 0; i < 30; i++) await put(store, `/${i}`, i * 5000, i);
  const long = suiteResponse("/long", { tags: Array.from({ length: 3000 }, (_, i) => `tag-${i}`) });
  await putObject(store, long, suiteBody(1, 70_000));
  await store.close();
  await Deno.remove(`${dir}/journal`);
  store = await open();
  assert.equal(store.count, 31);
  for (let i = 0; i < 30; i++) await assertWhole(store, `/${i}`, i * 5000, i);
  assert.deepEqual(store.find("/long")[0].response, long);
  await store.close();
  store = await open(); // from the journal that was written meanwhile
  assert.equal(store.count, 31);
  await store.close();
});

placeTest(
  "goes on with a damaged journal, and without one that can be written",
  async ({ dir, faults, open }) => {
    let store = await open();
    for (let i = 0; i < 10; i++) await put(store, `/${i}`, 1000, i);
    await store.close();
    const bytes = await Deno.readFile(`${dir}/journal`);
    for (let at = 100; at < bytes.length; at += 700) bytes[at] ^= 4;
    await Deno.writeFile(`${dir}/journal`, bytes.subarray(0, bytes.length - 30));
    store = await open();
    for (let i = 0; i < 10; i++) await assertWhole(store, `/${i}`, 1000, i);
    assert.deepEqual(faults, ["journal_failed"]);
    await store.close();
    store = await open();
    assert.equal(store.count, 10);
    await store.close();

    await Deno.remove(`${dir}/journal`);
    await Deno.mkdir(`${dir}/journal`);
    faults.length = 0;
    store = await open();
    await put(store, "/more", 1000);
    assert.equal(store.count, 11);
    await store.close();
    assert.deepEqual(new Set(faults), new Set(["journal_failed"]));
  },
);

placeTest("keeps the journal short", async ({ dir, open }) => {
  const store = await open();
  await put(store, "/a", 1000);
  for (let i = 0; i < 2000; i++) {
    const [entry] = store.find("/a");
    await store.update(entry, suiteResponse("/a", { fillSeq: i }));
    if (i % 100 === 0) await store.sync();
  }
  await store.close();
  assert.ok((await Deno.stat(`${dir}/journal`)).size < 200_000, "2000 heads would be 700 kB");
  const again = await open();
  assert.equal(again.find("/a")[0].response.fillSeq, 1999);
  await again.close();
});

placeTest("finds the newer of two files that a kill left for one key", async ({ dir, open }) => {
  for (const journal of ["kept", "lost"]) {
    let store = await open();
    await put(store, "/a", 2000, 1);
    const [old] = await objectFiles(dir);
    const bytes = await Deno.readFile(old);
    await put(store, "/a", 2000, 2);
    await store.close();
    await Deno.writeFile(old, bytes);
    if (journal === "lost") await Deno.remove(`${dir}/journal`);
    store = await open();
    assert.equal(store.count, 1);
    await assertWhole(store, "/a", 2000, 2);
    store.remove(store.find("/a")[0]);
    await store.close();
    assert.deepEqual(await objectFiles(dir), []);
  }
});

placeTest(
  "does not bring back what was removed, and never uses a generation twice",
  async ({ dir, open }) => {
    let store = await open();
    await put(store, "/a", 2000, 1);
    const [old] = await objectFiles(dir);
    const bytes = await Deno.readFile(old);
    store.remove(store.find("/a")[0]);
    await store.close();
    await Deno.writeFile(old, bytes); // as if the kill had come before the file was removed
    store = await open();
    assert.equal(store.count, 0);
    await put(store, "/a", 2000, 2);
    assert.notDeepEqual(await objectFiles(dir), [old]);
    await store.close();
  },
);

placeTest(
  "does not bring back what was removed while it was read, when it is killed then",
  async ({ dir, open }) => {
    const store = await open();
    await put(store, "/a", 1_000_000);
    const [entry] = store.find("/a");
    const reader = entry.read(0, 1_000_000).getReader();
    await reader.read();
    store.remove(entry);
    await put(store, "/b", 1000);
    for (let i = 0; i < 400; i++) { // until the journal is written anew
      await store.update(store.find("/b")[0], suiteResponse("/b", { fillSeq: i }));
    }
    await store.sync();
    const killed = await Deno.makeTempDir({ prefix: "downlink-damage-" });
    const copied = await new Deno.Command("cp", { args: ["-r", `${dir}/.`, killed] }).output();
    assert.ok(copied.success);
    const again = await open({ dir: killed });
    assert.deepEqual(again.find("/a"), []);
    assert.equal(again.count, 1);
    await again.close();
    await Deno.remove(killed, { recursive: true });
    await reader.cancel();
    await store.close();
    assert.equal((await objectFiles(dir)).length, 1);
  },
);

placeTest("fits into a smaller budget when it is opened again", async ({ dir, open }) => {
  let store = await open();
  for (let i = 0; i < 30; i++) await put(store, `/${i}`, 100_000, i);
  store.touch(store.find("/0")[0]);
  await store.close();
  const small = 2 ** 20;
  store = await open({ budgetBytes: small });
  assert.ok(store.usedBytes <= small);
  assert.ok(store.count >= 7 && store.evictedCount === 30 - store.count);
  await assertWhole(store, "/0", 100_000, 0);
  await assertWhole(store, "/29", 100_000, 29);
  assert.deepEqual(store.find("/1"), []);
  await store.close();
  assert.equal((await objectFiles(dir)).length, store.count);
});

placeTest("takes pinned objects last", async ({ open }) => {
  const pinned = ({ key }: { key: string }) => key.startsWith("/init/");
  const store = await open({ pinned });
  for (let i = 0; i < 10; i++) await put(store, `/init/${i}`, 100_000, i);
  for (let i = 0; i < 60; i++) await put(store, `/${i}`, 100_000, i);
  for (let i = 0; i < 10; i++) await assertWhole(store, `/init/${i}`, 100_000, i);
  for (let i = 10; i < 60; i++) await put(store, `/init/${i}`, 100_000, i);
  assert.ok(store.usedBytes <= budgetBytes);
  assert.deepEqual(store.find("/init/10"), [], "the oldest of them, when there are no others");
  await assertWhole(store, "/init/59", 100_000, 59);
  await store.close();
});

placeTest("bounds the number of its objects", async ({ open }) => {
  let store = await open({ maxObjects: 10 });
  for (let i = 0; i < 30; i++) await put(store, `/${i}`, 10, i);
  assert.equal(store.count, 10);
  await assertWhole(store, "/29", 10, 29);
  await store.close();
  store = await open({ maxObjects: 4 });
  assert.equal(store.count, 4);
  await store.close();
});

placeTest(
  "refuses an object when more is waiting than may, unless its writer waits",
  async ({ faults, open }) => {
    const store = await open({ maxQueuedBytes: 300_000 });
    const hasty = store.open(suiteResponse("/hasty"));
    for (let i = 0; i < 20; i++) void hasty.write(suiteBody(i, 100_000));
    assert.equal(await hasty.commit(), undefined);
    assert.deepEqual(faults, ["queue_full"]);
    assert.deepEqual(store.find("/hasty"), []);
    await putObject(store, suiteResponse("/patient"), suiteBody(1, 2_000_000), {
      chunkBytes: 100_000,
    });
    await assertWhole(store, "/patient", 2_000_000);
    const atOnce = store.open(suiteResponse("/at-once"));
    void atOnce.write(suiteBody(2, 1_000_000)); // memory that was there already
    assert.ok(await atOnce.commit());
    assert.deepEqual(faults, ["queue_full"]);
    await store.close();
  },
);

placeTest(
  "refuses a head that is too long, and what no room can be made for",
  async ({ faults, open }) => {
    const store = await open();
    const long = suiteResponse("/long", { fields: [["x", "y".repeat(70_000)]] });
    assert.equal(await putObject(store, long, suiteBody(1, 10)), undefined);
    await put(store, "/read", 2_500_000);
    const reader = store.find("/read")[0].read(0, 2_500_000).getReader();
    await reader.read();
    assert.equal(await putObject(store, suiteResponse("/b"), suiteBody(1, 2_500_000)), undefined);
    assert.deepEqual(faults, ["too_large", "no_room"]);
    await reader.cancel();
    await put(store, "/c", 2_500_000);
    assert.ok(store.usedBytes <= budgetBytes);
    await store.close();
  },
);

placeTest("belongs to one at a time", async ({ dir, open }) => {
  const first = await open();
  await assert.rejects(open(), /Cannot open disk store: .* in use by another store$/);
  await put(first, "/a", 1000);
  await first.close();
  const second = await open();
  await assertWhole(second, "/a", 1000);
  await second.close();
  await new Promise((resolve) => setTimeout(resolve, 50));
  await assert.rejects(openDiskStore({ dir, budgetBytes: 1000 }), RangeError);
});

placeTest("refuses entries of others and writers after its end", async ({ open }) => {
  const store = await open();
  await put(store, "/a", 1000);
  const [entry] = store.find("/a");
  const { response, bodyBytes } = entry;
  const read = () => new ReadableStream<Uint8Array>();
  const stranger = { response, bodyBytes, memory: undefined, read };
  assert.throws(() => store.touch(stranger), TypeError);
  assert.throws(() => void store.update(entry, suiteResponse("/b")), RangeError);
  assert.throws(() => entry.read(0, 1001), RangeError);
  assert.throws(() => entry.read(2, 1), RangeError);
  const late = store.open(suiteResponse("/late"));
  await late.write(suiteBody(1, 10));
  await store.close();
  await store.close();
  assert.equal(await late.commit(), undefined);
  await store.update(entry, entry.response);
  store.touch(entry);
  store.remove(entry);
  assert.equal(await putObject(store, suiteResponse("/b"), suiteBody(1, 10)), undefined);
});

placeTest("says what it needs when its directory is of no use", async ({ dir }) => {
  await Deno.writeTextFile(`${dir}/file`, "");
  await assert.rejects(
    openDiskStore({ dir: `${dir}/file`, budgetBytes }),
    /^Error: Cannot open disk store: a directory of its own that can be written: received \/.*file/,
  );
});

placeTest("finishes a commit that was under way when it is closed", async ({ open }) => {
  let store = await open();
  const committed = putObject(store, suiteResponse("/a"), suiteBody(1, 1_000_000), {
    chunkBytes: 1_000_000,
  });
  await Promise.resolve();
  await Promise.resolve();
  await store.close();
  const admitted = await committed;
  store = await open();
  assert.equal(store.count, admitted === undefined ? 0 : 1);
  if (admitted !== undefined) await assertWhole(store, "/a", 1_000_000);
  await store.close();
});
