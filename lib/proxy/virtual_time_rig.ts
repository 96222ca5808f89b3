/**
 * Virtual time for tests: one step at a time, when everybody has come to rest. Timers of the code
 * under test run by it too, as long as {@link Steps.run} does.
 *
 * @module
 */

/** Milliseconds that pass with one step. */
const stepMs = 1000;

/** Turns of the microtask queue in a step: enough for a body to go through all nodes. */
const turns = 100;

interface Due {
  readonly at: number;
  readonly wake: () => void;
}

/** Time and chance, both decided by a seed. */
export class Steps {
  now = 0;
  readonly #due: Due[] = [];
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = randomOf(seed);
  }

  /** Virtual time in milliseconds. */
  get nowMs(): number {
    return this.now * stepMs;
  }

  /** A number in [0, 1). */
  random(): number {
    return this.#random();
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  /** One of the values. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)];
  }

  /** Waits for some steps. */
  sleep(steps: number): Promise<void> {
    return new Promise((wake) => this.#due.push({ at: this.now + steps, wake }));
  }

  /** Goes on until `work` is done, with the timers of this realm on virtual time. */
  async run(work: Promise<unknown>): Promise<void> {
    let over = false;
    const ended = work.then(() => over = true, (error) => {
      over = true;
      throw error;
    });
    ended.catch(() => {}); // told below
    using _timers = this.#takeTimers();
    while (!over) {
      for (let turn = 0; turn < turns; turn++) await undefined;
      this.now++;
      const ripe = this.#due.filter(({ at }) => at <= this.now);
      for (const one of ripe) this.#due.splice(this.#due.indexOf(one), 1);
      for (const { wake } of ripe) wake();
    }
    await ended;
  }

  #takeTimers(): Disposable {
    const { setTimeout, clearTimeout } = globalThis;
    const timers = new Map<number, Due>();
    let last = 0;
    const set = (work: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
      const id = ++last;
      const wake = () => {
        timers.delete(id);
        work(...args);
      };
      const due = { at: this.now + Math.max(1, Math.ceil(ms / stepMs)), wake };
      timers.set(id, due);
      this.#due.push(due);
      return id;
    };
    const clear = (id?: number) => {
      const due = timers.get(id ?? 0);
      if (due === undefined) return;
      timers.delete(id ?? 0);
      this.#due.splice(this.#due.indexOf(due), 1);
    };
    Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
    const now = () => this.nowMs;
    Object.defineProperty(performance, "now", { value: now, configurable: true });
    return {
      [Symbol.dispose]: () => {
        Object.assign(globalThis, { setTimeout, clearTimeout });
        Reflect.deleteProperty(performance, "now");
      },
    };
  }
}

/** Numbers in [0, 1) that a seed decides (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
