import assert from "node:assert/strict";
import fc from "fast-check";
import { PurgeIndex } from "./purge_index.ts";
import type { LogEntry, PurgeRecord } from "./record.ts";
import { StateFile } from "./state_file.ts";

function record(seq: number): PurgeRecord {
  const value = `/${seq}\u00e9`;
  return { seq, id: `p${seq}`, kind: "url", value, soft: false, issuedMs: 1, issuer: "t" };
}

const entries: readonly LogEntry[] = [
  record(1),
  record(2),
  { kind: "skipped", fromSeq: 3, seq: 5 },
  record(6),
  record(7),
];

async function withFolder(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await work(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Writes a state of five entries, the first two as an index, the rest added. */
async function writeState(path: string): Promise<Uint8Array> {
  const index = new PurgeIndex();
  for (const entry of entries.slice(0, 2)) index.apply(entry);
  const file = new StateFile(path);
  await file.replace({ logId: "log-1", lastId: undefined, index: index.save() });
  for (const entry of entries.slice(2)) await file.append([entry]);
  file.close();
  return await Deno.readFile(path);
}

async function loadState(path: string) {
  const index = new PurgeIndex();
  const loaded = await new StateFile(path).load(index);
  return { ...loaded, appliedSeq: index.appliedSeq, index };
}

Deno.test("a state comes back as it was kept", () =>
  withFolder(async (dir) => {
    await writeState(`${dir}/state`);
    const { found, logId, appliedSeq, index } = await loadState(`${dir}/state`);
    assert.deepEqual({ found, logId, appliedSeq }, {
      found: "resumed",
      logId: "log-1",
      appliedSeq: 7,
    });
    assert.equal(index.verdict({ key: "/1\u00e9", tags: [], fillSeq: 0 }), "gone");
    assert.equal(index.verdict({ key: "/7\u00e9", tags: [], fillSeq: 6 }), "gone");
    assert.equal(index.verdict({ key: "/3\u00e9", tags: [], fillSeq: 0 }), "valid");
  }));

Deno.test("no file is a new node; a folder in its place is damage", () =>
  withFolder(async (dir) => {
    assert.equal((await loadState(`${dir}/none`)).found, "new");
    assert.equal((await loadState(dir)).found, "corrupt");
  }));

Deno.test("a write cut short at any byte loses only what had not counted", () =>
  withFolder(async (dir) => {
    const whole = await writeState(`${dir}/state`);
    const ends = [...whole.entries()].filter(([, byte]) => byte === 0x0a).map(([at]) => at + 1);
    const seqs = [2, 5, 6, 7];
    for (let cut = ends[0]; cut <= whole.length; cut++) {
      await Deno.writeFile(`${dir}/cut`, whole.subarray(0, cut));
      const { found, appliedSeq } = await loadState(`${dir}/cut`);
      const lines = ends.filter((end) => end <= cut).length;
      assert.deepEqual({ found, appliedSeq }, { found: "resumed", appliedSeq: seqs[lines - 1] });
    }
    for (let cut = 0; cut < ends[0]; cut++) {
      await Deno.writeFile(`${dir}/cut`, whole.subarray(0, cut));
      assert.equal((await loadState(`${dir}/cut`)).found, "corrupt");
    }
  }));

Deno.test("a flipped bit is damage, or else a shorter state; never another one", () =>
  withFolder(async (dir) => {
    const whole = await writeState(`${dir}/state`);
    for (let at = 0; at < whole.length; at++) {
      const flipped = whole.slice();
      flipped[at] ^= 1 << (at % 8);
      await Deno.writeFile(`${dir}/flipped`, flipped);
      const { found, appliedSeq } = await loadState(`${dir}/flipped`);
      const lastEnd = at === whole.length - 1; // the last line then looks like one cut short
      if (lastEnd) assert.deepEqual({ found, appliedSeq }, { found: "resumed", appliedSeq: 6 });
      else assert.deepEqual({ found, appliedSeq }, { found: "corrupt", appliedSeq: 0 });
    }
  }));

Deno.test("a line that is missing or stands twice is damage", () =>
  withFolder(async (dir) => {
    const lines = new TextDecoder().decode(await writeState(`${dir}/state`)).split(/(?<=\n)/);
    const without = [...lines.slice(0, 1), ...lines.slice(2)].join("");
    const twice = [...lines.slice(0, 2), ...lines.slice(1)].join("");
    for (const text of [without, twice, lines.slice(1).join(""), `\n${lines.join("")}`]) {
      await Deno.writeTextFile(`${dir}/odd`, text);
      assert.equal((await loadState(`${dir}/odd`)).found, "corrupt");
    }
  }));

Deno.test("random bytes are damage", () =>
  withFolder(async (dir) => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        await Deno.writeFile(`${dir}/random`, bytes);
        assert.equal((await loadState(`${dir}/random`)).found, "corrupt");
      }),
      { numRuns: 50 },
    );
  }));

Deno.test("the file is written anew when its entries outweigh the index", () =>
  withFolder(async (dir) => {
    const index = new PurgeIndex();
    const file = new StateFile(`${dir}/state`);
    await file.replace({ logId: "log-1", lastId: undefined, index: index.save() });
    for (let seq = 1; seq <= 1001; seq++) {
      const entry = { ...record(seq), value: "/same" };
      index.apply(entry);
      if (seq % 100 === 1) await file.append([entry]);
    }
    assert.equal(file.wantsReplace(index), false);
    const { size } = await Deno.stat(`${dir}/state`);
    await file.append(Array.from({ length: 1000 }, (_, i) => record(1002 + i)));
    assert.equal(file.wantsReplace(index), true);
    await file.replace({ logId: "log-1", lastId: undefined, index: index.save() });
    assert.equal(file.wantsReplace(index), false);
    assert.ok((await Deno.stat(`${dir}/state`)).size < size);
    file.close();
  }));
