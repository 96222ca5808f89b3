/**
 * A map that forgets its oldest entries.
 *
 * @module
 */

/** Keeps the entries set last. */
export class BoundedMap<Key, Value> {
  readonly #map = new Map<Key, Value>();
  readonly #limit: number;
  readonly #onForgotten: (key: Key, value: Value) => void;

  /** @param limit Entries kept. */
  constructor(limit: number, onForgotten: (key: Key, value: Value) => void = () => {}) {
    this.#limit = limit;
    this.#onForgotten = onForgotten;
  }

  get(key: Key): Value | undefined {
    return this.#map.get(key);
  }

  /** Sets an entry, which is the newest then. */
  set(key: Key, value: Value): void {
    this.#map.delete(key);
    this.#map.set(key, value);
    if (this.#map.size <= this.#limit) return;
    const [[oldest, old]] = this.#map;
    this.#map.delete(oldest);
    this.#onForgotten(oldest, old);
  }

  delete(key: Key): void {
    this.#map.delete(key);
  }

  clear(): void {
    this.#map.clear();
  }

  entries(): IterableIterator<[Key, Value]> {
    return this.#map.entries();
  }
}
