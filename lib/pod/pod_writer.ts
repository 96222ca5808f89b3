/**
 * Writes one object: a small one in memory until it is whole, a large one straight to the store.
 *
 * @module
 */

import type { StoredEntry, StoredResponse, StoreWriter } from "#cache";
import { joined } from "./joined.ts";

/** A large object on its way. */
export interface LargeWriter {
  write(chunk: Uint8Array): void | Promise<void>;
  commit(response: StoredResponse): Promise<StoredEntry | undefined>;
  abort(): Promise<void>;
}

/** What a writer needs of its store. */
export interface WriterHome {
  /** Larger bodies go to the store while they arrive, in bytes. */
  readonly smallBytes: number;
  keepSmall(response: StoredResponse, body: Uint8Array): StoredEntry | undefined;
  /** `undefined` when the store cannot take one now. */
  openLarge(response: StoredResponse, expectedBytes: number | undefined): LargeWriter | undefined;
}

/** A writer of which nothing can be found before `commit`. */
export class PodWriter implements StoreWriter {
  readonly #response: StoredResponse;
  readonly #expectedBytes: number | undefined;
  readonly #home: WriterHome;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #large: LargeWriter | "refused" | undefined;
  #ended = false;

  constructor(response: StoredResponse, expectedBytes: number | undefined, home: WriterHome) {
    this.#response = response;
    this.#expectedBytes = expectedBytes;
    this.#home = home;
    if ((expectedBytes ?? 0) > home.smallBytes) this.#openLarge();
  }

  write(chunk: Uint8Array): void | Promise<void> {
    if (this.#ended || this.#large === "refused") return;
    if (this.#large !== undefined) return this.#large.write(chunk);
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > this.#home.smallBytes) return this.#openLarge();
  }

  async commit(response: StoredResponse = this.#response): Promise<StoredEntry | undefined> {
    if (this.#ended || this.#large === "refused") return undefined;
    this.#ended = true;
    if (this.#large !== undefined) return await this.#large.commit(response);
    return this.#home.keepSmall(response, joined(this.#chunks, this.#bytes));
  }

  async abort(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#chunks = [];
    if (typeof this.#large === "object") await this.#large.abort();
  }

  #openLarge(): void | Promise<void> {
    const large = this.#home.openLarge(this.#response, this.#expectedBytes);
    this.#large = large ?? "refused";
    const chunks = this.#chunks.splice(0);
    let behind: void | Promise<void> = undefined;
    for (const chunk of chunks) behind = large?.write(chunk) ?? behind;
    return behind;
  }
}
