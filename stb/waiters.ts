/**
 * Those who wait for something that has a name.
 *
 * @module
 */

/** Waits by name; a wake-up reaches all who wait then. */
export class Waiters {
  readonly #byName = new Map<string, Set<() => void>>();

  /** How many wait. */
  get count(): number {
    let count = 0;
    for (const waiting of this.#byName.values()) count += waiting.size;
    return count;
  }

  /** Ends all waits for a name. */
  wake(name: string): void {
    const waiting = this.#byName.get(name);
    this.#byName.delete(name);
    for (const resolve of waiting ?? []) resolve();
  }

  /**
   * Waits to be woken.
   *
   * @returns false after `ms`, or when the signal aborts.
   */
  async wait(name: string, ms: number, signal?: AbortSignal): Promise<boolean> {
    if (ms <= 0 || signal?.aborted) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const woken = () => resolve(true);
    const left = () => resolve(false);
    const waiting = this.#byName.get(name) ?? new Set();
    this.#byName.set(name, waiting.add(woken));
    const timer = setTimeout(left, ms);
    signal?.addEventListener("abort", left, { once: true });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", left);
      waiting.delete(woken);
      if (waiting.size === 0 && this.#byName.get(name) === waiting) this.#byName.delete(name);
    }
  }
}
