/**
 * One body on its way in: written once, stored, and read along by everybody who wants it meanwhile.
 *
 * @module
 */

import type { Field, Fields } from "#http";
import { ByteLog, type Cursor, type LogBudget } from "./byte_log.ts";
import { type NextHopError, type NextHopResponse } from "./next_hop.ts";
import type { CachePolicy } from "./policy.ts";
import type { SlicedObject } from "./slices.ts";
import type { StoredEntry, StoredResponse, StoreWriter } from "./store.ts";
import { variantKey } from "./vary.ts";

/** What the response head decided. */
export type FillHead =
  /** The body goes through the fill; others may read along when it is `shared`. */
  | {
    readonly kind: "body";
    readonly shared: boolean;
    readonly response: StoredResponse;
    /** `undefined` until the end when the next hop did not say. */
    readonly bodyBytes: number | undefined;
    /** Whether it goes to the store too. */
    readonly storing: boolean;
  }
  /** For the one who asked only; everybody else goes on alone. */
  | {
    readonly kind: "private";
    /** Its head, as it would have been stored. */
    readonly stored: StoredResponse;
    readonly response: NextHopResponse;
  }
  /** What was stored is still current; this is its new head. */
  | { readonly kind: "not_modified"; readonly entry: StoredEntry }
  /** The object is in slices: one came, or all were confirmed. Others may have it when it is `shared`. */
  | {
    readonly kind: "sliced";
    readonly object: SlicedObject;
    readonly shared: boolean;
    /** What the next hop answered: 200, 206, 304. */
    readonly fwdStatus: number;
  }
  /** No slice came: whoever waits looks `again` in the store, or goes for himself. */
  | { readonly kind: "no_slice"; readonly again: boolean }
  | { readonly kind: "failed"; readonly error: NextHopError };

/** What a fill is for. */
export interface FillOptions {
  readonly key: string;
  /** The purge sequence applied when the request was sent. */
  readonly fillSeq: number;
  /** The highest purge sequence that the bytes are known to be newer than. */
  readonly fence: number;
  /** The request fields that went upstream. */
  readonly requestFields: readonly Field[];
  /** By which fields responses for this key varied so far. */
  readonly varied: readonly string[];
  /** Whether whoever fills vouches for the response, so that its freshness is not asked. */
  readonly vouched?: boolean;
  readonly policy: CachePolicy;
  readonly budget: LogBudget;
}

/** The body is not of the size that its head gave. */
export class WrongLength extends Error {
  override name = "WrongLength";
}

/** A body on its way in. */
export class SharedFill {
  readonly key: string;
  fence: number;
  readonly requestFields: Fields;
  readonly vouched: boolean;
  fillSeq: number;
  /** Set when an unsafe request changed the resource: not stored, not joined. */
  invalidated = false;
  /** Set when the one who started it went away before the head came, or never was. */
  leaderLeft = false;
  /** Set when the bytes are of slices, which were counted when they came. */
  assembled = false;
  readonly whenHead: Promise<FillHead>;
  readonly informational = new Set<(status: number, fields: Fields) => void>();
  readonly #varied: readonly string[];
  readonly #policy: CachePolicy;
  readonly #log: ByteLog;
  readonly #abort = new AbortController();
  readonly #headArrived: (head: FillHead) => void;
  #head: FillHead | undefined;
  #writer: StoreWriter | undefined;
  #writes: Promise<void> | undefined;
  #cursorsMoved = () => {};
  #abandonTimer: ReturnType<typeof setTimeout> | undefined;
  #ended = false;

  constructor(options: FillOptions) {
    this.key = options.key;
    this.fillSeq = options.fillSeq;
    this.fence = options.fence;
    this.requestFields = options.requestFields;
    this.vouched = options.vouched ?? false;
    this.#varied = options.varied;
    this.#policy = options.policy;
    this.#log = new ByteLog(options.budget, () => this.#onCursors());
    const { promise, resolve } = Promise.withResolvers<FillHead>();
    this.whenHead = promise;
    this.#headArrived = resolve;
  }

  /** Aborts the upstream exchange. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** What the response head decided; `undefined` until it arrives. */
  get head(): FillHead | undefined {
    return this.#head;
  }

  /** Bytes that arrived. */
  get bytes(): number {
    return this.#log.bytes;
  }

  /** Bytes that came from the next hop through this fill. */
  get fetchedBytes(): number {
    return this.assembled ? 0 : this.#log.bytes;
  }

  /** Whether a new reader could still begin at the first byte. */
  get whole(): boolean {
    return this.#log.firstByte === 0;
  }

  /** How many requests read or wait. */
  get readers(): number {
    return this.#log.readers;
  }

  /** Whether a request with these fields may expect the same variant, as far as is known. */
  expectsVariantOf(requestFields: Fields): boolean {
    return variantKey(this.#varied, requestFields) === variantKey(this.#varied, this.requestFields);
  }

  /** Takes a place among the readers; `undefined` when the first bytes are gone already. */
  join(): Cursor | undefined {
    return this.#log.open();
  }

  /** Streams `[start, end)` to the reader who has `cursor`; see {@link ByteLog.stream}. */
  stream(
    cursor: Cursor,
    start?: number,
    end?: number,
    options?: { more: boolean },
  ): ReadableStream<Uint8Array> {
    return this.#log.stream(cursor, start, end, options);
  }

  /** Tells everybody who waits what the head decided. A body that is stored needs its `writer`. */
  announce(head: FillHead, writer?: StoreWriter): void {
    this.#head = head;
    this.#writer = writer;
    this.#headArrived(head);
    this.informational.clear();
    this.#onCursors();
  }

  /** Appends bytes, which nobody may write to afterwards. */
  write(chunk: Uint8Array): void | Promise<void> {
    if (this.#ended) return;
    this.#log.append(chunk);
    if (this.#isLeft && !this.#worthFinishing()) this.#abort.abort();
    const written = this.#writer?.write(chunk);
    if (written === undefined) return;
    // A write that fails shows at the commit.
    return this.#writes = Promise.all([this.#writes, written]).then(() => {}, () => {});
  }

  /** Reads `body` to its end, at the pace of the slowest reader when it is large. */
  async pump(body: ReadableStream<Uint8Array>): Promise<void> {
    const reader = body.getReader();
    const cancel = () => reader.cancel(this.signal.reason).catch(() => {});
    this.signal.addEventListener("abort", cancel, { once: true });
    try {
      while (true) {
        if (this.#log.full) await this.#room();
        const { done, value } = await reader.read();
        this.signal.throwIfAborted();
        if (done) break;
        this.#refuseExcess(value.length);
        await this.write(value);
      }
    } finally {
      this.signal.removeEventListener("abort", cancel);
      reader.cancel().catch(() => {});
    }
  }

  /**
   * Ends the body: readers end, and what was written is committed if `admit` still wants it.
   *
   * @throws {WrongLength} when bytes are missing; the caller then fails the fill.
   */
  async finish(
    { response, admit }: { response: StoredResponse; admit: () => boolean },
  ): Promise<StoredEntry | undefined> {
    if (this.#ended) return undefined;
    const expectedBytes = this.#expectedBytes;
    if (expectedBytes !== undefined && this.#log.bytes !== expectedBytes) {
      throw new WrongLength(
        `Cannot store a body: need ${expectedBytes} bytes: received ${this.#log.bytes}`,
      );
    }
    this.#log.end();
    await this.#writes;
    const entry = admit() ? await this.#writer?.commit(response) : undefined;
    if (entry === undefined) await this.#writer?.abort();
    this.#settle(entry?.memory);
    return entry;
  }

  /** Ends the body with an error: readers fail and nothing is stored. */
  async fail(error: unknown): Promise<void> {
    if (this.#ended) return;
    this.#log.fail(error);
    this.#settle();
    await this.#writer?.abort();
  }

  /** Ends a fill whose body does not come through it. */
  close(): void {
    this.#log.end();
    this.#settle();
  }

  #settle(whole?: Uint8Array): void {
    this.#ended = true;
    clearTimeout(this.#abandonTimer);
    this.#log.settle(whole);
  }

  get #expectedBytes(): number | undefined {
    return this.#head?.kind === "body" ? this.#head.bodyBytes : undefined;
  }

  #refuseExcess(bytes: number): void {
    const expectedBytes = this.#expectedBytes;
    if (expectedBytes === undefined || this.#log.bytes + bytes <= expectedBytes) return;
    throw new WrongLength(
      `Cannot store a body: need ${expectedBytes} bytes: received ${this.#log.bytes + bytes}`,
    );
  }

  /** Waits until the readers have taken some. One that stalls while others starve is dropped. */
  async #room(): Promise<void> {
    while (this.#log.full && !this.signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      this.#cursorsMoved = () => resolve(true);
      const timer = setTimeout(() => resolve(false), this.#policy.stalledReaderMs);
      this.signal.addEventListener("abort", this.#cursorsMoved, { once: true });
      const moved = await promise;
      this.signal.removeEventListener("abort", this.#cursorsMoved);
      clearTimeout(timer);
      if (!moved && this.#log.starving) this.#log.dropSlowest(new Error(stalled));
    }
  }

  #onCursors(): void {
    this.#cursorsMoved();
    clearTimeout(this.#abandonTimer);
    if (!this.#isLeft) return;
    if (!this.#worthFinishing()) return this.#abort.abort();
    this.#abandonTimer = setTimeout(() => this.#abort.abort(), this.#policy.backgroundMs);
  }

  /** Whether the body still comes, and nobody reads it any more. */
  get #isLeft(): boolean {
    return !this.#ended && !this.vouched && this.#log.readers === 0 && this.#head?.kind === "body";
  }

  /** Whether the rest is fetched although nobody reads. */
  #worthFinishing(): boolean {
    if (this.#writer === undefined || this.invalidated) return false;
    const { backgroundBytes } = this.#policy;
    // Without a length there may be no end: then what came counts.
    const bytes = this.#expectedBytes ?? 2 * this.#log.bytes;
    return bytes - this.#log.bytes <= backgroundBytes;
  }
}

const stalled = "Cannot go on reading: need a reader that keeps up with the others";
