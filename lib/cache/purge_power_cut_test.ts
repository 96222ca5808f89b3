/**
 * The store and the place in the purge log on one disk whose power goes: what was purged before, and
 * counted as applied, is never shown after.
 *
 * @module
 */

import assert from "node:assert/strict";
import { controlLog, PurgeFollower, PurgeIndex, type PurgeRecord } from "#purge";
import { type DiskStore, openDiskStore } from "./disk_store.ts";
import { type Chance, chanceOf, type NameOrder, RecordedDisk } from "./power_cut_rig.ts";
import { putObject, readObject, suiteBody, suiteResponse } from "./store_suite.ts";

const budgetBytes = 4 * 2 ** 20;
const cuts = 60;
const turns = 80;
const keys = 20;

/** A purge log on a socket of its own, as control gives it. */
class Log implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #stream: ReadableStreamDefaultController<Uint8Array> | undefined;
  #lastSeq = 0;

  constructor() {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
      const start = (stream: ReadableStreamDefaultController<Uint8Array>) => {
        this.#stream = stream;
        this.#send({ logId: "log-1", firstSeq: 1, lastSeq: 0 });
      };
      return new Response(new ReadableStream({ start }));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  purge(kind: "url" | "tag" | "all", value: string): void {
    const seq = ++this.#lastSeq;
    this.#send({ seq, id: `p${seq}`, kind, value, soft: false, issuedMs: 1, issuer: "test" });
  }

  #send(line: unknown): void {
    this.#stream?.enqueue(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stream?.close();
    await this.#server.shutdown();
  }
}

/** A purge that the node has said to have applied, and the moment when it did. */
interface Applied {
  readonly record: PurgeRecord;
  readonly since: number;
}

/** Fills and purges at the same time; returns the purges in the order of the log. */
async function fillAndPurge(
  store: DiskStore,
  { dir, disk, chance }: { dir: string; disk: RecordedDisk; chance: Chance },
): Promise<Applied[]> {
  await using log = new Log();
  const applied: Applied[] = [];
  const index = new PurgeIndex();
  const follower = new PurgeFollower({
    source: controlLog({ url: log.url }),
    file: `${dir}/purges.log`,
    index,
    onApplied: (entries) => {
      for (const entry of entries) {
        if (entry.kind !== "skipped") applied.push({ record: entry, since: disk.now });
      }
    },
  });
  assert.equal(await follower.start(), "new");
  assert.ok(await follower.waitCaughtUp(30_000));
  for (let turn = 0; turn < turns; turn++) {
    const key = `/${Math.floor(keys * chance())}`;
    const fillSeq = index.appliedSeq;
    const body = suiteBody(fillSeq, 5000 + Math.floor(20_000 * chance()));
    await putObject(store, suiteResponse(key, { fillSeq, tags: [`tag-of-${key}`] }), body);
    if (chance() < 0.35) log.purge("url", `/${Math.floor(keys * chance())}`);
    if (chance() < 0.2) log.purge("tag", `tag-of-/${Math.floor(keys * chance())}`);
    if (chance() < 0.02) log.purge("all", "");
    if (chance() < 0.3) await follower.waitFor(index.appliedSeq + 1, 20);
  }
  await follower.stop();
  return applied;
}

function isHit({ kind, value }: PurgeRecord, key: string): boolean {
  return kind === "all" || value === (kind === "url" ? key : `tag-of-${key}`);
}

/** Starts a node on what is left; returns how many objects it would serve. */
async function startAgain(dir: string, applied: readonly Applied[], cut: number): Promise<number> {
  const index = new PurgeIndex();
  const file = `${dir}/purges.log`;
  const discard = !await Deno.stat(file).then(() => true, () => false);
  const store = await openDiskStore({ dir: `${dir}/cache`, budgetBytes, durable: false, discard });
  const follower = new PurgeFollower({
    source: controlLog({ url: "http://127.0.0.1:1" }),
    file,
    index,
  });
  const found = await follower.start();
  const before = applied.filter(({ since }) => since <= cut).map(({ record }) => record);
  let served = 0;
  try {
    if (found === "resumed") assert.ok(index.appliedSeq >= (before.at(-1)?.seq ?? 0), "forgot");
    for (const entry of store.entries()) {
      const { key, tags, fillSeq } = entry.response;
      if (index.verdict({ key, tags, fillSeq }) !== "valid") continue;
      const purge = before.find((record) => record.seq > fillSeq && isHit(record, key));
      assert.equal(purge, undefined, `${key} of ${fillSeq} is served (${found})`);
      if (await readObject(entry).catch(() => undefined)) served++;
    }
  } finally {
    await follower.stop();
    await store.close();
  }
  return served;
}

for (const order of ["journaled", "unordered"] satisfies NameOrder[]) {
  Deno.test(`after a power cut nothing is served that was purged before it: names ${order}`, async () => {
    const root = await Deno.makeTempDir({ prefix: "downlink-cut-" });
    const dir = `${root}/node`;
    const chance = chanceOf(7);
    let served = 0;
    try {
      const store = await openDiskStore({ dir: `${dir}/cache`, budgetBytes, durable: false });
      const disk = RecordedDisk.begin(dir);
      const from = disk.now;
      const applied = await fillAndPurge(store, { dir, disk, chance })
        .finally(() => disk[Symbol.dispose]());
      await store.close();
      assert.ok(applied.length > turns / 4);
      for (let i = 0; i < cuts; i++) {
        const cut = from + Math.floor(chance() * (disk.now - from + 1));
        const target = `${root}/${i}`;
        await Deno.mkdir(target);
        disk.lay(target, { cut, order, chance });
        served += await startAgain(target, applied, cut);
        await Deno.remove(target, { recursive: true });
      }
    } finally {
      await Deno.remove(root, { recursive: true });
    }
    assert.ok(served > cuts, `${served} objects are served`);
  });
}
