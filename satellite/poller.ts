/**
 * Something done again and again, with a pause that it chooses each time.
 *
 * @module
 */

/** One turn; returns the milliseconds until the next. It must not reject. */
export type Turn = (signal: AbortSignal) => Promise<number>;

/** A loop of turns, one at a time. */
export class Poller {
  readonly #turn: Turn;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #kicked = false;
  #wake: () => void = () => {};

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  /** Begins with a first turn at once. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Makes the next turn come now; after the present one if one is under way. */
  kick(): void {
    this.#kicked = true;
    this.#wake();
  }

  /** Aborts the turn under way and waits for its end. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#kicked = false;
      const pauseMs = await this.#turn(signal);
      if (!this.#kicked && !signal.aborted) await this.#pause(pauseMs);
    }
  }

  async #pause(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
    this.#wake = () => {};
  }
}

/** Milliseconds to wait after `failures` failures in a row: doubling from `firstMs` up to `lastMs`. */
export function backOffMs(
  failures: number,
  { firstMs, lastMs }: { readonly firstMs: number; readonly lastMs: number },
): number {
  return Math.min(lastMs, firstMs * 2 ** Math.min(20, Math.max(0, failures - 1)));
}
