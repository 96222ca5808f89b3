import assert from "node:assert/strict";
import { chargeFor } from "./disk_object.ts";
import { type DiskStore, openDiskStore } from "./disk_store.ts";
import { churnBody, churnResponse } from "./disk_store_churn.ts";
import { assertBytes, readObject } from "./store_suite.ts";

const budgetBytes = 3 * 2 ** 20;

/** Numbers that look random and are the same each time. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state >>> 8;
  }
}

/** Does one thing after the other to a store that others use at the same time. */
async function use(store: DiskStore, worker: number, turns: number): Promise<void> {
  const random = numbers(worker);
  const upTo = (limit: number) => random.next().value % limit;
  for (let turn = 0; turn < turns; turn++) {
    const key = `/${upTo(12)}`;
    const version = 1 + worker * 1000 + turn;
    const [entry] = store.find(key);
    const choice = upTo(8);
    if (choice < 4 || entry === undefined) {
      const writer = store.open(churnResponse(key, version));
      const body = churnBody(version);
      for (let at = 0; at < body.length; at += 70_000) {
        await writer.write(body.slice(at, at + 70_000));
      }
      await (choice === 0 ? writer.abort() : writer.commit());
    } else if (choice === 4) {
      store.remove(entry);
    } else if (choice === 5) {
      store.touch(entry);
      const { fillSeq } = entry.response;
      assertBytes(await readObject(entry), churnBody(fillSeq));
    } else if (choice === 6) {
      const stream = entry.read(0, entry.bodyBytes);
      store.remove(entry);
      await stream.cancel();
    } else {
      await store.update(entry, { ...entry.response, status: 203 });
    }
    assert.ok(store.usedBytes <= budgetBytes);
  }
}

async function filesUnder(dir: string): Promise<number[]> {
  const charges: number[] = [];
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    const path = `${dir}/${name}`;
    if (isDirectory) charges.push(...await filesUnder(path));
    else charges.push(chargeFor((await Deno.stat(path)).size));
  }
  return charges;
}

Deno.test("many users of one disk store see whole objects, and every byte is accounted for", async () => {
  const dir = await Deno.makeTempDir({ prefix: "downlink-parallel-" });
  const faults: string[] = [];
  const onFault = ({ reason }: { reason: string }) => faults.push(reason);
  try {
    const store = await openDiskStore({ dir, budgetBytes, onFault });
    await Promise.all(Array.from({ length: 8 }, (_, worker) => use(store, worker, 60)));
    for (const entry of store.entries()) {
      assertBytes(await readObject(entry), churnBody(entry.response.fillSeq));
    }
    const { count, usedBytes } = store;
    await store.close();
    assert.deepEqual(faults.filter((reason) => reason !== "no_room"), []);
    assert.deepEqual(await filesUnder(`${dir}/unfinished`), []);
    const charges = await filesUnder(`${dir}/objects`);
    assert.equal(charges.length, count);
    const bytes = charges.reduce((sum, charge) => sum + charge, 0);
    const { size } = await Deno.stat(`${dir}/journal`);
    const usesBytes = 12 * count + 100; // which the end adds to the journal
    const unaccounted = bytes + size - usedBytes;
    assert.ok(unaccounted >= 0 && unaccounted <= usesBytes, `${unaccounted} bytes unaccounted for`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
