/**
 * The body of an object in slices, read in order: from the store what is there, from the next hop what
 * is missing, one slice ahead of the reader.
 *
 * @module
 */

import type { ByteRange } from "#http";
import type { Cursor, LogBudget } from "./byte_log.ts";
import type { FillHead, SharedFill } from "./fill.ts";
import type { NextHopError } from "./next_hop.ts";
import type { StoredEntry } from "./store.ts";

/** A slice that was asked for. */
export type OpenSlice =
  | { readonly kind: "stored"; readonly entry: StoredEntry }
  | {
    readonly kind: "arriving";
    readonly fill: SharedFill;
    readonly cursor: Cursor;
    /** Somebody else had it fetched. */
    readonly joined: boolean;
  }
  /** The next hop's failure instead, for everybody who waits. */
  | {
    readonly kind: "failure";
    readonly fill: SharedFill;
    readonly cursor: Cursor;
    readonly head: Extract<FillHead, { kind: "body" }>;
    readonly joined: boolean;
  }
  | { readonly kind: "failed"; readonly error: NextHopError }
  /** `changed`: the object is another now; `refused`: not in slices; `aborted`: the client left. */
  | { readonly kind: "changed" | "refused" | "aborted" };

interface SliceReader {
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  /** The bytes come from the store, which may find that it cannot give them. */
  readonly stored: boolean;
}

/** How slices are come by. */
export interface SlicedBodyOptions {
  readonly sliceBytes: number;
  readonly budget: LogBudget;
  /** Finds the slice or has it fetched. Never rejects. */
  readonly open: (index: number) => Promise<OpenSlice>;
  /** The slice that the answer begins with, when it is open already. */
  readonly first?: { readonly index: number; readonly slice: OpenSlice };
}

/** The slices of one answer. */
export class SlicedBody {
  readonly #options: SlicedBodyOptions;
  #ahead: { readonly index: number; readonly slice: Promise<OpenSlice> } | undefined;

  constructor(options: SlicedBodyOptions) {
    this.#options = options;
    const { first } = options;
    if (first !== undefined) {
      this.#ahead = { index: first.index, slice: Promise.resolve(first.slice) };
    }
  }

  /**
   * Reads `[start, end)`; from memory at once when it lies in a slice that is there. The stream fails
   * rather than go on with bytes of another representation.
   */
  read(start: number, end: number): Uint8Array | ReadableStream<Uint8Array> {
    const { sliceBytes, first } = this.#options;
    const offset = (first?.index ?? 0) * sliceBytes;
    const within = start >= offset && end <= offset + sliceBytes;
    const stored = within && first?.slice.kind === "stored" ? first.slice.entry : undefined;
    return stored?.memory?.subarray(start - offset, end - offset) ?? this.stream(start, end);
  }

  /** Says that no further byte is needed. */
  discard(): void {
    void this.#ahead?.slice.then(giveUp);
    this.#ahead = undefined;
  }

  /** Reads `[start, end)` as a stream. */
  stream(start: number, end: number): ReadableStream<Uint8Array> {
    const { sliceBytes } = this.#options;
    let position = start;
    let current: SliceReader | undefined;
    let cancelled = false;
    /** The slice whose stored bytes could not be read: its file was damaged, or had to go. */
    let unread = -1;
    /** The next bytes; `undefined` when the slice has to be opened once more. */
    const next = async (): Promise<Uint8Array | undefined> => {
      const index = Math.floor(position / sliceBytes);
      current ??= await this.#openReader([position, Math.min(end, (index + 1) * sliceBytes)], end);
      if (cancelled) await current.reader.cancel();
      try {
        const { value } = await current.reader.read();
        if (value !== undefined) return value;
        throw new Error(`Cannot read slice ${index}: need bytes from ${position}: received none`);
      } catch (error) {
        if (!current.stored || unread === index) throw error;
        unread = index;
        current = undefined;
      }
    };
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const piece = await next() ?? await next();
        if (piece === undefined || cancelled) return;
        position += piece.length;
        if (position % sliceBytes === 0) current = undefined;
        controller.enqueue(piece);
        if (position >= end) controller.close();
      },
      cancel: async (reason) => {
        cancelled = true;
        this.discard();
        await current?.reader.cancel(reason);
      },
    }, { highWaterMark: 0 });
  }

  /** Opens the slice that `[from, to)` lies in, and the next one when the answer goes on to `end`. */
  async #openReader([from, to]: ByteRange, end: number): Promise<SliceReader> {
    const { sliceBytes, budget, open } = this.#options;
    const index = Math.floor(from / sliceBytes);
    const slice = await this.#take(index);
    const mayReadAhead = budget.usedBytes < budget.budgetBytes / 2;
    if (to < end && mayReadAhead) this.#ahead = { index: index + 1, slice: open(index + 1) };
    const offset = index * sliceBytes;
    if (slice.kind === "stored") {
      return { reader: slice.entry.read(from - offset, to - offset).getReader(), stored: true };
    }
    if (slice.kind === "arriving") {
      const stream = slice.fill.stream(slice.cursor, from - offset, to - offset);
      return { reader: stream.getReader(), stored: false };
    }
    giveUp(slice);
    throw new Error(`Cannot go on: need slice ${index} of the same object: received ${slice.kind}`);
  }

  async #take(index: number): Promise<OpenSlice> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead?.index !== index) {
      void ahead?.slice.then(giveUp);
      return await this.#options.open(index);
    }
    const slice = await ahead.slice;
    // What was in the store a slice ago may have left it.
    return slice.kind === "stored" ? await this.#options.open(index) : slice;
  }
}

function giveUp(slice: OpenSlice): void {
  if ("cursor" in slice) slice.cursor.close();
}
