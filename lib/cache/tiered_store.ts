/**
 * Memory over disk as one {@link Store}.
 *
 * - An object that is small enough goes to memory at once and to the disk a little later, when nobody
 *   waits for it; a large one goes straight to the disk while it arrives.
 * - A small object that is asked for twice on the disk comes back to memory.
 * - A key and variant is never to be found in two versions: a newer one takes the older one out of
 *   both tiers, and stops it on its way.
 * - A disk that fails is left alone for a while; memory goes on.
 * - The disk is written to no faster than it may be, so that reads keep flowing: what comes on top
 *   stays in memory where it can, and is served all the same.
 *
 * @module
 */

import { type DiskFault, type DiskFaultReason } from "./disk_fault.ts";
import { defaultCircuitLimits, DiskCircuit, type DiskCircuitLimits } from "./disk_circuit.ts";
import { DiskFeed } from "./disk_feed.ts";
import { DiskEntry, type DiskObject } from "./disk_object.ts";
import { DiskRate } from "./disk_rate.ts";
import { type DiskStore, type DiskStoreOptions, openDiskStore } from "./disk_store.ts";
import {
  largestShare,
  memoryEntry,
  type MemoryStore,
  memoryStore,
  wholeBody,
} from "./memory_store.ts";
import { Promotions } from "./promotions.ts";
import type { Store, StoredEntry, StoredResponse, StoreWriter } from "./store.ts";

/** How a tiered store is opened. */
export interface TieredStoreOptions {
  /** Bodies and heads in memory, those on their way to the disk included. */
  readonly memoryBytes: number;
  readonly disk: Omit<DiskStoreOptions, "onFault">;
  /** Told of everything that goes wrong with the disk; must not throw. */
  readonly onFault?: (fault: DiskFault) => void;
  /**
   * Hides what an earlier process left until {@link TieredStore.release}: for a node that does not
   * know yet what was purged while it was off.
   */
  readonly holdBack?: boolean;
  /** How long an object rests in memory before it is written, in milliseconds; 5000 by default. */
  readonly restMs?: number;
  readonly circuit?: Partial<DiskCircuitLimits>;
  /** Bodies that may be written to the disk, in bytes a second; without it as fast as they come. */
  readonly writeBytesPerSecond?: number;
}

/** The fill of one tier. */
export type TierFill = Pick<Store, "usedBytes" | "budgetBytes" | "count">;

/** Memory over disk. `count` and `entries()` take time in proportion to what is in memory. */
export interface TieredStore extends Store {
  readonly memory: TierFill;
  readonly disk: TierFill & Pick<DiskStore, "writtenBytes">;
  /** Whether the disk failed so often that it is not written to, or not read from, for a while. */
  readonly resting: { readonly writes: boolean; readonly reads: boolean };
  /** Shows what `holdBack` hid. */
  release(): void;
  /** Waits until what was removed so far stays so whatever happens to the machine. */
  sync(): Promise<void>;
  /** Waits until everything that is to go to the other tier is there. */
  settled(): Promise<void>;
}

/** Share of the memory budget for objects on their way to the disk. */
const feedShare = 1 / 8;
/** Largest share of the memory tier that one object may take: larger ones live on the disk. */
const smallShare = 1 / 16;
const defaultRestMs = 5000;

/**
 * Opens a tiered store, with what an earlier one left on the disk.
 *
 * @throws {RangeError | Error} as {@link openDiskStore}.
 */
export async function openTieredStore(options: TieredStoreOptions): Promise<TieredStore> {
  const limits = { ...defaultCircuitLimits, ...options.circuit };
  const circuits = { writes: new DiskCircuit(limits), reads: new DiskCircuit(limits) };
  let open = false; // what a crash left behind tells nothing of the disk
  const onFault = (fault: DiskFault) => {
    if (open && writeFaults.has(fault.reason)) circuits.writes.fault(performance.now());
    if (open && readFaults.has(fault.reason)) circuits.reads.fault(performance.now());
    options.onFault?.(fault);
  };
  const disk = await openDiskStore({ ...options.disk, onFault });
  open = true;
  return new OpenTieredStore({ ...options, onFault }, disk, circuits);
}

/** What tells of the disk, and not of the objects. */
const writeFaults: ReadonlySet<DiskFaultReason> = new Set(["write_failed", "disk_full"]);
const readFaults: ReadonlySet<DiskFaultReason> = new Set(["read_failed", "vanished"]);

class OpenTieredStore implements TieredStore {
  readonly #memoryTier: TierFill;
  readonly #memory: MemoryStore;
  readonly #disk: DiskStore;
  readonly #feed: DiskFeed;
  readonly #promotions: Promotions;
  readonly #rate: DiskRate;
  readonly #onFault: (fault: DiskFault) => void;
  readonly #circuits: { readonly writes: DiskCircuit; readonly reads: DiskCircuit };
  readonly #smallBytes: number;
  /** Large objects that are being committed, by key and variant. */
  readonly #committing = new Map<string, StoreWriter>();
  /** Objects of the disk with an older generation are hidden. */
  #heldBefore = 0;
  #closed = false;

  constructor(
    options: TieredStoreOptions & { readonly onFault: (fault: DiskFault) => void },
    disk: DiskStore,
    circuits: { readonly writes: DiskCircuit; readonly reads: DiskCircuit },
  ) {
    const { memoryBytes, restMs = defaultRestMs, onFault } = options;
    const rate = this.#rate = new DiskRate(options.writeBytesPerSecond ?? Infinity);
    this.#onFault = onFault;
    this.#memory = memoryStore({ budgetBytes: memoryBytes * (1 - feedShare) });
    this.#disk = disk;
    this.#circuits = circuits;
    this.#smallBytes = this.#memory.budgetBytes * smallShare;
    this.#feed = new DiskFeed({
      disk,
      maxBytes: memoryBytes * feedShare,
      restMs,
      rate,
      admits: () => this.#admitsToDisk,
      onFull: (key) => {
        const late = rate.waitMs(performance.now()) > 0;
        onFault({ reason: late ? "over_write_rate" : "queue_full", detail: key });
      },
      onWritten: () => circuits.writes.success(),
    });
    this.#promotions = new Promotions({
      maxBytes: this.#smallBytes,
      rememberedBytes: this.#memory.budgetBytes,
      onRead: (object, key, body) => this.#promote(object, key, body),
    });
    this.#memoryTier = memoryTier(memoryBytes, this.#memory, this.#feed);
    if (options.holdBack) this.#heldBefore = disk.nextGeneration;
  }

  get memory(): TierFill {
    return this.#memoryTier;
  }

  get disk(): TierFill & Pick<DiskStore, "writtenBytes"> {
    return this.#disk;
  }

  get resting(): { readonly writes: boolean; readonly reads: boolean } {
    const { writes, reads } = this.#circuits;
    const nowMs = performance.now();
    return { writes: writes.isOpen(nowMs), reads: reads.isOpen(nowMs) };
  }

  get usedBytes(): number {
    return this.#memoryTier.usedBytes + this.#disk.usedBytes;
  }

  get budgetBytes(): number {
    return this.#memoryTier.budgetBytes + this.#disk.budgetBytes;
  }

  get count(): number {
    let count = this.#disk.count;
    for (const { response } of this.#inMemory()) {
      if (sameVariant(this.#disk.find(response.key), response) === undefined) count++;
    }
    return count;
  }

  find(key: string): readonly StoredEntry[] {
    const inMemory = this.#memory.find(key);
    const waiting = this.#feed.find(key);
    const onDisk = this.#disk.find(key);
    const [entry] = inMemory;
    if (inMemory.length === 1 && adds(waiting, entry) + adds(onDisk, entry) === 0) return inMemory;
    return newestFirst(distinct([...inMemory, ...waiting, ...this.#readable(onDisk)]));
  }

  touch(entry: StoredEntry): void {
    if (entry instanceof DiskEntry) {
      this.#disk.touch(entry);
      if (!this.#closed) this.#promotions.used(entry);
    } else if (this.#memory.touch(entry)) {
      // Seldom for what is used all the time, so that it costs a hit nothing.
      const copy = sameHead(this.#disk.find(entry.response.key), entry);
      if (copy !== undefined) this.#disk.touch(copy);
    }
  }

  open(response: StoredResponse, expectedBytes = 0): StoreWriter {
    return new TierWriter(response, expectedBytes, {
      smallBytes: this.#smallBytes,
      largestInMemory: this.#memory.budgetBytes * largestShare,
      put: (response, body) => this.#put(response, body),
      openOnDisk: (response) => this.#openOnDisk(response, expectedBytes),
      takeMore: (bytes) => this.#takeMore(response, bytes),
      commitOnDisk: (writer, response) => this.#commitOnDisk(writer, response),
    });
  }

  async update(entry: StoredEntry, response: StoredResponse): Promise<StoredEntry> {
    const { key } = entry.response;
    const memoryCopy = sameHead(this.#memory.find(key), entry);
    const diskCopy = sameHead(this.#disk.find(key), entry);
    const waiting = this.#feed.update(entry.response, response);
    // All of them before anything else runs.
    const updates = [
      memoryCopy && this.#memory.update(memoryCopy, response),
      waiting,
      diskCopy && this.#disk.update(diskCopy, response),
    ];
    return await updates.find((each) => each !== undefined) ?? detached(entry, response);
  }

  remove(entry: StoredEntry): void {
    const { key } = entry.response;
    const memoryCopy = sameHead(this.#memory.find(key), entry);
    const diskCopy = sameHead(this.#disk.find(key), entry);
    if (memoryCopy !== undefined) this.#memory.remove(memoryCopy);
    if (sameHead(this.#feed.find(key), entry) !== undefined) this.#feed.withdraw(entry.response);
    if (diskCopy !== undefined) this.#disk.remove(diskCopy);
  }

  *entries(): Iterable<StoredEntry> {
    const inMemory = [...this.#inMemory()];
    const onDisk = [...this.#disk.entries()];
    yield* inMemory;
    for (const entry of onDisk) {
      const { response } = entry;
      if (sameVariant(this.#memory.find(response.key), response) !== undefined) continue;
      if (sameVariant(this.#feed.find(response.key), response) === undefined) yield entry;
    }
  }

  release(): void {
    this.#heldBefore = 0;
  }

  async sync(): Promise<void> {
    await this.#disk.sync();
  }

  async settled(): Promise<void> {
    await Promise.all([this.#feed.flush(), this.#promotions.idle()]);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.settled();
    await this.#disk.close();
    await this.#memory.close();
  }

  /** Opens a large object on the disk; `undefined` when the disk is not to be written to now. */
  #openOnDisk(response: StoredResponse, expectedBytes: number): StoreWriter | undefined {
    if (!this.#admitsToDisk) return undefined;
    const bytes = Math.max(expectedBytes, this.#smallBytes);
    if (this.#rate.take(bytes, performance.now())) {
      return this.#disk.open(response, expectedBytes || undefined);
    }
    this.#onFault({ reason: "over_write_rate", detail: response.key });
  }

  #takeMore({ key }: StoredResponse, bytes: number): boolean {
    const taken = this.#rate.takeMore(bytes, performance.now());
    if (!taken) this.#onFault({ reason: "over_write_rate", detail: key });
    return taken;
  }

  get #admitsToDisk(): boolean {
    return !this.#circuits.writes.isOpen(performance.now());
  }

  /** Each key and variant once. */
  *#inMemory(): Iterable<StoredEntry> {
    yield* this.#memory.entries();
    for (const entry of this.#feed.entries()) {
      const { response } = entry;
      if (sameVariant(this.#memory.find(response.key), response) === undefined) yield entry;
    }
  }

  /** Those of the disk that may be served. */
  #readable(onDisk: readonly DiskEntry[]): readonly DiskEntry[] {
    if (onDisk.length === 0 || this.#circuits.reads.isOpen(performance.now())) return [];
    if (this.#heldBefore === 0) return onDisk;
    return onDisk.filter(({ object }) => object.generation >= this.#heldBefore);
  }

  /** Stores a small object: in memory now, on the disk later. */
  #put(response: StoredResponse, body: Uint8Array): StoredEntry | undefined {
    const entry = this.#memory.put(response, body);
    if (entry === undefined) return undefined;
    this.#supersede(response);
    this.#removeFromDisk(response);
    if (!this.#closed) this.#feed.add(entry);
    return entry;
  }

  async #commitOnDisk(
    writer: StoreWriter,
    response: StoredResponse,
  ): Promise<StoredEntry | undefined> {
    const place = `${response.key}\n${response.variant}`;
    this.#supersede(response);
    this.#committing.set(place, writer);
    const entry = await writer.commit(response);
    if (this.#committing.get(place) !== writer) return undefined; // a newer one came meanwhile
    this.#committing.delete(place);
    if (entry === undefined) return undefined;
    this.#circuits.writes.success();
    const former = sameVariant(this.#memory.find(response.key), response);
    if (former !== undefined) this.#memory.remove(former);
    return entry;
  }

  /** Stops older versions that are on their way to the disk. */
  #supersede(response: StoredResponse): void {
    const place = `${response.key}\n${response.variant}`;
    void this.#committing.get(place)?.abort();
    this.#committing.delete(place);
    this.#feed.withdraw(response);
  }

  #removeFromDisk(response: StoredResponse): void {
    const former = sameVariant(this.#disk.find(response.key), response);
    if (former !== undefined) this.#disk.remove(former);
  }

  /** Puts an object of the disk in memory too, unless it was replaced while it was read. */
  #promote(object: DiskObject, key: string, body: Uint8Array): void {
    const current = this.#disk.find(key).find((entry) => entry.object === object);
    if (current === undefined || this.#closed) return;
    if (sameVariant(this.#memory.find(key), current.response) !== undefined) return;
    this.#memory.put(current.response, body);
  }
}

/** The fill of memory with what is on its way to the disk, at any time that it is asked. */
function memoryTier(budgetBytes: number, memory: MemoryStore, feed: DiskFeed): TierFill {
  return {
    budgetBytes,
    get usedBytes() {
      return memory.usedBytes + feed.bytes;
    },
    get count() {
      return memory.count;
    },
  };
}

interface TierWriterOptions {
  /** Objects up to this size go to memory. */
  readonly smallBytes: number;
  /** Those that the disk does not take now go there up to this size. */
  readonly largestInMemory: number;
  readonly put: (response: StoredResponse, body: Uint8Array) => StoredEntry | undefined;
  readonly openOnDisk: (response: StoredResponse) => StoreWriter | undefined;
  /** Whether an object on the disk may go on beyond what it said. */
  readonly takeMore: (bytes: number) => boolean;
  readonly commitOnDisk: (
    writer: StoreWriter,
    response: StoredResponse,
  ) => Promise<StoredEntry | undefined>;
}

/** Gathers a body in memory until it is too large for that. */
class TierWriter implements StoreWriter {
  readonly #response: StoredResponse;
  readonly #expectedBytes: number;
  readonly #options: TierWriterOptions;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #disk: StoreWriter | undefined;
  /** Above this the disk is asked, or asked no more. */
  #limitBytes: number;
  #state: "open" | "refused" | "ended" = "open";

  constructor(response: StoredResponse, expectedBytes: number, options: TierWriterOptions) {
    this.#response = response;
    this.#expectedBytes = Math.max(expectedBytes, options.smallBytes);
    this.#options = options;
    this.#limitBytes = options.smallBytes;
    if (expectedBytes > options.smallBytes) this.#outgrow(expectedBytes);
  }

  /** Never asks to wait: a disk that is behind costs the object, not the client's time. */
  write(piece: Uint8Array): void {
    if (this.#state !== "open") return;
    this.#bytes += piece.length;
    if (this.#disk !== undefined) return this.#writeToDisk(this.#disk, piece);
    this.#pieces.push(piece);
    if (this.#bytes > this.#limitBytes) this.#outgrow(this.#bytes);
  }

  async commit(response: StoredResponse = this.#response): Promise<StoredEntry | undefined> {
    if (this.#state !== "open") return undefined;
    this.#state = "ended";
    if (this.#disk === undefined) {
      const body = wholeBody(this.#pieces, this.#bytes);
      this.#pieces = [];
      return this.#options.put(response, body);
    }
    return await this.#options.commitOnDisk(this.#disk, response);
  }

  async abort(): Promise<void> {
    this.#state = "ended";
    this.#pieces = [];
    await this.#disk?.abort();
  }

  /** An object of at least so many bytes is too large for where it is: it moves, stays or is given up. */
  #outgrow(bytes: number): void {
    const { smallBytes, largestInMemory, openOnDisk } = this.#options;
    if (this.#limitBytes === smallBytes) this.#disk = openOnDisk(this.#response);
    this.#limitBytes = largestInMemory;
    if (this.#disk === undefined && bytes <= largestInMemory) return;
    if (this.#disk === undefined) this.#state = "refused";
    else for (const piece of this.#pieces) void this.#disk.write(piece);
    this.#pieces = [];
  }

  #writeToDisk(disk: StoreWriter, piece: Uint8Array): void {
    const beyond = Math.min(piece.length, this.#bytes - this.#expectedBytes);
    if (beyond <= 0 || this.#options.takeMore(beyond)) return void disk.write(piece);
    this.#state = "refused";
    void disk.abort();
  }
}

/** The one with the same key and variant. */
function sameVariant<Entry extends StoredEntry>(
  entries: readonly Entry[],
  { variant }: StoredResponse,
): Entry | undefined {
  return entries.find(({ response }) => response.variant === variant);
}

/** The one that is the same version: tiers share the head of an object. */
function sameHead<Entry extends StoredEntry>(
  entries: readonly Entry[],
  { response }: StoredEntry,
): Entry | undefined {
  return entries.find((each) => each.response === response);
}

/** How many entries may be of other variants than a newer one's; 0 where that is known. */
function adds(entries: readonly StoredEntry[], { response }: StoredEntry): number {
  const same = entries.length === 1 && entries[0].response.variant === response.variant;
  return same ? 0 : entries.length;
}

/** The first of each variant. */
function distinct(entries: readonly StoredEntry[]): readonly StoredEntry[] {
  if (entries.length < 2) return entries;
  return entries.filter(({ response }, i) =>
    entries.findIndex((each) => each.response.variant === response.variant) === i
  );
}

function newestFirst(entries: readonly StoredEntry[]): readonly StoredEntry[] {
  if (entries.length < 2) return entries;
  return entries.toSorted((a, b) => b.response.receivedMs - a.response.receivedMs);
}

/** An entry of an object that no tier has any more, under another head. */
function detached(entry: StoredEntry, response: StoredResponse): StoredEntry {
  return entry instanceof DiskEntry
    ? entry.withResponse(response)
    : memoryEntry(response, entry.memory!);
}
