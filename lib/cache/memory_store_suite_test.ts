import { memoryStore } from "./memory_store.ts";
import { storeSuite } from "./store_suite.ts";

storeSuite("memoryStore()", (budgetBytes) => {
  const store = memoryStore({ budgetBytes });
  return Promise.resolve({ store, close: () => store.close() });
});
