/**
 * A process that writes to a disk store until it is killed: `disk_store_churn.ts DIR BUDGET FIRST`.
 *
 * It prints `key version` when a commit has returned. The version is in `fillSeq`, and the body follows
 * from it, so that whoever looks afterwards knows every byte.
 *
 * @module
 */

import { openDiskStore } from "./disk_store.ts";
import type { StoredResponse } from "./store.ts";
import { suiteBody, suiteResponse } from "./store_suite.ts";

/** Objects are written by so many at once, each with keys of its own. */
const writers = 4;
const keysEach = 6;

/** The body that an object of this version has: up to 400 kB, some empty. */
export function churnBody(version: number): Uint8Array<ArrayBuffer> {
  return suiteBody(version, (version * 7919) % 400_000 * (version % 10 === 0 ? 0 : 1));
}

/** The head that an object of this version has. */
export function churnResponse(key: string, version: number): StoredResponse {
  return suiteResponse(key, { fillSeq: version, tags: [`version-${version}`] });
}

async function churn(dir: string, budgetBytes: number, first: number): Promise<never> {
  const store = await openDiskStore({ dir, budgetBytes });
  let version = first;
  const print = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
  const work = async (writer: number): Promise<never> => {
    for (let turn = 0;; turn++) {
      const key = `/${writer}/${turn % keysEach}`;
      const mine = version++;
      const body = churnBody(mine);
      const open = store.open(churnResponse(key, mine));
      for (let at = 0; at < body.length; at += 30_000) {
        await open.write(body.slice(at, at + 30_000));
      }
      if (turn % 7 === 3) await open.abort();
      else if (await open.commit()) print(`${key} ${mine}`);
      for (const entry of store.find(key)) {
        store.touch(entry);
        await store.update(entry, { ...entry.response, status: 203 });
      }
    }
  };
  print("ready");
  return await Promise.race(Array.from({ length: writers }, (_, writer) => work(writer)));
}

if (import.meta.main) await churn(Deno.args[0], Number(Deno.args[1]), Number(Deno.args[2]));
