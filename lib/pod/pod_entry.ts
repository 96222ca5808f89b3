/**
 * An object that ATS or Varnish keeps, as the cache reads it.
 *
 * @module
 */

import type { StoredEntry, StoredResponse } from "#cache";
import type { ByteRange } from "#http";

/** Where the bytes of an object are had from. Streams end early or fail when there are no more. */
export interface PodEntryHome {
  /** Opens `[start, end)` of the very object that was written under that number. */
  open(entry: PodEntry, range: ByteRange): Promise<ReadableStream<Uint8Array> | undefined>;
  /** Fetches them from elsewhere when the store has lost the object meanwhile. */
  rest(entry: PodEntry, range: ByteRange): Promise<ReadableStream<Uint8Array> | undefined>;
}

/** A body that is open already, from when the store was asked. */
export interface OpenBody {
  readonly range: ByteRange;
  readonly stream: ReadableStream<Uint8Array>;
}

/** An object of the store, by its path and the number of its write. */
export class PodEntry implements StoredEntry {
  readonly memory = undefined;
  #open: OpenBody[];

  constructor(
    readonly response: StoredResponse,
    readonly bodyBytes: number,
    readonly path: string,
    readonly written: number,
    readonly home: PodEntryHome,
    open: readonly OpenBody[] = [],
  ) {
    this.#open = [...open];
  }

  /** The same object under a newer head; what is open goes with it. */
  withHead(response: StoredResponse): PodEntry {
    const open = this.#open;
    this.#open = [];
    return new PodEntry(response, this.bodyBytes, this.path, this.written, this.home, open);
  }

  read(start: number, end: number): ReadableStream<Uint8Array> {
    const at = this.#open.findIndex(({ range }) => range[0] === start && end <= range[1]);
    const [open] = at === -1 ? [] : this.#open.splice(at, 1);
    return steady({
      range: [start, end],
      first: open?.stream,
      sources: [(range) => this.home.open(this, range), (range) => this.home.rest(this, range)],
    });
  }

  /** Lets go of what was opened and not read. */
  release(): void {
    for (const { stream } of this.#open.splice(0)) void stream.cancel().catch(() => {});
  }
}

type Source = (range: ByteRange) => Promise<ReadableStream<Uint8Array> | undefined>;

/** Reads a range to its end, from the next source where one fails or ends early. */
function steady(
  { range: [start, end], first, sources }: {
    range: ByteRange;
    first: ReadableStream<Uint8Array> | undefined;
    sources: Source[];
  },
): ReadableStream<Uint8Array> {
  let position = start;
  let reader = first?.getReader();
  const next = async () => {
    while (true) {
      const chunk = await reader?.read().catch(() => undefined);
      if (chunk?.value !== undefined) return chunk.value;
      const source = sources.shift();
      if (source === undefined) {
        throw new Error(`Cannot read on: the store lost ${position}-${end}`);
      }
      reader = (await source([position, end]))?.getReader();
    }
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (position < end) {
        const chunk = (await next()).subarray(0, end - position);
        position += chunk.length;
        if (chunk.length > 0) controller.enqueue(chunk);
      }
      if (position < end) return;
      controller.close();
      await reader?.cancel().catch(() => {});
    },
    cancel: (reason) => reader?.cancel(reason),
  }, { highWaterMark: 0 });
}
