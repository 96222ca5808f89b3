/**
 * How much of the rate is used: bytes of the last seconds.
 *
 * @module
 */

const windowSeconds = 5;

/** Counts bytes by second. */
export class RateMeter {
  readonly #startedMs: number;
  readonly #bytes = new Map<number, number>();

  constructor(nowMs: number) {
    this.#startedMs = nowMs;
  }

  /** Adds bytes that were just sent. */
  add(bytes: number, nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    const before = this.#bytes.get(second);
    this.#bytes.set(second, (before ?? 0) + bytes);
    if (before === undefined) this.#forget(second);
  }

  /** Bits a second over the last five full seconds, or since the start when that is less. */
  bitsPerSecond(nowMs: number): number {
    const second = Math.floor(nowMs / 1000);
    let bytes = 0;
    for (const [at, count] of this.#bytes) {
      if (at < second && at >= second - windowSeconds) bytes += count;
    }
    const seconds = Math.min(windowSeconds, second - Math.floor(this.#startedMs / 1000));
    return seconds <= 0 ? 0 : bytes * 8 / seconds;
  }

  #forget(second: number): void {
    for (const at of this.#bytes.keys()) if (at < second - windowSeconds) this.#bytes.delete(at);
  }
}
