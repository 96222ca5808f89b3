/**
 * The disk store's index: entries by key, and in which order they are evicted.
 *
 * @module
 */

import type { DiskEntry, DiskObject } from "./disk_object.ts";
import type { StoredResponse } from "./store.ts";

/** Which entries there are. Nothing here touches the disk. */
export class DiskIndex {
  readonly #byKey = new Map<string, readonly DiskEntry[]>();
  readonly #entryOf = new Map<DiskObject, DiskEntry>();
  /** Least recently used first: those that eviction takes last, and the others. */
  readonly #pinned = new Set<DiskObject>();
  readonly #ordinary = new Set<DiskObject>();
  readonly #isPinned: (response: StoredResponse) => boolean;

  /** @param isPinned Whether eviction spares an object as long as there are others. */
  constructor(isPinned: (response: StoredResponse) => boolean) {
    this.#isPinned = isPinned;
  }

  /** How many objects there are. */
  get count(): number {
    return this.#entryOf.size;
  }

  /** All variants of a key, newest first. The list is never changed afterwards. */
  find(key: string): readonly DiskEntry[] {
    return this.#byKey.get(key) ?? [];
  }

  /** The one with the same key and variant. */
  sameAs({ key, variant }: StoredResponse): DiskEntry | undefined {
    return this.find(key).find(({ response }) => response.variant === variant);
  }

  /** The current entry of an object. */
  entryOf(object: DiskObject): DiskEntry | undefined {
    return this.#entryOf.get(object);
  }

  /** Adds an entry as the newest and the most recently used. */
  add(entry: DiskEntry): void {
    const { key } = entry.response;
    this.#byKey.set(key, [entry, ...this.find(key)]);
    this.#entryOf.set(entry.object, entry);
    this.#classOf(entry).add(entry.object);
  }

  /** Takes an object out. */
  remove(object: DiskObject): void {
    const removed = this.#entryOf.get(object);
    if (removed === undefined) return;
    const rest = this.find(removed.response.key).filter((entry) => entry !== removed);
    if (rest.length === 0) this.#byKey.delete(removed.response.key);
    else this.#byKey.set(removed.response.key, rest);
    this.#entryOf.delete(object);
    this.#pinned.delete(object);
    this.#ordinary.delete(object);
  }

  /** Puts an entry in the place of the one that shows the same object. */
  replace(entry: DiskEntry): void {
    const { object, response: { key } } = entry;
    const old = this.#entryOf.get(object);
    this.#byKey.set(key, this.find(key).map((each) => each === old ? entry : each));
    this.#entryOf.set(object, entry);
    this.touch(object);
  }

  /** Makes an object the most recently used. */
  touch(object: DiskObject): void {
    const entry = this.#entryOf.get(object);
    if (entry === undefined) return;
    this.#pinned.delete(object);
    this.#ordinary.delete(object);
    this.#classOf(entry).add(object);
  }

  /** The one to evict next: no one reads it, since that would not free its bytes. */
  victim(): DiskObject | undefined {
    for (const objects of [this.#ordinary, this.#pinned]) {
      for (const object of objects) if (object.readers === 0) return object;
    }
  }

  /** All entries, the least recently used first within each class. */
  *entries(): IterableIterator<DiskEntry> {
    for (const objects of [this.#ordinary, this.#pinned]) {
      for (const object of objects) yield this.#entryOf.get(object)!;
    }
  }

  #classOf(entry: DiskEntry): Set<DiskObject> {
    return this.#isPinned(entry.response) ? this.#pinned : this.#ordinary;
  }
}
