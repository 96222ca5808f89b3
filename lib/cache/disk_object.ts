/**
 * An object of the disk store and the entries that show it.
 *
 * @module
 */

import type { LentBody, StoredEntry, StoredResponse } from "./store.ts";

/** Smallest unit in which file systems give out space. */
const allocationBytes = 4096;

/** Returns what a file costs of the budget. */
export function chargeFor(fileBytes: number): number {
  return Math.ceil(fileBytes / allocationBytes) * allocationBytes;
}

/** One file of the store. Its bytes never change; its head may be replaced in memory and journal. */
export class DiskObject {
  readonly name: string;
  /** Unique in the store and growing. */
  readonly generation: number;
  readonly bodyBytes: number;
  readonly fileBytes: number;
  readonly chargedBytes: number;
  /** Whether it can be found; when not, its file goes with its last reader. */
  live = true;
  /** Streams that are open on it. */
  readers = 0;
  /** Read and verified by the first reader. */
  checksums: Uint32Array | undefined;
  /** When it was read or written last, by the clock of `DiskWarmth`. */
  seenAtBytes = -Infinity;

  constructor(name: string, generation: number, bodyBytes: number, fileBytes: number) {
    this.name = name;
    this.generation = generation;
    this.bodyBytes = bodyBytes;
    this.fileBytes = fileBytes;
    this.chargedBytes = chargeFor(fileBytes);
  }
}

/** Reads objects' bodies, each byte verified. */
export interface ObjectReads {
  /** Opens a stream on a range. */
  stream(object: DiskObject, start: number, end: number): ReadableStream<Uint8Array>;
  /** The whole of a small object that is in the page cache, else `undefined`. */
  now(object: DiskObject): LentBody | undefined;
}

/** What `find` gives for an object: the head it had at that moment. */
export class DiskEntry implements StoredEntry {
  readonly response: StoredResponse;
  readonly memory = undefined;
  /** The file behind it. */
  readonly object: DiskObject;
  readonly #reads: ObjectReads;

  constructor(object: DiskObject, response: StoredResponse, reads: ObjectReads) {
    this.object = object;
    this.response = response;
    this.#reads = reads;
  }

  get bodyBytes(): number {
    return this.object.bodyBytes;
  }

  /** Streams a range; each block is verified before a byte of it is given. */
  read(start: number, end: number): ReadableStream<Uint8Array> {
    return this.#reads.stream(this.object, start, end);
  }

  /** The whole body of a small object that was read or written lately. */
  readNow(): LentBody | undefined {
    return this.#reads.now(this.object);
  }

  /** The same object with another head. */
  withResponse(response: StoredResponse): DiskEntry {
    return new DiskEntry(this.object, response, this.#reads);
  }
}
