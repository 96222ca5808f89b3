import { type DiskStore, openDiskStore } from "./disk_store.ts";
import { type OpenedStore, storeSuite } from "./store_suite.ts";

async function openTemporary(budgetBytes: number, patient = false): Promise<OpenedStore> {
  const dir = await Deno.makeTempDir({ prefix: "downlink-disk-" });
  let store: DiskStore = await openDiskStore({ dir, budgetBytes, patient });
  return {
    store,
    async close() {
      await store.close();
      await Deno.remove(dir, { recursive: true });
    },
    async reopen() {
      await store.close();
      return store = await openDiskStore({ dir, budgetBytes, patient });
    },
  };
}

storeSuite("the disk store", openTemporary);
storeSuite("the disk store, all reads by threads,", (bytes) => openTemporary(bytes, true));
