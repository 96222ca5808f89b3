import assert from "node:assert/strict";
import { chargeFor } from "./disk_object.ts";
import { openDiskStore } from "./disk_store.ts";
import { churnBody, churnResponse } from "./disk_store_churn.ts";
import { assertBytes, readObject } from "./store_suite.ts";

const config = new URL("../../deno.json", import.meta.url).pathname;
const script = new URL("./disk_store_churn.ts", import.meta.url).pathname;

/** Runs the writing process, kills it `afterMs` later, and returns the versions that it had committed. */
async function churnAndKill(
  dir: string,
  { budgetBytes, first, afterMs }: { budgetBytes: number; first: number; afterMs: number },
): Promise<Map<string, number>> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", "--no-check", `--config=${config}`, script, dir]
      .concat(String(budgetBytes), String(first)),
    stdout: "piped",
  }).spawn();
  let text = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes("ready\n")) timer ??= setTimeout(() => child.kill("SIGKILL"), afterMs);
  }
  const { signal } = await child.status;
  assert.equal(signal, "SIGKILL", text);
  const lines = text.split("\n").slice(1, -1).map((line) => line.split(" "));
  return new Map(lines.map(([key, version]) => [key, Number(version)]));
}

/** Opens what a killed process left and reads every byte of it. */
async function check(dir: string, budgetBytes: number): Promise<Map<string, number>> {
  const faults: string[] = [];
  const store = await openDiskStore({
    dir,
    budgetBytes,
    onFault: ({ reason, detail }) => faults.push(`${reason} ${detail}`),
  });
  const versions = new Map<string, number>();
  try {
    for (const entry of store.entries()) {
      const { key, fillSeq } = entry.response;
      const { status, ...rest } = entry.response;
      assert.ok(status === 200 || status === 203);
      assert.deepEqual({ ...rest, status: 200 }, churnResponse(key, fillSeq));
      assertBytes(await readObject(entry), churnBody(fillSeq));
      versions.set(key, fillSeq);
    }
    assert.equal(versions.size, store.count, "each key once");
    assert.ok(store.usedBytes <= budgetBytes);
  } finally {
    await store.close();
  }
  // A journal line may be cut; a file may not.
  assert.deepEqual(faults.filter((fault) => !fault.startsWith("journal_failed")), []);
  assert.ok(await bytesUnder(dir) <= budgetBytes);
  return versions;
}

async function bytesUnder(dir: string): Promise<number> {
  let bytes = 0;
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    const path = `${dir}/${name}`;
    bytes += isDirectory ? await bytesUnder(path) : chargeFor((await Deno.stat(path)).size);
  }
  return bytes;
}

/** Kills at moments from the first write on; the fractions spread them without chance. */
async function killRepeatedly(
  kills: number,
  budgetBytes: number,
  each: (
    found: ReadonlyMap<string, number>,
    committed: ReadonlyMap<string, number>,
  ) => void,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "downlink-kill-" });
  try {
    for (let kill = 0; kill < kills; kill++) {
      const afterMs = 120 * ((kill * 0.618034) % 1);
      const first = 1 + kill * 1_000_000;
      const committed = await churnAndKill(dir, { budgetBytes, first, afterMs });
      each(await check(dir, budgetBytes), committed);
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("an object whose commit had returned is whole after SIGKILL", async () => {
  const latest = new Map<string, number>();
  await killRepeatedly(20, 64 * 2 ** 20, (found, committed) => {
    for (const [key, version] of committed) latest.set(key, version);
    for (const [key, version] of latest) {
      const there = found.get(key) ?? 0;
      assert.ok(there >= version, `${key}: committed ${version}, found ${there}`);
    }
  });
  assert.ok(latest.size > 4, "the process had time to write");
});

Deno.test("a store that evicts all the time is whole and within its budget after SIGKILL", async () => {
  let objects = 0;
  await killRepeatedly(20, 2 * 2 ** 20, (found) => {
    objects += found.size;
  });
  assert.ok(objects > 20);
});
