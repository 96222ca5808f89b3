/**
 * Bytes that are still arriving, read by any number of readers, each at its own pace.
 *
 * @module
 */

/** Largest piece handed to a reader at once, in bytes. */
const maxPieceBytes = 256 * 1024;

/** A reader's place in a log. What lies before the slowest of them may be dropped. */
export interface Cursor {
  /** Offset of the next byte to read. */
  readonly position: number;
  /** Gives the place up. Closing twice is harmless. */
  close(): void;
}

/** Memory that several logs share. */
export interface LogBudget {
  /** Bytes that all logs keep now. */
  usedBytes: number;
  readonly budgetBytes: number;
  /** Bytes that one log may keep at most. */
  readonly windowBytes: number;
}

/** Bytes that a log may keep even when the shared budget is used up. */
export const leastWindowBytes: number = 2 ** 20;

/**
 * Append-only bytes. All of them are kept while they fit the window; above it, what every reader
 * has passed is dropped and no reader can start at the beginning any more.
 */
export class ByteLog {
  readonly #budget: LogBudget;
  readonly #onCursors: () => void;
  readonly #cursors = new Set<LogCursor>();
  #chunks: Uint8Array[] = [];
  /** Offset of the first byte of each kept chunk. */
  #starts: number[] = [];
  #firstByte = 0;
  #bytes = 0;
  #countedBytes = 0;
  #end: "open" | "whole" | { readonly error: unknown } = "open";
  #settled = false;
  #wakes: (() => void)[] = [];

  /** @param onCursors Called whenever a reader moved or left. */
  constructor(budget: LogBudget, onCursors: () => void = () => {}) {
    this.#budget = budget;
    this.#onCursors = onCursors;
  }

  /** How many bytes arrived. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Offset of the first byte that can still be read. */
  get firstByte(): number {
    return this.#firstByte;
  }

  /** How many readers there are. */
  get readers(): number {
    return this.#cursors.size;
  }

  /** Whether more than the window is kept: the writer should wait for the readers. */
  get full(): boolean {
    const keptBytes = this.#bytes - this.#firstByte;
    const { usedBytes, budgetBytes, windowBytes } = this.#budget;
    return keptBytes >= windowBytes || (usedBytes >= budgetBytes && keptBytes >= leastWindowBytes);
  }

  /** Appends bytes, which nobody may write to afterwards. */
  append(chunk: Uint8Array): void {
    if (this.#end !== "open" || chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#starts.push(this.#bytes);
    this.#bytes += chunk.length;
    this.#count(chunk.length);
    this.trim();
    this.#wake();
  }

  /** Whether a reader waits for bytes that have not arrived. */
  get starving(): boolean {
    for (const { position } of this.#cursors) if (position >= this.#bytes) return true;
    return false;
  }

  /** Says that all bytes are there. They stay readable from the first on until `settle()`. */
  end(): void {
    if (this.#end === "open") this.#end = "whole";
    this.#wake();
  }

  /**
   * Says that nobody comes any more: memory is freed when the last reader leaves.
   *
   * @param whole The same bytes in one piece, to keep instead of the chunks.
   */
  settle(whole?: Uint8Array): void {
    this.#settled = true;
    if (whole !== undefined && this.#end === "whole" && this.#firstByte === 0) {
      this.#count(-this.#countedBytes); // the store counts it from now on
      this.#chunks = [whole];
      this.#starts = [0];
    }
    this.#release();
  }

  /** Says that no more bytes come: readers fail when they reach this point. */
  fail(error: unknown): void {
    if (this.#end === "open") this.#end = { error };
    this.#wake();
    this.settle();
  }

  /** Opens a reader at the first byte; `undefined` when that byte was dropped already. */
  open(): Cursor | undefined {
    if (this.#firstByte > 0 || (this.#settled && this.#cursors.size === 0)) return undefined;
    const cursor: LogCursor = {
      position: 0,
      failure: undefined,
      closed: false,
      close: () => {
        if (!this.#cursors.delete(cursor)) return;
        cursor.closed = true;
        this.trim();
        this.#release();
        this.#onCursors();
      },
    };
    this.#cursors.add(cursor);
    return cursor;
  }

  /**
   * Streams `[start, end)`, to the end of the log without `end`. The stream closes the cursor at its
   * end, unless more is to be read with it (`more`): from there on, or it may be gone.
   */
  stream(
    cursor: Cursor,
    start = 0,
    end = Infinity,
    { more = false } = {},
  ): ReadableStream<Uint8Array> {
    const own = cursor as LogCursor;
    own.position = start;
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      const piece = await this.#next(own, end).catch((error) => {
        own.close();
        throw error;
      });
      if (own.closed) return; // cancelled meanwhile
      if (piece !== undefined) controller.enqueue(piece);
      if (piece !== undefined && !this.#isExhausted(own, end)) return;
      controller.close();
      if (!more) own.close();
    };
    return new ReadableStream({ pull, cancel: () => own.close() }, { highWaterMark: 0 });
  }

  /** Fails the readers that hold up the others: those at the oldest kept byte. */
  dropSlowest(error: unknown): void {
    const slowest = this.#slowest();
    for (const cursor of [...this.#cursors]) {
      if (cursor.position > slowest) continue;
      cursor.failure = { error };
      cursor.close();
    }
    this.#wake();
  }

  /** Drops what every reader has passed, when more is kept than the window. */
  trim(): void {
    if (this.#end !== "open" || !this.full) return;
    const passed = this.#slowest();
    let drop = 0;
    while (drop < this.#chunks.length && this.#starts[drop] + this.#chunks[drop].length <= passed) {
      drop++;
    }
    if (drop === 0) return;
    this.#chunks.splice(0, drop);
    this.#starts.splice(0, drop);
    const firstByte = this.#starts[0] ?? this.#bytes;
    this.#count(this.#firstByte - firstByte);
    this.#firstByte = firstByte;
  }

  #slowest(): number {
    let slowest = this.#bytes;
    for (const { position } of this.#cursors) slowest = Math.min(slowest, position);
    return slowest;
  }

  #take(cursor: LogCursor, end: number): Uint8Array | undefined {
    const { position } = cursor;
    if (position >= this.#bytes || position >= end) return undefined;
    const index = this.#indexOf(position);
    const from = position - this.#starts[index];
    const upTo = Math.min(from + maxPieceBytes, end - this.#starts[index]);
    const piece = this.#chunks[index].subarray(from, upTo);
    cursor.position += piece.length;
    if (this.#end === "open" && this.full) {
      this.trim();
      this.#onCursors();
    }
    return piece;
  }

  /** Index of the chunk that holds the byte at `position`. */
  #indexOf(position: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle] <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The next piece for a reader, as soon as there is one; `undefined` at the end. */
  async #next(cursor: LogCursor, end: number): Promise<Uint8Array | undefined> {
    while (true) {
      if (cursor.failure !== undefined) throw cursor.failure.error;
      if (cursor.closed || this.#isExhausted(cursor, end)) return undefined;
      const piece = this.#take(cursor, end);
      if (piece !== undefined) return piece;
      if (typeof this.#end !== "string") throw this.#end.error;
      await this.#change();
    }
  }

  #isExhausted({ position }: Cursor, end: number): boolean {
    return position >= end || (this.#end === "whole" && position >= this.#bytes);
  }

  /** Frees the memory when nobody can ask for it any more. */
  #release(): void {
    if (!this.#settled || this.#cursors.size > 0) return;
    this.#count(-this.#countedBytes);
    this.#firstByte = this.#bytes;
    this.#chunks = [];
    this.#starts = [];
  }

  #count(bytes: number): void {
    this.#countedBytes += bytes;
    this.#budget.usedBytes += bytes;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wakes.push(resolve));
  }

  #wake(): void {
    const wakes = this.#wakes;
    this.#wakes = [];
    for (const wake of wakes) wake();
  }
}

interface LogCursor extends Cursor {
  position: number;
  failure: { readonly error: unknown } | undefined;
  closed: boolean;
}
