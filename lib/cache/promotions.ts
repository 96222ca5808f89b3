/**
 * Brings objects from the disk back to memory when they are asked for more than once.
 *
 * @module
 */

import type { DiskEntry, DiskObject } from "./disk_object.ts";

/** So many objects used once are remembered. */
const rememberedObjects = 16_384;
/** So many are read back at once; others have to be used again. */
const promotionsAtOnce = 4;

/** What {@linkcode Promotions} need. */
export interface PromotionsOptions {
  /** Larger objects stay on the disk. */
  readonly maxBytes: number;
  /** Takes the body of an object that was popular when reading began. */
  readonly onRead: (object: DiskObject, key: string, body: Uint8Array) => void;
}

/**
 * An object is popular at its second use among the last {@linkcode rememberedObjects} objects that
 * were used once: a scan of the disk promotes nothing.
 */
export class Promotions {
  readonly #options: PromotionsOptions;
  readonly #usedOnce = new Set<DiskObject>();
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
      this.#usedOnce.delete(object);
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
    this.#usedOnce.add(object);
    if (this.#usedOnce.size <= rememberedObjects) return;
    const [oldest] = this.#usedOnce;
    this.#usedOnce.delete(oldest);
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
