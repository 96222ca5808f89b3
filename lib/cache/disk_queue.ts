/**
 * Runs disk operations a few at a time, so that neither the system's threads nor open files run out.
 *
 * @module
 */

/** First come, first served. */
export class DiskQueue {
  readonly #limit: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #idle: (() => void)[] = [];

  /** @param limit How many operations run at once, which is how many files they hold open. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Runs `operation` when its turn comes; settles as it does. */
  async run<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#running === this.#limit) {
      await new Promise<void>((turn) => this.#waiting.push(turn)); // the one before hands over
    } else {
      this.#running++;
    }
    try {
      return await operation();
    } finally {
      const next = this.#waiting.shift();
      if (next !== undefined) next();
      else if (--this.#running === 0) this.#idle.splice(0).forEach((resolve) => resolve());
    }
  }

  /** Resolves when nothing runs or waits. */
  async idle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }
}
