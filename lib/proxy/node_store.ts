/**
 * Where a cache node keeps stored responses: memory, memory over a disk, or memory over the ATS or
 * Varnish of its pod.
 *
 * What is on the disk is only as good as the node's place in the purge log: without that place nobody
 * knows what was purged since. So the two share a folder, and objects without a place are dropped.
 *
 * @module
 */

import {
  type DiskFault,
  memoryStore,
  openTieredStore,
  type Store,
  type TieredStore,
  type TierFill,
} from "#cache";
import { BadValue, type HostPort } from "#config";
import { type NodePod, type NodePodOptions, openNodePod } from "./node_pod.ts";
import type { StoreChoice } from "./store_choice.ts";

/** The settings that it depends on. Sizes are in bytes. */
export interface NodeStoreSettings {
  readonly memory: number;
  readonly disk: string | undefined;
  readonly diskSize: number;
  /** Bytes a second. */
  readonly diskWriteRate: number;
  readonly data: string | undefined;
  readonly control: URL | undefined;
  readonly store: StoreChoice;
  readonly storeUpstream: HostPort;
  readonly storeSecret: string | undefined;
}

/** What a pod needs of its node. */
export type PodSurroundings = Pick<NodePodOptions, "role" | "nextHop" | "purges" | "metrics">;

/** The open store. */
export interface NodeStore {
  readonly store: Store;
  readonly tiers: Readonly<Record<string, TierFill>>;
  /** The same store when it has a disk. */
  readonly tiered: TieredStore | undefined;
  /** The pod when ATS or Varnish keep what is stored. */
  readonly pod: NodePod | undefined;
  /** Folder for the purge position. */
  readonly data: string;
}

/**
 * One object in the index for so much of the disk, in bytes: it takes about 720 bytes of memory, so
 * 50 GiB take at most 280 MiB. Smaller objects leave some of the disk unused.
 */
const diskBytesPerObject = 2 ** 17;
const minObjects = 2 ** 17;

/** The file of the place in the purge log, see `joinControl`. */
const positionFile = "purges.log";

/**
 * Opens the store. With a disk and control, what an earlier process left is held back until it is
 * released.
 *
 * @param fallback Folder for the purge position of a node without a disk.
 * @throws {BadValue} When the disk cannot be used, or is parted from the purge position.
 */
export async function openNodeStore(
  settings: NodeStoreSettings,
  { fallback, onFault, surroundings }: {
    readonly fallback: string;
    readonly onFault: (fault: DiskFault) => void;
    readonly surroundings: PodSurroundings;
  },
): Promise<NodeStore> {
  if (settings.store.kind !== "builtin") return await openPod(settings, { fallback, surroundings });
  const { memory: memoryBytes, disk: dir, diskSize, diskWriteRate, data, control } = settings;
  if (dir === undefined) {
    const store = memoryStore({ budgetBytes: memoryBytes });
    return {
      store,
      tiers: { memory: store },
      tiered: undefined,
      pod: undefined,
      data: data ?? fallback,
    };
  }
  if (data !== undefined && !isWithin(data, dir)) {
    throw new BadValue(
      `Cannot use --data: need the folder of --disk or one in it, so that both are kept or lost ` +
        `together: received ${data}`,
    );
  }
  const position = `${data ?? dir}/${positionFile}`;
  const discard = control !== undefined && !await exists(position);
  const holdBack = control !== undefined;
  const maxObjects = Math.max(minObjects, Math.floor(diskSize / diskBytesPerObject));
  try {
    const tiered = await openTieredStore({
      memoryBytes,
      // Not forced: a power cut may cost objects, which are fetched again.
      disk: { dir: `${dir}/cache`, budgetBytes: diskSize, maxObjects, durable: false, discard },
      holdBack,
      writeBytesPerSecond: diskWriteRate,
      onFault,
    });
    const { memory, disk } = tiered;
    return { store: tiered, tiers: { memory, disk }, tiered, pod: undefined, data: data ?? dir };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadValue(
      `Cannot use --disk ${dir} with --disk-size ${diskSize}: need a folder for this node alone: ` +
        `received ${reason}`,
    );
  }
}

async function openPod(
  settings: NodeStoreSettings,
  { fallback, surroundings }: { fallback: string; surroundings: PodSurroundings },
): Promise<NodeStore> {
  const { store: choice, memory, disk, control, storeUpstream, storeSecret } = settings;
  if (choice.kind === "builtin") throw new TypeError("unreachable");
  if (disk !== undefined) {
    throw new BadValue(`Cannot use --disk: need --store builtin with it: received ${choice.kind}`);
  }
  const data = settings.data ?? fallback;
  const follows = control !== undefined;
  const pod = openNodePod({
    ...surroundings,
    kind: choice.kind,
    url: choice.url,
    upstream: storeUpstream,
    secretFile: storeSecret,
    memoryBytes: memory,
    data: follows || settings.data !== undefined ? data : undefined,
    discard: follows && !await exists(`${data}/${positionFile}`),
    holdBack: follows,
  });
  return { store: pod.store, tiers: { memory: pod.store }, tiered: undefined, pod, data };
}

function isWithin(folder: string, outer: string): boolean {
  const plain = (path: string) => path.replace(/\/+$/, "");
  const [inner, base] = [plain(folder), plain(outer)];
  return inner === base || inner.startsWith(`${base}/`) && !inner.split("/").includes("..");
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
