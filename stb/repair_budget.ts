/**
 * How much repair one home may ask of the internet: bytes a second, and requests at a time. A storm
 * on the satellite's frequency must not become one on the return path.
 *
 * @module
 */

/** Bytes a second with a burst. Pure: the caller brings the clock and waits. */
export class ByteBudget {
  readonly #bytesPerMs: number;
  readonly #burstMs: number;
  /** When the bytes promised so far will all have been paid for. */
  #paidUntilMs = -Infinity;

  constructor(options: { readonly bytesPerSecond: number; readonly burstBytes: number }) {
    this.#bytesPerMs = options.bytesPerSecond / 1000;
    this.#burstMs = options.burstBytes / this.#bytesPerMs;
  }

  /**
   * Promises bytes.
   *
   * @param mostMs The longest wait that still makes sense.
   * @returns How long to wait before asking for them, in milliseconds; `undefined`, and nothing
   *   promised, when that is longer than `mostMs`.
   */
  reserve(bytes: number, mostMs: number, nowMs: number): number | undefined {
    const fromMs = Math.max(this.#paidUntilMs, nowMs - this.#burstMs);
    const untilMs = fromMs + bytes / this.#bytesPerMs;
    const waitMs = Math.max(0, fromMs - nowMs);
    if (waitMs > mostMs) return undefined;
    this.#paidUntilMs = untilMs;
    return waitMs;
  }
}

/** Lets a few through at a time, the others in the order they came. */
export class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(width: number) {
    this.#free = width;
  }

  /** Runs `work` when it is its turn. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
