/**
 * Objects in memory on their way to the disk: each rests a while first, so that what is replaced every
 * second never costs a write, and nobody waits for any of it.
 *
 * @module
 */

import type { DiskRate } from "./disk_rate.ts";
import type { DiskStore } from "./disk_store.ts";
import { memoryEntry } from "./memory_store.ts";
import type { StoredEntry, StoredResponse, StoreWriter } from "./store.ts";

/** So many objects are written at once, so that reads keep flowing. */
const writesAtOnce = 2;

/** What a {@linkcode DiskFeed} needs. */
export interface DiskFeedOptions {
  readonly disk: DiskStore;
  /** Bounds the bodies that wait; what comes on top never reaches the disk. */
  readonly maxBytes: number;
  /** How long an object rests before it is written, in milliseconds. */
  readonly restMs: number;
  /** What waits is written no faster than that, but at the end. */
  readonly rate: DiskRate;
  /** Whether the disk is to be written to. */
  readonly admits: () => boolean;
  /** An object was given up because too much waits. */
  readonly onFull: (key: string) => void;
  /** An object is on the disk. */
  readonly onWritten: () => void;
}

interface Waiting {
  /** Always with `memory`. */
  entry: StoredEntry;
  readonly dueMs: number;
  /** Set while it is being written. */
  writer?: StoreWriter;
}

/** First come, first written. What waits can be found. */
export class DiskFeed {
  readonly #options: DiskFeedOptions;
  /** By key, one for each variant; in the order of their coming. */
  readonly #waiting = new Map<string, readonly Waiting[]>();
  #bytes = 0;
  #writing = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #flushing = false;
  #idle: (() => void)[] = [];

  constructor(options: DiskFeedOptions) {
    this.#options = options;
  }

  /** Bodies that wait or are being written. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What waits of a key. */
  find(key: string): readonly StoredEntry[] {
    const waiting = this.#waiting.get(key);
    return waiting === undefined ? none : waiting.map(({ entry }) => entry);
  }

  /** Everything that waits. */
  *entries(): Iterable<StoredEntry> {
    for (const each of this.#waiting.values()) for (const { entry } of each) yield entry;
  }

  /** Takes an object in memory. One with the same key and variant must have been withdrawn. */
  add(entry: StoredEntry): void {
    const { maxBytes, restMs, admits, onFull } = this.#options;
    if (!admits()) return;
    if (this.#bytes + entry.bodyBytes > maxBytes) return onFull(entry.response.key);
    const { key } = entry.response;
    const others = this.#waiting.get(key) ?? [];
    this.#waiting.set(key, [...others, { entry, dueMs: performance.now() + restMs }]);
    this.#bytes += entry.bodyBytes;
    this.#pump();
  }

  /** Replaces the head of an object that waits; returns its new entry. */
  update(old: StoredResponse, response: StoredResponse): StoredEntry | undefined {
    const waiting = this.#of(old);
    if (waiting?.entry.response !== old) return undefined;
    return waiting.entry = memoryEntry(response, waiting.entry.memory!);
  }

  /** Forgets the object with the key and variant of `response`, even while it is being written. */
  withdraw(response: StoredResponse): void {
    const waiting = this.#of(response);
    if (waiting === undefined) return;
    this.#forget(waiting);
    void waiting.writer?.abort();
  }

  /** Writes everything without rest. */
  async flush(): Promise<void> {
    this.#flushing = true;
    this.#pump();
    if (this.#waiting.size > 0 || this.#writing > 0) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
    this.#flushing = false;
  }

  #of({ key, variant }: StoredResponse): Waiting | undefined {
    return this.#waiting.get(key)?.find(({ entry }) => entry.response.variant === variant);
  }

  #forget(waiting: Waiting): void {
    const { key } = waiting.entry.response;
    const rest = this.#waiting.get(key)?.filter((each) => each !== waiting) ?? [];
    if (rest.length === 0) this.#waiting.delete(key);
    else this.#waiting.set(key, rest);
    this.#bytes -= waiting.entry.bodyBytes;
  }

  /** Starts what is due. */
  #pump(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#options.admits()) this.#giveUp();
    while (this.#writing < writesAtOnce) {
      const next = this.#next();
      if (next === undefined) break;
      const waitMs = this.#waitMs(next);
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#pump(), waitMs);
        break;
      }
      void this.#write(next);
    }
    if (this.#waiting.size === 0 && this.#writing === 0) {
      this.#idle.splice(0).forEach((resolve) => resolve());
    }
  }

  /** How long the next object has to wait; 0 when it may be written, and has taken its bytes. */
  #waitMs({ dueMs, entry }: Waiting): number {
    const { maxBytes, rate } = this.#options;
    const nowMs = performance.now();
    if (this.#flushing) return 0;
    const restMs = this.#bytes > maxBytes / 2 ? 0 : dueMs - nowMs;
    if (restMs > 0) return restMs;
    return rate.take(entry.bodyBytes, nowMs) ? 0 : rate.waitMs(nowMs);
  }

  /** The first that is not being written; at most {@linkcode writesAtOnce} are passed by. */
  #next(): Waiting | undefined {
    for (const each of this.#waiting.values()) {
      for (const waiting of each) if (waiting.writer === undefined) return waiting;
    }
  }

  #giveUp(): void {
    for (const each of [...this.#waiting.values()]) {
      for (const waiting of each) if (waiting.writer === undefined) this.#forget(waiting);
    }
  }

  async #write(waiting: Waiting): Promise<void> {
    const { disk, onWritten } = this.#options;
    const { response, bodyBytes, memory } = waiting.entry;
    this.#writing++;
    const writer = waiting.writer = disk.open(response, bodyBytes);
    await writer.write(memory!);
    const head = waiting.entry.response;
    const stored = await writer.commit(head);
    this.#writing--;
    if (stored !== undefined) {
      if (waiting.entry.response !== head) await disk.update(stored, waiting.entry.response);
      onWritten();
    }
    if (this.#of(head) === waiting) this.#forget(waiting);
    this.#pump();
  }
}

const none: readonly StoredEntry[] = [];
