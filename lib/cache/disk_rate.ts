/**
 * How many bytes a second go to a disk, so that what is read from it keeps flowing.
 *
 * @module
 */

/** A bucket of bytes that fills at a steady rate, for one second at most. Pure. */
export class DiskRate {
  readonly #bytesPerSecond: number;
  #bytes: number;
  #atMs = -Infinity;

  /** @param bytesPerSecond Above 0; `Infinity` bounds nothing. */
  constructor(bytesPerSecond: number) {
    if (!(bytesPerSecond > 0)) {
      throw new RangeError(
        `Cannot bound disk writes: need more than 0 bytes a second: received ${bytesPerSecond}`,
      );
    }
    this.#bytesPerSecond = bytesPerSecond;
    this.#bytes = bytesPerSecond;
  }

  /**
   * Takes the bytes of an object that is about to be written. Whoever comes while there are some left
   * may take more than that: an object is written whole, and those after it wait the longer.
   */
  take(bytes: number, nowMs: number): boolean {
    this.#fill(nowMs);
    if (this.#bytes <= 0) return false;
    this.#bytes -= bytes;
    return true;
  }

  /** Takes bytes that an object has beyond what it said; `false` when a second's worth is owed. */
  takeMore(bytes: number, nowMs: number): boolean {
    this.#fill(nowMs);
    this.#bytes -= bytes;
    return this.#bytes > -this.#bytesPerSecond;
  }

  /** How long until {@link take} agrees, in milliseconds; 0 when it does now. */
  waitMs(nowMs: number): number {
    this.#fill(nowMs);
    return this.#bytes > 0 ? 0 : 1 - 1000 * this.#bytes / this.#bytesPerSecond;
  }

  #fill(nowMs: number): void {
    const passedMs = nowMs - this.#atMs;
    if (!(passedMs > 0)) return; // a clock that stands, or steps back, gives nothing
    this.#atMs = nowMs;
    const filled = this.#bytes + passedMs * this.#bytesPerSecond / 1000;
    this.#bytes = Math.min(this.#bytesPerSecond, filled);
  }
}
