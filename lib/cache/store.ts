/**
 * What a home for stored responses must do. Memory and disk know by themselves what they hold
 * (`store_suite.ts` runs over them); ATS and Varnish have to be asked first (`recall`).
 *
 * @module
 */

import type { Fields, RequestHead } from "#http";
import type { Life } from "./freshness.ts";
import type { Joined } from "./joined_body.ts";

/** A response as it is kept, apart from its bytes. */
export interface StoredResponse {
  /** Primary cache key: the canonical path and query. */
  readonly key: string;
  /** Secondary key made from the request fields that `Vary` names (RFC 9111 §4.1); `""` without `Vary`. */
  readonly variant: string;
  readonly status: number;
  /** End-to-end fields only, names in lower case. */
  readonly fields: Fields;
  /** Wall clock when the upstream request was sent, in milliseconds since the Unix epoch. */
  readonly requestSentMs: number;
  /** Wall clock when its head arrived, in milliseconds since the Unix epoch. */
  readonly receivedMs: number;
  /** The purge sequence number this node had applied when the upstream request was sent. */
  readonly fillSeq: number;
  /** Surrogate keys (`Surrogate-Key`, `Cache-Tag`). */
  readonly tags: readonly string[];
  /** How the bytes came here, in the words of the one who filled it; kept, never interpreted. */
  readonly source?: string;
  /** What the operator's policy makes of its freshness; kept with it. */
  readonly life?: Life;
}

/** A body in memory that will hold another one. */
export interface LentBody {
  readonly bytes: Uint8Array;
  /** Gives it back; `free` when nobody can be reading it any more. */
  readonly done: (free: boolean) => void;
}

/** One stored object. Its bytes stay readable until the last reader ends, even after removal. */
export interface StoredEntry {
  readonly response: StoredResponse;
  readonly bodyBytes: number;
  /** The whole body without a copy when it is in memory; never written to again. */
  readonly memory: Uint8Array | undefined;
  /** The whole body where to read it waits for nothing; absent where nothing can be so. */
  readNow?(): LentBody | undefined;
  /**
   * Puts a head before the body in memory, so that both are one piece; `undefined` where that cannot
   * be now. The piece is right until the next call, and for those who count themselves as its writers
   * until they have done so.
   *
   * @param head With the empty line at its end.
   */
  join?(head: Uint8Array): Joined | undefined;
  /**
   * Streams `[start, end)` of the body. Fails (errors the stream) rather than yield a byte whose
   * checksum is wrong.
   */
  read(start: number, end: number): ReadableStream<Uint8Array>;
}

/** Writes one object. Nothing of it can be found before `commit()` returned it. */
export interface StoreWriter {
  /** Takes ownership of `chunk`: the caller never writes to it again. Never throws for a full home. */
  write(chunk: Uint8Array): void | Promise<void>;
  /**
   * Makes the object findable, replacing the one with the same key and variant.
   *
   * @param response Replaces what `open` was given, for what is known only at the end.
   * @returns `undefined` when it was not admitted: larger than the budget, disk full, write failed.
   */
  commit(response?: StoredResponse): Promise<StoredEntry | undefined>;
  /** Forgets what was written. */
  abort(): Promise<void>;
}

/** What a request wants from a home that has to be asked. */
export interface Recall {
  readonly key: string;
  /** The request fields that choose a variant, as the next hop would see them. */
  readonly fields: Fields;
  /** The request that wants it, where it wants more than a slice. */
  readonly request?: Pick<RequestHead, "method" | "fields">;
  /** Whether a response is worth its bytes: no purge took it. */
  readonly wanted: (response: StoredResponse) => boolean;
  /** The client is gone. */
  readonly signal?: AbortSignal;
}

/** What was recalled. */
export interface Recalled {
  /** It need not be found any more; streams that were opened go on. */
  release(): void;
}

/** A home for stored responses, bounded in bytes. */
export interface Store {
  readonly usedBytes: number;
  readonly budgetBytes: number;
  readonly count: number;
  /** All variants of `key`, newest first. Synchronous: the index is in memory. */
  find(key: string): readonly StoredEntry[];
  /** Tells the eviction policy that a client was served from `entry`. */
  touch(entry: StoredEntry): void;
  /** Opens a writer; `expectedBytes` (`Content-Length`) lets it refuse or make room early. */
  open(response: StoredResponse, expectedBytes?: number): StoreWriter;
  /** Replaces the head of a stored entry (a 304 was received) and returns the new entry. */
  update(entry: StoredEntry, response: StoredResponse): Promise<StoredEntry>;
  remove(entry: StoredEntry): void;
  /** All entries, for the background sweep that frees what purges made invalid. */
  entries(): Iterable<StoredEntry>;
  /**
   * Asks a home whose index is not in memory, so that `find` shows what it has for a request until
   * that is released. Never rejects; `undefined` when there is nothing to show.
   */
  recall?(recall: Recall): Promise<Recalled | undefined>;
  /** Removes all variants of a key, those included that would have to be recalled. */
  forget?(key: string): void;
  /** Flushes what must survive a restart. */
  close(): Promise<void>;
}
