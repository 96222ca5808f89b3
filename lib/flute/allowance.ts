/**
 * How much of something one session may cost: so much at once, and so much in each second.
 *
 * @module
 */

/** A bucket that fills with time. It holds no clock: the caller tells the time first. */
export class Allowance {
  readonly #most: number;
  readonly #perMs: number;
  #left: number;
  #atMs: number;

  /**
   * @param most What is there at once, and at first.
   * @param perSecond What is added in a second.
   */
  constructor(most: number, perSecond: number, nowMs: number) {
    this.#most = most;
    this.#perMs = perSecond / 1000;
    this.#left = most;
    this.#atMs = nowMs;
  }

  /** Tells the time. A clock that steps back adds nothing. */
  at(nowMs: number): void {
    const added = Math.max(0, nowMs - this.#atMs) * this.#perMs;
    this.#left = Math.min(this.#most, this.#left + added);
    this.#atMs = nowMs;
  }

  /** Takes so much, when it is there. */
  take(amount: number): boolean {
    if (amount > this.#left) return false;
    this.#left -= amount;
    return true;
  }
}
