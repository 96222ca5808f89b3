import { memoryStore } from "#cache";
import { Handover, newEpoch, openUpstreamPort, PodStore, StoreLink } from "./mod.ts";
import { type OpenedHome, recallSuite } from "./recall_suite.ts";
import { missingFor, type RunningStore, startStore, type StoreKind } from "#rigs";

recallSuite("memory", () => {
  const store = memoryStore({ budgetBytes: 512 * 2 ** 20 });
  return Promise.resolve({ store, settled: async () => {}, close: () => store.close() });
}, false);

/** The worker's part over a running store; each opening is an epoch of its own. */
function openPod({ running, handover }: Pod): OpenedHome {
  const { url, secret } = running;
  const epoch = newEpoch();
  const open = () => {
    const link = new StoreLink({ url, secret });
    // So little memory that nothing is answered from it.
    return new PodStore({ link, handover, memoryBytes: 16_000, epoch, restMs: 0 });
  };
  let store = open();
  return {
    get store() {
      return store;
    },
    settled: () => store.settled(),
    reopen: async () => {
      await store.close();
      return store = open();
    },
    close: () => store.close(),
  };
}

interface Pod {
  readonly running: RunningStore;
  readonly handover: Handover;
  close(): Promise<void>;
}

async function startPod(kind: StoreKind): Promise<Pod> {
  const running = await startStore(kind);
  const handover = new Handover(running.secret);
  const port = openUpstreamPort(handover, { hostname: "127.0.0.1", port: running.upstreamPort });
  const close = async () => {
    await running[Symbol.asyncDispose]();
    await port.drain(0);
  };
  return { running, handover, close };
}

for (const kind of ["ats", "varnish"] satisfies StoreKind[]) {
  const missing = missingFor(kind);
  let pod: Promise<Pod> | undefined;
  const open = async () => openPod(await (pod ??= startPod(kind)));
  recallSuite(missing ? `${kind} (${missing})` : kind, open, missing !== undefined);
  Deno.test({
    name: `${kind} is stopped`,
    ignore: missing !== undefined,
    sanitizeResources: false,
    sanitizeOps: false,
    fn: async () => await (await pod)?.close(),
  });
}
