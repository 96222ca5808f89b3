/**
 * A clock for deadlines that costs nothing to read.
 *
 * @module
 */

/** Knows the time of its last tick. */
export class CoarseClock {
  readonly #intervalMs: number;
  #nowMs = performance.now();

  /** @param intervalMs The longest time between two ticks while anything has a deadline. */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** Takes the time, and returns it. */
  tick(): number {
    return this.#nowMs = performance.now();
  }

  /** A deadline that is not earlier than asked for, and at most one interval later. */
  deadlineIn(timeoutMs: number): number {
    return this.#nowMs + this.#intervalMs + timeoutMs;
  }
}
