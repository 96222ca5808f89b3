/**
 * The bodies that are on their way in, by key.
 *
 * @module
 */

import type { SharedFill } from "./fill.ts";
import { objectKey } from "./slices.ts";

/** Fills by key; several of one key when they differ in variant or one was purged meanwhile. */
export class Fills {
  readonly #byKey = new Map<string, SharedFill[]>();
  readonly #watches = new Map<string, Set<{ invalidated: boolean }>>();

  /** Watches whether an unsafe request changes a resource while a part of it arrives. */
  watch(key: string): { readonly invalidated: boolean; end(): void } {
    const state = { invalidated: false };
    const watches = this.#watches.get(key) ?? new Set();
    this.#watches.set(key, watches.add(state));
    return {
      get invalidated() {
        return state.invalidated;
      },
      end: () => {
        watches.delete(state);
        if (watches.size === 0 && this.#watches.get(key) === watches) this.#watches.delete(key);
      },
    };
  }

  /** Hides the fills of a key and those of its slices for good, and tells those who watch it. */
  invalidate(key: string): void {
    for (const state of this.#watches.get(key) ?? []) state.invalidated = true;
    for (const [filled, fills] of [...this.#byKey]) {
      if (objectKey(filled) !== key) continue;
      for (const fill of fills) {
        fill.invalidated = true;
        this.remove(fill);
      }
    }
  }

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
