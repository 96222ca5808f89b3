import assert from "node:assert/strict";
import { type DiskStore, openDiskStore } from "./disk_store.ts";
import { churnBody, churnResponse } from "./disk_store_churn.ts";
import { type Chance, chanceOf, type NameOrder, RecordedDisk } from "./power_cut_rig.ts";
import type { StoredEntry } from "./store.ts";
import { assertBytes } from "./store_suite.ts";

const budgetBytes = 1.25 * 2 ** 20;
/** Each run begins with what a cut of the one before left. */
const runs = 3;
const cutsEach = 50;
const turns = 200;

/** What was promised while the power was there: by key, versions that may not come back. */
interface Promised {
  readonly key: string;
  /** Versions up to this one were removed, and the removal forced to the disk. */
  readonly goneUpTo: number;
  /** The moment since which it holds. */
  readonly since: number;
}

/** Uses a store in every way, by several at once; returns what was promised when. */
async function use(
  store: DiskStore,
  disk: RecordedDisk,
  { first, chance }: { first: number; chance: Chance },
): Promise<Promised[]> {
  const promised: Promised[] = [];
  let version = first;
  const work = async (worker: number) => {
    for (let turn = 0; turn < turns / 2; turn++) {
      const key = `/${worker}/${Math.floor(6 * chance())}`;
      const [entry] = store.find(key);
      const choice = chance();
      if (entry === undefined || choice < 0.5) {
        const mine = version++;
        const writer = store.open(churnResponse(key, mine));
        const body = bodyOf(mine);
        for (let at = 0; at < body.length; at += 70_000) {
          await writer.write(body.slice(at, at + 70_000));
        }
        await (chance() < 0.1 ? writer.abort() : writer.commit());
      } else if (choice < 0.7) {
        await store.update(entry, { ...entry.response, status: 203 });
      } else if (choice < 0.85) {
        const goneUpTo = entry.response.fillSeq;
        store.remove(entry);
        await store.sync();
        promised.push({ key, goneUpTo, since: disk.now });
      } else {
        store.touch(entry);
      }
    }
  };
  await Promise.all([work(0), work(1)]);
  return promised;
}

const bodies = new Map<number, Uint8Array<ArrayBuffer>>();

/** Mostly small; each tenth is written in several pieces. */
function bodyOf(version: number): Uint8Array<ArrayBuffer> {
  let body = bodies.get(version);
  if (body === undefined) {
    body = churnBody(version);
    if (version % 10 !== 0) body = body.slice(0, body.length % 12_000);
    bodies.set(version, body);
  }
  return body;
}

/** Reads an object; what comes before an error must be right, too. Returns whether it was whole. */
async function readsRight(entry: StoredEntry): Promise<boolean> {
  const { fillSeq, key, status, ...rest } = entry.response;
  assert.deepEqual({ ...rest, key, fillSeq, status: 200 }, churnResponse(key, fillSeq));
  assert.ok(status === 200 || status === 203);
  const body = bodyOf(fillSeq);
  let at = 0;
  try {
    for await (const piece of entry.read(0, entry.bodyBytes)) {
      assertBytes(piece, body.subarray(at, at + piece.length), `${key} ${fillSeq} at ${at}`);
      at += piece.length;
    }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return false;
  }
  assert.equal(at, body.length);
  return true;
}

interface Found {
  readonly versions: ReadonlyMap<string, number>;
  readonly broken: number;
}

/** Opens what a cut left and reads all of it, twice: opening itself must leave no trap behind. */
async function look(dir: string, { durable }: { durable: boolean }): Promise<Found> {
  const versions = new Map<string, number>();
  let broken = 0;
  for (let turn = 0; turn < 2; turn++) {
    const faults: string[] = [];
    const onFault = ({ reason, detail }: { reason: string; detail: string }) =>
      void faults.push(`${reason} ${detail}`);
    const store = await openDiskStore({ dir, budgetBytes, durable, onFault });
    try {
      assert.ok(store.usedBytes <= budgetBytes);
      for (const entry of store.entries()) {
        if (await readsRight(entry)) versions.set(entry.response.key, entry.response.fillSeq);
        else broken++;
      }
    } finally {
      await store.close();
    }
    const lost = faults.filter((fault) => !fault.startsWith("journal_failed"));
    if (durable) assert.deepEqual(lost, [], "what was forced is whole");
    if (turn === 1) assert.deepEqual(faults, [], "the second start finds all mended");
  }
  return { versions, broken };
}

for (const durable of [true, false]) {
  for (const order of ["journaled", "unordered"] satisfies NameOrder[]) {
    const mode = durable ? "objects forced to the disk" : "objects not forced";
    Deno.test(`after a power cut each object is whole or absent: ${mode}, names ${order}`, async () => {
      const root = await Deno.makeTempDir({ prefix: "downlink-cut-" });
      let dir = `${root}/store`;
      let [whole, broken] = [0, 0];
      try {
        for (let run = 0; run < runs; run++) {
          const chance = chanceOf(1 + run);
          const store = await openDiskStore({ dir, budgetBytes, durable });
          const disk = RecordedDisk.begin(dir);
          const from = disk.now;
          const promised = await use(store, disk, { first: 1 + 1000 * run, chance })
            .finally(() => disk[Symbol.dispose]());
          await store.close();
          for (let i = 0; i < cutsEach; i++) {
            const cut = from + Math.floor(chance() * (disk.now - from + 1));
            const target = `${root}/${run}-${i}`;
            await Deno.mkdir(target);
            disk.lay(target, { cut, order, chance });
            const found = await look(target, { durable });
            whole += found.versions.size;
            broken += found.broken;
            if (order === "journaled") assertStayGone(found, promised, cut);
            if (i === 0) dir = target;
            else await Deno.remove(target, { recursive: true });
          }
        }
      } finally {
        await Deno.remove(root, { recursive: true });
      }
      assert.ok(whole > runs * cutsEach, `${whole} objects were found whole`);
      if (durable) assert.equal(broken, 0);
      else assert.ok(broken > 0, "cuts did tear objects");
    });
  }
}

function assertStayGone({ versions }: Found, promised: readonly Promised[], cut: number): void {
  for (const { key, goneUpTo, since } of promised) {
    if (since > cut) continue;
    const version = versions.get(key) ?? Infinity;
    assert.ok(version > goneUpTo, `${key} ${version} came back: ${goneUpTo} was removed`);
  }
}
