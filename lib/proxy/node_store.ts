/**
 * Where a cache node keeps stored responses: memory, or memory over a disk.
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
import { BadValue } from "#config";

/** The settings that it depends on. Sizes are in bytes. */
export interface NodeStoreSettings {
  readonly memory: number;
  readonly disk: string | undefined;
  readonly diskSize: number;
  /** Bytes a second. */
  readonly diskWriteRate: number;
  readonly data: string | undefined;
  readonly control: URL | undefined;
}

/** The open store. */
export interface NodeStore {
  readonly store: Store;
  readonly tiers: Readonly<Record<string, TierFill>>;
  /** The same store when it has a disk. */
  readonly tiered: TieredStore | undefined;
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
  { fallback, onFault }: { fallback: string; onFault: (fault: DiskFault) => void },
): Promise<NodeStore> {
  const { memory: memoryBytes, disk: dir, diskSize, diskWriteRate, data, control } = settings;
  if (dir === undefined) {
    const store = memoryStore({ budgetBytes: memoryBytes });
    return { store, tiers: { memory: store }, tiered: undefined, data: data ?? fallback };
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
    return { store: tiered, tiers: { memory, disk }, tiered, data: data ?? dir };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadValue(
      `Cannot use --disk ${dir} with --disk-size ${diskSize}: need a folder for this node alone: ` +
        `received ${reason}`,
    );
  }
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
