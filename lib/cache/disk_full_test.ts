import assert from "node:assert/strict";
import type { DiskFaultReason } from "./disk_fault.ts";
import { openDiskStore } from "./disk_store.ts";
import { assertBytes, putObject, readObject, suiteBody, suiteResponse } from "./store_suite.ts";

/** The whole disk; the store's budget is larger. */
const diskBytes = 4 * 2 ** 20;
const budgetBytes = 64 * 2 ** 20;

async function run(command: string, ...args: string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(command, { args, stderr: "null" }).output();
    return success;
  } catch {
    return false;
  }
}

/** Mounts a disk of its own size; `false` where that is not allowed. */
function mount(dir: string): Promise<boolean> {
  return run("mount", "-t", "tmpfs", "-o", `size=${diskBytes}`, "tmpfs", dir);
}

async function canMount(): Promise<boolean> {
  if (Deno.uid() !== 0) return false;
  const dir = await Deno.makeTempDir({ prefix: "downlink-full-" });
  try {
    return await mount(dir) && await run("umount", dir);
  } finally {
    await Deno.remove(dir);
  }
}

const possible = await canMount();
const skipped = possible ? "" : " (skipped: mounting a small tmpfs is not allowed here)";

function fullDiskTest(name: string, test: (dir: string) => Promise<void>): void {
  Deno.test({
    name: `${name}${skipped}`,
    ignore: !possible,
    async fn() {
      const dir = await Deno.makeTempDir({ prefix: "downlink-full-" });
      assert.ok(await mount(dir));
      try {
        await test(dir);
      } finally {
        await run("umount", dir);
        await Deno.remove(dir);
      }
    },
  });
}

fullDiskTest("a disk smaller than the budget is used like a smaller budget", async (dir) => {
  const faults: DiskFaultReason[] = [];
  const onFault = ({ reason }: { reason: DiskFaultReason }) => faults.push(reason);
  let store = await openDiskStore({ dir, budgetBytes, onFault });
  for (let i = 0; i < 60; i++) {
    const body = suiteBody(i, 200_000);
    const entry = await putObject(store, suiteResponse(`/${i}`), body);
    assert.ok(entry, `${i} is admitted: ${faults}`);
    assertBytes(await readObject(entry), body);
  }
  assert.ok(store.count >= 10);
  await store.close();
  store = await openDiskStore({ dir, budgetBytes, onFault });
  assert.ok(store.count >= 10);
  for (const entry of store.entries()) {
    const body = suiteBody(Number(entry.response.key.slice(1)), 200_000);
    assertBytes(await readObject(entry), body);
  }
  await store.close();
});

fullDiskTest("a disk that others have filled costs objects and nothing else", async (dir) => {
  const faults: DiskFaultReason[] = [];
  const onFault = ({ reason }: { reason: DiskFaultReason }) => faults.push(reason);
  const store = await openDiskStore({ dir, budgetBytes, onFault });
  assert.ok(await putObject(store, suiteResponse("/before"), suiteBody(1, 100_000)));
  const ballast = await Deno.open(`${dir}/ballast`, { create: true, write: true });
  try {
    while (true) await ballast.write(new Uint8Array(65_536));
  } catch {
    ballast.close(); // full
  }
  assert.equal(await putObject(store, suiteResponse("/full"), suiteBody(2, 500_000)), undefined);
  assert.ok(faults.includes("disk_full"));
  assert.deepEqual(store.find("/full"), []);
  assert.ok(store.usedBytes < 300_000, "nothing is left of what could not be written");
  await Deno.remove(`${dir}/ballast`);
  const body = suiteBody(3, 500_000);
  const entry = await putObject(store, suiteResponse("/after"), body);
  assert.ok(entry);
  assertBytes(await readObject(entry), body);
  await store.close();
});
