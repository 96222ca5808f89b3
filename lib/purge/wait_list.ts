/**
 * Those who wait until a sequence number was applied.
 *
 * @module
 */

interface Waiter {
  readonly seq: number;
  readonly settle: (reached: boolean) => void;
}

/** A bounded list of waiters. */
export class WaitList {
  readonly #waiters = new Set<Waiter>();
  readonly #most: number;

  /** @param most How many may wait at once; one more is told `false` at once. */
  constructor(most = 10_000) {
    this.#most = most;
  }

  /** Resolves with true when {@link WaitList.reached} passes `seq`, with false after `timeoutMs`. */
  wait(seq: number, timeoutMs: number): Promise<boolean> {
    if (this.#waiters.size >= this.#most || timeoutMs <= 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (reached: boolean) => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        resolve(reached);
      };
      const waiter = { seq, settle };
      const timer = setTimeout(settle, timeoutMs, false);
      this.#waiters.add(waiter);
    });
  }

  /** Wakes those who wait for `seq` or less. */
  reached(seq: number): void {
    for (const waiter of this.#waiters) if (waiter.seq <= seq) waiter.settle(true);
  }

  /** Tells all that it will not come. */
  close(): void {
    for (const waiter of this.#waiters) waiter.settle(false);
  }
}
