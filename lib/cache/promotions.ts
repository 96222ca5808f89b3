/**
 * Brings objects from the disk back to memory when they are asked for more than once.
 *
 * @module
 */

import type { DiskEntry, DiskObject } from "./disk_object.ts";

/** So many objects used once are remembered at most. */
const rememberedObjects = 16_384;
/** So many are read back at once; others have to be used again. */
const promotionsAtOnce = 4;

/** What {@linkcode Promotions} need. */
export interface PromotionsOptions {
  /** Larger objects stay on the disk. */
  readonly maxBytes: number;
  /** Objects used once are forgotten when others of so many bytes were used since. */
  readonly rememberedBytes: number;
  /** Takes the body of an object that was popular when reading began. */
  readonly onRead: (object: DiskObject, key: string, body: Uint8Array) => void;
}

/**
 * An object is popular when it is used again while memory would still have kept it: neither a scan of
 * the disk nor a loop over more than memory holds promotes anything.
 */
export class Promotions {
  readonly #options: PromotionsOptions;
  readonly #usedOnce = new Set<DiskObject>();
  #rememberedBytes = 0;
  #running = 0;
  #idle: (() => void)[] = [];

  constructor(options: PromotionsOptions) {
    this.#options = options;
  }

  /** Notes that a client was served from the disk. */
  used(entry: DiskEntry): void {
    const { object, bodyBytes } = entry;
    if (bodyBytes > this.#options.maxBytes) return;
    if (this.#usedOnce.has(object) && this.#running < promotionsAtOnce) {
      this.#forget(object);
      void this.#promote(entry);
    } else {
      this.#remember(object);
    }
  }

  /** Resolves when nothing is being read. */
  async idle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #remember(object: DiskObject): void {
    this.#forget(object); // it becomes the latest
    this.#usedOnce.add(object);
    this.#rememberedBytes += object.bodyBytes;
    const { rememberedBytes } = this.#options;
    for (const oldest of this.#usedOnce) {
      if (this.#rememberedBytes <= rememberedBytes && this.#usedOnce.size <= rememberedObjects) {
        break;
      }
      this.#forget(oldest);
    }
  }

  #forget(object: DiskObject): void {
    if (this.#usedOnce.delete(object)) this.#rememberedBytes -= object.bodyBytes;
  }

  async #promote(entry: DiskEntry): Promise<void> {
    this.#running++;
    try {
      const body = new Uint8Array(entry.bodyBytes);
      let filled = 0;
      for await (const piece of entry.read(0, body.length)) {
        body.set(piece, filled);
        filled += piece.length;
      }
      this.#options.onRead(entry.object, entry.response.key, body);
    } catch {
      // The disk store has told of it and given the object up.
    }
    if (--this.#running === 0) this.#idle.splice(0).forEach((resolve) => resolve());
  }
}
