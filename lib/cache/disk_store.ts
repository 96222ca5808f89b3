/**
 * A home for stored responses on a disk: the least recently used objects go when the budget is reached.
 *
 * What is promised:
 * - An object is found whole or not at all, whenever the process was killed: it gets its name only
 *   after its last byte was written.
 * - After a power cut the same holds: with `durable`, an object is forced to the disk before it gets
 *   its name; without, it may be gone. A name that outlived its bytes is found out by checksums.
 * - A byte whose block fails its checksum is never given; the stream fails and the object goes.
 * - A full disk, an unreadable file, a missing directory or a damaged journal cost objects, no more.
 * - Recency and heads that were replaced by `update` outlive a clean end, and a kill to within
 *   half a minute.
 *
 * @module
 */

import { DiskBacklog } from "./disk_backlog.ts";
import type { DiskFault, DiskFaultReason } from "./disk_fault.ts";
import { DiskFiles, removeFile } from "./disk_files.ts";
import { DiskIndex } from "./disk_index.ts";
import type { JournalLine } from "./disk_journal.ts";
import { JournalFile } from "./disk_journal_file.ts";
import { DiskEntry, type DiskObject } from "./disk_object.ts";
import { DiskQueue } from "./disk_queue.ts";
import { DiskReader } from "./disk_reader.ts";
import { recover, type Recovered } from "./disk_recovery.ts";
import { DiskWarmth } from "./disk_warmth.ts";
import { DiskWriter, type WriterHome } from "./disk_writer.ts";
import type { Store, StoredEntry, StoredResponse, StoreWriter } from "./store.ts";

/** How a disk store is opened. */
export interface DiskStoreOptions {
  /** A directory for this store alone; made when it is not there. */
  readonly dir: string;
  /** What all files together may take, journal and heads included; at least 1 MiB. */
  readonly budgetBytes: number;
  /** Objects that eviction takes last. Asked again whenever an object is used; must be quick. */
  readonly pinned?: (response: StoredResponse) => boolean;
  /** Told of everything that goes wrong, at once; must not throw. */
  readonly onFault?: (fault: DiskFault) => void;
  /** Bounds the memory that the index takes: about 1 KiB each. */
  readonly maxObjects?: number;
  /** Whether each object is forced to the disk, which costs a disk's latency each time. */
  readonly durable?: boolean;
  /** What may wait in memory for the disk. */
  readonly maxQueuedBytes?: number;
  /** Never reads at once what the page cache seems to hold: every read goes through a thread. */
  readonly patient?: boolean;
  /** Begins empty, whatever an earlier store left. */
  readonly discard?: boolean;
}

/** A store on a disk. Its entries have no `memory`. */
export interface DiskStore extends Store {
  /** Objects that left to make room, since it was opened. */
  readonly evictedCount: number;
  /** Bytes of objects' files that were written since it was opened, of those that were given up too. */
  readonly writtenBytes: number;
  /** Objects that are committed from now on have this generation or a later one. */
  readonly nextGeneration: number;
  find(key: string): readonly DiskEntry[];
  /** Waits until what was removed so far stays so whatever happens to the machine. */
  sync(): Promise<void>;
}

const minBudgetBytes = 2 ** 20;
/** How long another store's lock is waited for: it may just be closing. */
const claimMs = 2000;
/** Uses are gathered so long before the journal learns of them. */
const usedMs = 30_000;
const writeConcurrency = 4;
const readConcurrency = 16;
const removeConcurrency = 2;
/** Generations in one line of the journal. */
const generationsPerLine = 1000;

/**
 * Opens a disk store, with what an earlier one left in the directory.
 *
 * @throws {RangeError} when the budget is under 1 MiB.
 * @throws {Error} when the directory cannot be used, or another store has it open.
 */
export async function openDiskStore(options: DiskStoreOptions): Promise<DiskStore> {
  if (!(options.budgetBytes >= minBudgetBytes)) {
    throw new RangeError(
      `Cannot open disk store: a budget of at least ${minBudgetBytes} bytes: received ${options.budgetBytes}`,
    );
  }
  const onFault = (reason: DiskFaultReason, detail: string) =>
    options.onFault?.({ reason, detail });
  const files = new DiskFiles(options.dir);
  try {
    await files.claim(claimMs);
    if (options.discard) await files.removeObjects();
    return new OpenDiskStore(options, files, await recover(files, onFault), onFault);
  } catch (cause) {
    files.release();
    const received = `${options.dir}, ${cause instanceof Error ? cause.message : cause}`;
    throw new Error(
      `Cannot open disk store: a directory of its own that can be written: received ${received}`,
      { cause },
    );
  }
}

class OpenDiskStore implements DiskStore, WriterHome {
  readonly budgetBytes: number;
  readonly durable: boolean;
  readonly files: DiskFiles;
  readonly backlog: DiskBacklog;
  readonly queue = new DiskQueue(writeConcurrency);
  readonly onFault: (reason: DiskFaultReason, detail: string) => void;
  evictedCount = 0;
  writtenBytes = 0;
  readonly #maxObjects: number;
  readonly #index: DiskIndex;
  readonly #journal: JournalFile;
  readonly #reader: DiskReader;
  readonly #warmth = new DiskWarmth();
  readonly #removals = new DiskQueue(removeConcurrency);
  readonly #writers = new Set<DiskWriter>();
  /** Generations that left the store, and whose files are still there. */
  readonly #leaving = new Set<number>();
  /** Generations that were used since the journal learned of it, the latest last. */
  readonly #used = new Set<number>();
  #usedTimer: ReturnType<typeof setTimeout> | undefined;
  #nextGeneration: number;
  #nextWriter = 1;
  /** Files of objects that can be found, and of those that are still being read. */
  #objectBytes = 0;
  /** What writers hold. */
  #reservedBytes = 0;
  #closed = false;

  constructor(
    options: DiskStoreOptions,
    files: DiskFiles,
    recovered: Recovered,
    onFault: (reason: DiskFaultReason, detail: string) => void,
  ) {
    this.files = files;
    this.onFault = onFault;
    this.budgetBytes = options.budgetBytes;
    this.durable = options.durable ?? true;
    this.backlog = new DiskBacklog(options.maxQueuedBytes ?? 32 * 2 ** 20);
    this.#maxObjects = options.maxObjects ?? 2 ** 17;
    this.#index = new DiskIndex(options.pinned ?? (() => false));
    this.#nextGeneration = recovered.nextGeneration;
    this.#reader = new DiskReader({
      files,
      queue: new DiskQueue(readConcurrency),
      warmth: options.patient ? undefined : this.#warmth,
      onReleased: (object) => this.#released(object),
      onBroken: (object, { reason, message }) => this.#lose(object, reason, message),
    });
    this.#journal = new JournalFile({
      path: files.journal,
      bytes: recovered.journalBytes,
      slackBytes: Math.min(2 ** 20, options.budgetBytes / 64),
      snapshot: () => this.#snapshot(),
      onFault: (error) => onFault("journal_failed", String(error)),
    });
    this.#takeOver(recovered);
  }

  get nextGeneration(): number {
    return this.#nextGeneration;
  }

  get usedBytes(): number {
    return this.#objectBytes + this.#reservedBytes + this.#journal.bytes;
  }

  get count(): number {
    return this.#index.count;
  }

  find(key: string): readonly DiskEntry[] {
    return this.#index.find(key);
  }

  touch(entry: StoredEntry): void {
    const { object } = own(entry);
    if (!object.live || this.#closed) return;
    this.#index.touch(object);
    this.#used.delete(object.generation);
    this.#used.add(object.generation);
    this.#usedTimer ??= setTimeout(() => this.#writeUsed(), usedMs);
  }

  open(response: StoredResponse, expectedBytes?: number): StoreWriter {
    const writer = new DiskWriter(this, this.#nextWriter++, response, expectedBytes);
    this.#writers.add(writer);
    if (this.#closed) void writer.abort();
    return writer;
  }

  /** @throws {RangeError} when the key or the variant would change. */
  update(entry: StoredEntry, response: StoredResponse): Promise<StoredEntry> {
    const old = own(entry);
    const { key, variant } = old.response;
    if (response.key !== key || response.variant !== variant) {
      const received = `${response.key} ${response.variant}`;
      throw new RangeError(`Cannot update entry: the key and variant it has: received ${received}`);
    }
    const updated = old.withResponse(response);
    if (old.object.live) {
      this.#index.replace(updated);
      this.#write(["head", old.object.generation, response]);
    }
    return Promise.resolve(updated);
  }

  remove(entry: StoredEntry): void {
    this.#remove(own(entry).object);
  }

  entries(): Iterable<StoredEntry> {
    return [...this.#index.entries()];
  }

  async sync(): Promise<void> {
    await this.#journal.sync();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([...this.#writers].map((writer) => writer.abort()));
    this.#writeUsed();
    await this.#journal.close();
    await this.#removals.idle();
    this.files.release();
  }

  takeGeneration(): number {
    return this.#nextGeneration++;
  }

  reserve(bytes: number): boolean {
    const room = this.#makeRoom(bytes);
    if (room) this.#reservedBytes += bytes;
    return room;
  }

  unreserve(bytes: number): void {
    this.#reservedBytes -= bytes;
  }

  async freeDisk(bytes: number): Promise<void> {
    for (let freed = 0; freed < bytes;) {
      const victim = this.#index.victim();
      if (victim === undefined) break;
      freed += victim.chargedBytes;
      this.#evict(victim);
    }
    await this.#removals.idle();
  }

  adopt(object: DiskObject, response: StoredResponse): StoredEntry {
    this.#reservedBytes -= object.chargedBytes;
    this.#warmth.saw(object, object.fileBytes);
    const replaced = this.#index.sameAs(response);
    const entry = this.#add(object, response);
    if (replaced !== undefined) this.#remove(replaced.object);
    this.#write(["put", object.name, object.bodyBytes, object.fileBytes, response]);
    this.#evictBeyondCount();
    return entry;
  }

  onWritten(bytes: number): void {
    this.writtenBytes += bytes;
  }

  onClosed(writer: DiskWriter): void {
    this.#writers.delete(writer);
  }

  #takeOver({ objects, journalDamaged }: Recovered): void {
    const inOrder = new Map(objects.map(({ object }, order) => [object, order]));
    // By generation first, which is the order of variants, and then by recency.
    for (
      const { object, response } of objects.toSorted((a, b) =>
        a.object.generation - b.object.generation
      )
    ) this.#add(object, response);
    for (const object of inOrder.keys()) this.#index.touch(object);
    this.#makeRoom(0);
    this.#evictBeyondCount();
    const unwritten = objects.filter(({ object, inJournal }) => !inJournal && object.live);
    if (journalDamaged || unwritten.length > objects.length / 2) return this.#journal.rewrite();
    for (const { object, response } of unwritten) {
      this.#write(["put", object.name, object.bodyBytes, object.fileBytes, response]);
    }
  }

  #add(object: DiskObject, response: StoredResponse): DiskEntry {
    const entry = new DiskEntry(object, response, this.#reader);
    this.#index.add(entry);
    this.#objectBytes += object.chargedBytes;
    return entry;
  }

  /** Adds a line to the journal, and makes room for it. */
  #write(line: JournalLine): void {
    this.#journal.append(line);
    this.#makeRoom(0);
  }

  #makeRoom(bytes: number): boolean {
    while (this.usedBytes + bytes > this.budgetBytes) {
      const victim = this.#index.victim();
      if (victim === undefined) return false;
      this.#evict(victim);
    }
    return true;
  }

  #evictBeyondCount(): void {
    while (this.#index.count > this.#maxObjects) {
      const victim = this.#index.victim();
      if (victim === undefined) return;
      this.#evict(victim);
    }
  }

  #evict(object: DiskObject): void {
    this.evictedCount++;
    this.#remove(object);
  }

  #remove(object: DiskObject): void {
    if (!object.live) return;
    object.live = false;
    this.#index.remove(object);
    this.#used.delete(object.generation);
    this.#leaving.add(object.generation);
    this.#journal.append(["gone", object.generation]);
    if (object.readers === 0) this.#discard(object);
  }

  #released(object: DiskObject): void {
    if (!object.live && object.readers === 0) this.#discard(object);
  }

  #discard(object: DiskObject): void {
    this.#objectBytes -= object.chargedBytes;
    const path = this.files.object(object.name);
    void this.#removals.run(() => removeFile(path))
      .then(() => this.#leaving.delete(object.generation))
      .catch((error) => this.onFault("write_failed", String(error)));
  }

  #lose(object: DiskObject, reason: DiskFaultReason, detail: string): void {
    this.onFault(reason, detail);
    if (reason !== "no_descriptors") this.#remove(object); // which says nothing of the object
  }

  #writeUsed(): void {
    clearTimeout(this.#usedTimer);
    this.#usedTimer = undefined;
    const generations = [...this.#used];
    this.#used.clear();
    for (let at = 0; at < generations.length; at += generationsPerLine) {
      this.#write(["used", ...generations.slice(at, at + generationsPerLine)]);
    }
  }

  *#snapshot(): Iterable<JournalLine> {
    yield ["next", this.#nextGeneration];
    if (this.#leaving.size > 0) yield ["gone", ...this.#leaving];
    for (const { object, response } of this.#index.entries()) {
      yield ["put", object.name, object.bodyBytes, object.fileBytes, response];
    }
  }
}

function own(entry: StoredEntry): DiskEntry {
  if (entry instanceof DiskEntry) return entry;
  throw new TypeError("Cannot use entry: one of this store: received one of another");
}
