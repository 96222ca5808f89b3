import assert from "node:assert/strict";
import type { DiskFaultReason } from "./disk_fault.ts";
import { type DiskStore, openDiskStore } from "./disk_store.ts";
import { assertBytes, putObject, readObject, suiteBody, suiteResponse } from "./store_suite.ts";

const budgetBytes = 64 * 2 ** 20;

async function withStore(
  run: (store: DiskStore, faults: DiskFaultReason[], dir: string) => Promise<void>,
  { patient = false } = {},
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "downlink-errors-" });
  const faults: DiskFaultReason[] = [];
  const onFault = ({ reason }: { reason: DiskFaultReason }) => void faults.push(reason);
  const store = await openDiskStore({ dir, budgetBytes, patient, onFault });
  try {
    await run(store, faults, dir);
  } finally {
    await store.close();
    await Deno.remove(dir, { recursive: true });
  }
}

/** What went through files under `objects/` while something ran. */
interface Traffic {
  readBytes: number;
  open: number;
  mostOpen: number;
}

/**
 * Runs something while each file of an object is watched.
 *
 * @param fail Called before each read with the offset; what it returns is thrown.
 */
async function watched(
  run: (traffic: Traffic) => Promise<void>,
  fail: (at: number) => Error | undefined = () => undefined,
): Promise<Traffic> {
  const traffic: Traffic = { readBytes: 0, open: 0, mostOpen: 0 };
  const { open, openSync } = Deno;
  const watch = (path: string | URL, file: Deno.FsFile) => {
    if (!String(path).includes("/objects/")) return file;
    traffic.mostOpen = Math.max(traffic.mostOpen, ++traffic.open);
    const [read, readSync, close] = [file.read, file.readSync, file.close].map((one) =>
      one.bind(file)
    ) as [typeof file.read, typeof file.readSync, typeof file.close];
    const before = () => {
      const error = fail(file.seekSync(0, Deno.SeekMode.Current));
      if (error !== undefined) throw error;
    };
    const count = (bytes: number | null) => {
      traffic.readBytes += bytes ?? 0;
      return bytes;
    };
    const closeOnce = () => {
      traffic.open--;
      close();
    };
    return Object.assign(file, {
      read: async (into: Uint8Array) => (before(), count(await read(into))),
      readSync: (into: Uint8Array) => (before(), count(readSync(into))),
      close: closeOnce,
      [Symbol.dispose]: closeOnce,
    });
  };
  Deno.open = async (path, options) => watch(path, await open(path, options));
  Deno.openSync = (path, options) => watch(path, openSync(path, options));
  try {
    await run(traffic);
  } finally {
    Object.assign(Deno, { open, openSync });
  }
  return traffic;
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 50));

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const lastMs = performance.now() + 30_000; !holds(); await turn()) {
    assert.ok(performance.now() < lastMs, `never came true: ${what}`);
  }
}

for (const patient of [false, true]) {
  const how = patient ? "by threads" : "at once";
  Deno.test(`a read error amid a body ends its stream, and costs that object alone: ${how}`, async () => {
    await withStore(async (store, faults) => {
      for (const key of ["/a", "/b"]) {
        await putObject(store, suiteResponse(key), suiteBody(1, 1_000_000));
      }
      for (const key of ["/a", "/b"]) await readObject(store.find(key)[0]); // its checksums, too
      const [entry] = store.find("/a");
      let at = 0;
      await watched(async () => {
        const read = async () => {
          for await (const piece of entry.read(0, 1_000_000)) {
            assertBytes(piece, suiteBody(1, 1_000_000).subarray(at, at + piece.length));
            at += piece.length;
          }
        };
        await assert.rejects(read(), { name: "DiskReadError", reason: "read_failed" });
      }, (at) => {
        const error = new Error("Input/output error (os error 5)");
        return at >= 500_000 ? Object.assign(error, { code: "EIO" }) : undefined;
      });
      assert.ok(at > 0 && at <= 524_288, `${at} bytes came before it`);
      assert.deepEqual(faults, ["read_failed"]);
      assert.deepEqual(store.find("/a"), []);
      assertBytes(await readObject(store.find("/b")[0]), suiteBody(1, 1_000_000));
    }, { patient });
  });

  Deno.test(`a range of a large object reads the blocks it touches and no more: ${how}`, async () => {
    await withStore(async (store) => {
      const body = suiteBody(1, 20_000_000);
      await putObject(store, suiteResponse("/a"), body, { chunkBytes: 1_000_000 });
      const [entry] = store.find("/a");
      const ranges = [[0, 1], [9_999_999, 10_000_001], [65_535, 65_537], [19_999_000, 20_000_000]];
      const first = await watched(async () => void await readObject(entry, 7, 8));
      assert.ok(first.readBytes <= 65_536 + 4 * 306 + 10_000, `${first.readBytes} with the table`);
      for (const [start, end] of ranges) {
        const { readBytes } = await watched(async () => {
          assertBytes(await readObject(entry, start, end), body.subarray(start, end));
        });
        assert.ok(readBytes <= 2 * 65_536, `${readBytes} bytes were read for ${end - start}`);
      }
    }, { patient });
  });

  Deno.test(`clients that stall hold no file open, and many at once only a few: ${how}`, async () => {
    await withStore(async (store) => {
      for (let i = 0; i < 8; i++) {
        await putObject(store, suiteResponse(`/${i}`), suiteBody(i, 2_000_000), {
          chunkBytes: 500_000,
        });
      }
      const traffic = await watched(async (traffic) => {
        const readers = Array.from({ length: 300 }, (_, i) => {
          const [entry] = store.find(`/${i % 8}`);
          return entry.read(0, entry.bodyBytes).getReader();
        });
        await Promise.all(readers.map((reader) => reader.read()));
        // Each reads one span ahead; then all 300 wait for their clients.
        const readAhead = 300 * 2 * 4 * 65_536;
        await until("they have read ahead", () => traffic.readBytes >= readAhead);
        await until("no file is open", () => traffic.open === 0);
        const { readBytes } = traffic;
        await turn();
        assert.deepEqual([traffic.open, traffic.readBytes - readBytes], [0, 0], "none reads on");
        await Promise.all(readers.map((reader) => reader.cancel()));
      });
      assert.ok(
        traffic.mostOpen <= 17,
        `${traffic.mostOpen} files were open at once, 16 of them by threads`,
      );
    }, { patient });
  });
}

Deno.test("without file descriptors left, nothing is lost from the disk", async () => {
  const dir = await Deno.makeTempDir({ prefix: "downlink-errors-" });
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const rig = new URL("./disk_errors_rig.ts", import.meta.url).pathname;
  const limited = `ulimit -Sn 60; ulimit -Hn 60; exec "$0" "$@"`;
  const run = [Deno.execPath(), "run", "-A", "--quiet", "--no-lock", "--no-check"];
  try {
    const { stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", limited, ...run, "--config", config, rig, dir],
    }).output();
    const text = new TextDecoder().decode(stdout);
    assert.match(text, /^\{/, new TextDecoder().decode(stderr));
    const { taken, without, faultsWithout, after } = JSON.parse(text);
    assert.ok(taken > 10 && taken < 60);
    assert.deepEqual(without, ["failed", "failed", "refused"]);
    assert.deepEqual(Object.keys(faultsWithout), ["no_descriptors"]);
    assert.deepEqual(after, [...Array(5).fill("whole"), "stored"]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a larger budget than before keeps what is there, and takes more", async () => {
  const dir = await Deno.makeTempDir({ prefix: "downlink-errors-" });
  try {
    let store = await openDiskStore({ dir, budgetBytes: 2 ** 20 });
    for (let i = 0; i < 20; i++) {
      await putObject(store, suiteResponse(`/${i}`), suiteBody(i, 100_000));
    }
    const kept = [...store.entries()].map(({ response }) => response.key);
    await store.close();
    store = await openDiskStore({ dir, budgetBytes: 4 * 2 ** 20 });
    assert.deepEqual([...store.entries()].map(({ response }) => response.key), kept);
    for (let i = 0; i < 20; i++) {
      await putObject(store, suiteResponse(`/more-${i}`), suiteBody(i, 100_000));
    }
    assert.equal(store.count, kept.length + 20);
    assert.equal(store.evictedCount, 0);
    await store.close();
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

/** Makes a folder read-only for those who look it up from now on, as a kernel does with a bad disk. */
async function makeReadOnly(dir: string): Promise<boolean> {
  const mount = async (...args: string[]) =>
    (await new Deno.Command("mount", { args, stderr: "null" }).output()).success;
  return await mount("--bind", dir, dir) && await mount("-o", "remount,bind,ro", dir);
}

async function unmount(dir: string): Promise<void> {
  await new Deno.Command("umount", { args: ["-l", dir] }).output();
}

async function canMount(): Promise<boolean> {
  if (Deno.uid() !== 0) return false;
  const dir = await Deno.makeTempDir({ prefix: "downlink-errors-" });
  try {
    return await makeReadOnly(dir).catch(() => false);
  } finally {
    await unmount(dir).catch(() => {});
    await Deno.remove(dir);
  }
}

const possible = await canMount();

Deno.test({
  name: `a disk that turns read-only is read on, refused at the next start, and used again after${
    possible ? "" : " (skipped: mounting is not allowed here)"
  }`,
  ignore: !possible,
  async fn() {
    await withStore(async (store, faults, dir) => {
      const body = suiteBody(1, 300_000);
      await putObject(store, suiteResponse("/a"), body);
      assert.ok(await makeReadOnly(dir));
      try {
        assert.equal(await putObject(store, suiteResponse("/b"), body), undefined);
        assertBytes(await readObject(store.find("/a")[0]), body);
        await store.sync();
        assert.ok(faults.includes("write_failed") && faults.includes("journal_failed"));
        await assert.rejects(
          openDiskStore({ dir, budgetBytes }),
          /^Error: Cannot open disk store: a directory of its own that can be written: received .*[Rr]ead-only/,
        );
      } finally {
        await unmount(dir);
      }
      assert.ok(await putObject(store, suiteResponse("/b"), body));
    });
  },
});
