/**
 * Keys of which something is known for a while: that the last response could not be shared, so that
 * requests do not wait for each other (hit-for-miss), or that it cannot be cut into slices.
 *
 * @module
 */

/** A bounded memory of keys, each for a while. */
export class RememberedKeys {
  readonly #untilMs = new Map<string, number>();
  readonly #limit: number;
  readonly #durationMs: number;

  constructor({ limit, durationMs }: { limit: number; durationMs: number }) {
    this.#limit = limit;
    this.#durationMs = durationMs;
  }

  /** Remembers a key; the oldest is forgotten above the limit. */
  add(key: string, nowMs: number): void {
    this.#untilMs.delete(key);
    this.#untilMs.set(key, nowMs + this.#durationMs);
    if (this.#untilMs.size <= this.#limit) return;
    const [oldest] = this.#untilMs.keys();
    this.#untilMs.delete(oldest);
  }

  /** Forgets a key: it is otherwise after all. */
  delete(key: string): void {
    this.#untilMs.delete(key);
  }

  /** Whether the key is remembered. */
  has(key: string, nowMs: number): boolean {
    const untilMs = this.#untilMs.get(key);
    if (untilMs === undefined) return false;
    if (nowMs < untilMs) return true;
    this.#untilMs.delete(key);
    return false;
  }
}
