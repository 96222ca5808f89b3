/**
 * Sending at a rate: a token bucket in bytes on the wire. Pure: the caller brings the clock and
 * does the waiting.
 *
 * @module
 */

/** UDP header and IPv4 header without options, in bytes. */
const headerBytes = 8 + 20;

/** Bytes that a UDP payload takes in IPv4, which is what a satellite uplink is sold by. */
export function wireBytes(payloadBytes: number): number {
  return payloadBytes + headerBytes;
}

/** What a pacer is made of. */
export interface PacerOptions {
  /** Rate in bits on the wire per second. */
  readonly bitsPerSecond: number;
  /** Most bytes on the wire sent at once after a pause; by default ten full Ethernet packets. */
  readonly burstBytes?: number;
  /** Now, by any clock that does not step; the bucket is full. */
  readonly nowMs: number;
}

/** A token bucket. */
export class Pacer {
  readonly #burstBytes: number;
  #bytesPerMs: number;
  #tokens: number;
  #filledMs: number;

  /** @throws RangeError for a rate or burst that is not positive. */
  constructor({ bitsPerSecond, burstBytes = 15_000, nowMs }: PacerOptions) {
    this.#bytesPerMs = positive("bitsPerSecond", bitsPerSecond) / 8000;
    this.#burstBytes = positive("burstBytes", burstBytes);
    this.#tokens = burstBytes;
    this.#filledMs = nowMs;
  }

  /** The rate now, in bits on the wire per second. */
  get bitsPerSecond(): number {
    return this.#bytesPerMs * 8000;
  }

  /** Changes the rate; tokens already there stay. */
  setRate(bitsPerSecond: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#bytesPerMs = positive("bitsPerSecond", bitsPerSecond) / 8000;
  }

  /**
   * Asks to send one packet.
   *
   * A packet larger than the whole bucket goes when the bucket is full; the debt is paid before the
   * next.
   *
   * @param payloadBytes UDP payload.
   * @returns 0 when it may go now: its tokens are taken. Else the milliseconds to wait before
   * asking again.
   */
  take(payloadBytes: number, nowMs: number): number {
    this.#fill(nowMs);
    const bytes = wireBytes(payloadBytes);
    const needed = Math.min(bytes, this.#burstBytes);
    // What rounding may lose must not make a caller wait for nothing, again and again.
    if (this.#tokens >= needed - 1e-6) {
      this.#tokens -= bytes;
      return 0;
    }
    return (needed - this.#tokens) / this.#bytesPerMs;
  }

  #fill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#filledMs);
    this.#tokens = Math.min(this.#burstBytes, this.#tokens + elapsedMs * this.#bytesPerMs);
    this.#filledMs = nowMs;
  }
}

function positive(name: string, value: number): number {
  if (value > 0 && Number.isFinite(value)) return value;
  throw new RangeError(`Cannot make pacer: ${name} must be above 0: received ${value}`);
}
