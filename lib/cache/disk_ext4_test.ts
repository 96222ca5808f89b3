/**
 * A power cut of a real file system: a store on ext4, whose disk is a file that is cloned at one moment
 * while a process writes as fast as it can. What the kernel had not yet written is not in the clone,
 * and mounting it is what a machine does when the power comes back.
 *
 * @module
 */

import assert from "node:assert/strict";
import { openDiskStore } from "./disk_store.ts";
import { churnBody, churnResponse } from "./disk_store_churn.ts";
import { assertBytes, readObject } from "./store_suite.ts";

const cuts = 20;
const budgetBytes = 24 * 2 ** 20;
const config = new URL("../../deno.json", import.meta.url).pathname;
const script = new URL("./disk_store_churn.ts", import.meta.url).pathname;

async function run(command: string, ...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args, stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

/** Makes a file a disk with a file system on it, and mounts it. */
async function mountNew(dir: string, name: string, type: string, bytes: number): Promise<string> {
  const [image, mounted] = [`${dir}/${name}.img`, `${dir}/${name}`];
  await Deno.writeFile(image, new Uint8Array());
  await Deno.truncate(image, bytes);
  await Deno.mkdir(mounted);
  const force = type === "ext4" ? "-F" : "-f";
  if (
    await run(`mkfs.${type}`, "-q", force, image) &&
    await run("mount", "-o", "loop", image, mounted)
  ) {
    return mounted;
  }
  throw new Error(`Cannot make a disk: need mkfs.${type} and mount: received a refusal`);
}

/** A disk for ext4 images, on XFS because that clones a file at one moment, and a mounted image. */
class Disks implements AsyncDisposable {
  private constructor(readonly dir: string, readonly pool: string, readonly live: string) {}

  static async make(): Promise<Disks> {
    const dir = await Deno.makeTempDir({ prefix: "downlink-ext4-" });
    try {
      const pool = await mountNew(dir, "pool", "xfs", 400 * 2 ** 20);
      return new Disks(dir, pool, await mountNew(pool, "live", "ext4", 64 * 2 ** 20));
    } catch (error) {
      await remove(dir);
      throw error;
    }
  }

  /** What is on the disk at this moment. */
  async cut(name: string): Promise<string> {
    const clone = `${this.pool}/${name}.img`;
    assert.ok(await run("cp", "--reflink=always", `${this.pool}/live.img`, clone));
    return clone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await remove(this.dir);
  }
}

async function remove(dir: string): Promise<void> {
  await run("umount", "-l", `${dir}/pool/live`);
  await run("umount", "-l", `${dir}/pool`);
  await Deno.remove(dir, { recursive: true });
}

const possible = Deno.uid() === 0 &&
  await Disks.make().then(async (disks) => {
    await using made = disks;
    return await made.cut("try").then(() => true, () => false);
  }, () => false);

/** Opens what a cut left and reads all of it; returns how many objects are there. */
async function check(dir: string): Promise<number> {
  const faults: string[] = [];
  const onFault = ({ reason, detail }: { reason: string; detail: string }) =>
    void faults.push(`${reason} ${detail}`);
  const store = await openDiskStore({ dir, budgetBytes, onFault });
  try {
    for (const entry of store.entries()) {
      const { key, fillSeq, status, ...rest } = entry.response;
      assert.deepEqual({ ...rest, key, fillSeq, status: 200 }, churnResponse(key, fillSeq));
      assert.ok(status === 200 || status === 203);
      assertBytes(await readObject(entry), churnBody(fillSeq));
    }
    return store.count;
  } finally {
    await store.close();
    assert.deepEqual(faults.filter((fault) => !fault.startsWith("journal_failed")), []);
  }
}

Deno.test({
  name: `what is forced to an ext4 disk is whole or absent after its power is cut${
    possible ? "" : " (skipped: no mkfs.xfs, or mounting is not allowed here)"
  }`,
  ignore: !possible,
  async fn() {
    await using disks = await Disks.make();
    const args = ["run", "--quiet", "-A", "--no-check", `--config=${config}`, script];
    const child = new Deno.Command(Deno.execPath(), {
      args: [...args, `${disks.live}/store`, String(budgetBytes), "1"],
      stdout: "piped",
    }).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const clones: string[] = [];
    let committed = 0;
    const reading = (async () => {
      for (let read; (read = await lines.read(), !read.done);) {
        committed += read.value.split("\n").length - 1;
      }
    })();
    try {
      while (committed < 10) await new Promise((resolve) => setTimeout(resolve, 5));
      for (let cut = 0; cut < cuts; cut++) {
        await new Promise((resolve) => setTimeout(resolve, 20 + 40 * ((cut * 0.618034) % 1)));
        clones.push(await disks.cut(`cut-${cut}`));
      }
    } finally {
      child.kill("SIGKILL");
      await child.status;
      await reading;
    }
    assert.ok(committed > cuts, `${committed} objects were committed meanwhile`);
    let found = 0;
    const mounted = `${disks.dir}/mounted`;
    await Deno.mkdir(mounted);
    for (const clone of clones) {
      assert.ok(await run("mount", "-o", "loop", clone, mounted), "ext4 mends itself");
      try {
        found += await check(`${mounted}/store`);
      } finally {
        await run("umount", mounted);
      }
    }
    assert.ok(found > cuts, `${found} objects were found`);
  },
});
