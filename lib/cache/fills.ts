/**
 * The bodies that are on their way in, by key.
 *
 * @module
 */

import type { SharedFill } from "./fill.ts";

/** Fills by key; several of one key when they differ in variant or one was purged meanwhile. */
export class Fills {
  readonly #byKey = new Map<string, SharedFill[]>();

  /** The fills of a key, newest first. */
  of(key: string): readonly SharedFill[] {
    return this.#byKey.get(key) ?? [];
  }

  /** Lets others find a fill. Adding it twice changes nothing. */
  add(fill: SharedFill): void {
    const fills = this.of(fill.key);
    if (!fills.includes(fill)) this.#byKey.set(fill.key, [fill, ...fills]);
  }

  /** Hides a fill; its readers go on. */
  remove(fill: SharedFill): void {
    const rest = this.of(fill.key).filter((other) => other !== fill);
    if (rest.length === 0) this.#byKey.delete(fill.key);
    else this.#byKey.set(fill.key, rest);
  }
}
