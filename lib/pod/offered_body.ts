/**
 * A body on its way to the store: written by the one who fetches, taken at the pace of the store,
 * and whole for the store only when the one who fetches says so.
 *
 * @module
 */

/** So many bytes may wait for the store before the writer is asked to wait too. */
const windowBytes = 4 * 2 ** 20;

/** The body of one object that is being handed over. */
export class OfferedBody {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #stallMs: number;
  readonly #onGivenUp: () => void;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #finished = false;
  #over = false;
  #wakeReader = () => {};
  #wakeWriter = () => {};

  /** @param options `stallMs`: how long the store may take nothing; `onGivenUp`: it left, or stalled. */
  constructor({ stallMs, onGivenUp }: { stallMs: number; onGivenUp: () => void }) {
    this.#stallMs = stallMs;
    this.#onGivenUp = onGivenUp;
    this.stream = new ReadableStream<Uint8Array>({
      pull: (controller) => this.#pull(controller),
      cancel: () => this.#give(),
    }, { highWaterMark: 0 });
  }

  /** Appends bytes. Returns a promise while the store is behind. */
  write(chunk: Uint8Array): void | Promise<void> {
    if (this.#over || chunk.length === 0) return;
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    this.#wakeReader();
    if (this.#queuedBytes > windowBytes) return this.#room();
  }

  /** Lets the store have the end. */
  finish(): void {
    this.#finished = true;
    this.#wakeReader();
  }

  /** Breaks the body off, so that the store keeps nothing. */
  fail(): void {
    this.#over = true;
    this.#queue = [];
    this.#wakeReader();
    this.#wakeWriter();
  }

  #give(): void {
    if (this.#over) return;
    this.fail();
    this.#onGivenUp();
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    // The last byte stays here until the end is certain: a store that knows the length would take the
    // object for whole.
    while (!this.#over && !this.#finished && this.#queuedBytes < 2) {
      await new Promise<void>((resolve) => this.#wakeReader = resolve);
    }
    if (this.#over) return controller.error(new Error("Cannot go on: the object was given up"));
    const chunk = this.#take();
    if (chunk === undefined) {
      this.#over = true;
      return controller.close();
    }
    this.#queuedBytes -= chunk.length;
    controller.enqueue(chunk);
    this.#wakeWriter();
  }

  #take(): Uint8Array | undefined {
    const chunk = this.#queue.shift();
    if (chunk === undefined || this.#finished || this.#queue.length > 0) return chunk;
    this.#queue.push(chunk.subarray(-1));
    return chunk.subarray(0, -1);
  }

  async #room(): Promise<void> {
    while (!this.#over && this.#queuedBytes > windowBytes) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => resolve(false), this.#stallMs);
      this.#wakeWriter = () => resolve(true);
      const moved = await promise;
      clearTimeout(timer);
      if (!moved) this.#give();
    }
  }
}
