/**
 * Frees what purges took, a few objects at a time, so that requests are answered meanwhile.
 *
 * @module
 */

import { type Purges, purgeSubject, type Store } from "#cache";

/** So many objects are looked at in one turn. */
const objectsPerTurn = 1000;

/** Sweeps a store in the background. Nothing depends on it: a lookup asks the purges itself. */
export class Sweeper {
  readonly #store: Store;
  readonly #purges: Purges;
  #wanted = false;
  #running: Promise<void> | undefined;

  constructor(store: Store, purges: Purges) {
    this.#store = store;
    this.#purges = purges;
  }

  /** Purges were applied: starts a sweep, or has the one that runs followed by another. */
  request(): void {
    this.#wanted = true;
    this.#running ??= this.#run();
  }

  /** Resolves when no sweep runs. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#wanted) {
      this.#wanted = false;
      await this.#sweep();
    }
    this.#running = undefined;
  }

  async #sweep(): Promise<void> {
    let looked = 0;
    for (const entry of this.#store.entries()) {
      if (++looked % objectsPerTurn === 0) await new Promise((resolve) => setTimeout(resolve, 0));
      if (this.#purges.verdict(purgeSubject(entry.response)) === "gone") this.#store.remove(entry);
    }
  }
}
