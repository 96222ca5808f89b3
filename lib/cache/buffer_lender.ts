/**
 * Memory that answers borrow: to read a body into memory that was used before costs a third of what fresh
 * memory costs.
 *
 * @module
 */

import type { LentBody } from "./store.ts";

/** How many buffers there are of a size at most; 16 MiB of each. */
const sizes = [
  { bytes: 256 * 1024, count: 64 },
  { bytes: 2 ** 20, count: 16 },
];

/** Lends out a bounded number of buffers, so that clients who stall cannot take all memory. */
export class BufferLender {
  readonly #shelves: readonly Shelf[] = sizes.map(({ bytes, count }) => new Shelf(bytes, count));

  /** Lends memory for a body; `undefined` when it is too large, or all is lent. */
  lend(bytes: number): (LentBody & { readonly bytes: Uint8Array<ArrayBuffer> }) | undefined {
    for (const shelf of this.#shelves) if (bytes <= shelf.bufferBytes) return shelf.lend(bytes);
  }
}

class Shelf {
  readonly bufferBytes: number;
  readonly #count: number;
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  #lent = 0;

  constructor(bufferBytes: number, count: number) {
    this.bufferBytes = bufferBytes;
    this.#count = count;
  }

  lend(bytes: number) {
    if (this.#lent === this.#count) return undefined;
    this.#lent++;
    const buffer = this.#free.pop() ?? new Uint8Array(this.bufferBytes);
    let out = true;
    const done = (free: boolean) => {
      if (!out) return;
      out = false;
      this.#lent--;
      if (free) this.#free.push(buffer); // else who still reads it keeps it
    };
    return { bytes: buffer.subarray(0, bytes), done };
  }
}
