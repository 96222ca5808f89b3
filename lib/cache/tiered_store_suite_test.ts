import { putAllAtRest } from "./tiered_store_rig.ts";
import { openTieredStore, type TieredStore } from "./tiered_store.ts";
import { type OpenedStore, storeSuite } from "./store_suite.ts";

/** Most of what the suite writes fits in memory, or nearly nothing. */
const shares = { "a tiered store": 0.25, "a tiered store with little memory": 0.02 };

for (const [name, share] of Object.entries(shares)) {
  storeSuite(name, async (budgetBytes): Promise<OpenedStore> => {
    const dir = await Deno.makeTempDir({ prefix: "downlink-tiers-" });
    const memoryBytes = share * budgetBytes;
    const disk = { dir, budgetBytes: budgetBytes - memoryBytes, durable: false };
    const open = () => openTieredStore({ memoryBytes, disk });
    let store: TieredStore = await open();
    return {
      store: putAllAtRest(store),
      async close() {
        await store.close();
        await Deno.remove(dir, { recursive: true });
      },
      async reopen() {
        await store.close();
        return putAllAtRest(store = await open());
      },
    };
  });
}
