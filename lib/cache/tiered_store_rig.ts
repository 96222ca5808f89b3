/**
 * A tiered store for tests, of which every commit has reached both tiers when it returns.
 *
 * @module
 */

import type { Store } from "./store.ts";
import type { TieredStore } from "./tiered_store.ts";

/** Returns a view of `store` whose commits wait for the disk. */
export function putAllAtRest(store: TieredStore): Store {
  return new Proxy<Store>(store, {
    get(_, name: keyof TieredStore) {
      if (name === "open") return (...of: Parameters<Store["open"]>) => openAtRest(store, of);
      const member = store[name];
      return typeof member === "function" ? member.bind(store) : member;
    },
  });
}

function openAtRest(store: TieredStore, of: Parameters<Store["open"]>): ReturnType<Store["open"]> {
  const writer = store.open(...of);
  return {
    write: (chunk) => writer.write(chunk),
    abort: () => writer.abort(),
    async commit(response) {
      const entry = await writer.commit(response);
      await store.settled();
      return entry;
    },
  };
}
