/**
 * Small objects on their way to the store: nobody waits for them, they can be found meanwhile, and
 * what is replaced before its turn is never sent.
 *
 * @module
 */

import { memoryEntry, type StoredEntry, type StoredResponse } from "#cache";

/** One object that waits. */
interface Waiting {
  readonly path: string;
  readonly entry: StoredEntry & { readonly memory: Uint8Array };
  /** While it rests. */
  timer?: ReturnType<typeof setTimeout>;
}

/** How the queue works. */
export interface SmallQueueOptions {
  /** Bodies that may wait, in bytes; what comes above is not sent. */
  readonly maxBytes: number;
  /** How long an object rests before it is sent, in milliseconds; less when much waits. */
  readonly restMs: number;
  /** Sends an object. */
  readonly send: (path: string, response: StoredResponse, body: Uint8Array) => Promise<unknown>;
  /** Called for an object that is not sent because too much waits already. */
  readonly onFull: () => void;
}

/** So many are sent at once. */
const sentAtOnce = 8;

/** The objects that wait, one for each path. */
export class SmallQueue {
  readonly #options: SmallQueueOptions;
  readonly #byPath = new Map<string, Waiting>();
  readonly #byKey = new Map<string, Set<Waiting>>();
  readonly #due: Waiting[] = [];
  #bytes = 0;
  #sending = 0;
  #idle: (() => void)[] = [];

  constructor(options: SmallQueueOptions) {
    this.#options = options;
  }

  /** Puts an object in line, in the place of one that waits for the same path. */
  put(path: string, response: StoredResponse, body: Uint8Array): void {
    this.drop(path);
    if (this.#bytes + body.length > this.#options.maxBytes) return this.#options.onFull();
    const entry = memoryEntry(response, body) as Waiting["entry"];
    const waiting: Waiting = { path, entry };
    this.#byPath.set(path, waiting);
    const same = this.#byKey.get(response.key) ?? new Set();
    this.#byKey.set(response.key, same.add(waiting));
    this.#bytes += body.length;
    waiting.timer = setTimeout(() => {
      waiting.timer = undefined;
      this.#due.push(waiting);
      this.#next();
    }, this.#options.restMs);
    if (this.#bytes > this.#options.maxBytes / 2) this.#hurry();
  }

  /** Takes an object out of the line. One that is being sent goes on, and is not found any more. */
  drop(path: string): void {
    const waiting = this.#byPath.get(path);
    if (waiting !== undefined) this.#forget(waiting);
  }

  /** The objects of a key that are not with the store yet. */
  find(key: string): readonly StoredEntry[] {
    return [...this.#byKey.get(key) ?? []].map(({ entry }) => entry).reverse();
  }

  /** Everything that waits. */
  entries(): StoredEntry[] {
    return [...this.#byPath.values()].map(({ entry }) => entry);
  }

  /** Sends at once what waits, and resolves when nothing does. */
  async flush(): Promise<void> {
    this.#hurry();
    if (this.#byPath.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Ends the rest of all that wait. */
  #hurry(): void {
    for (const waiting of [...this.#byPath.values()]) {
      if (waiting.timer === undefined) continue;
      clearTimeout(waiting.timer);
      waiting.timer = undefined;
      this.#due.push(waiting);
    }
    this.#next();
  }

  #next(): void {
    while (this.#sending < sentAtOnce) {
      const waiting = this.#due.shift();
      if (waiting === undefined) break;
      if (this.#byPath.get(waiting.path) === waiting) void this.#send(waiting);
    }
    if (this.#byPath.size === 0) this.#idle.splice(0).forEach((resolve) => resolve());
  }

  async #send(waiting: Waiting): Promise<void> {
    const { path, entry: { response, memory } } = waiting;
    this.#sending++;
    await this.#options.send(path, response, memory);
    this.#sending--;
    if (this.#byPath.get(path) === waiting) this.#forget(waiting);
    this.#next();
  }

  #forget(waiting: Waiting): void {
    const { path, entry: { response, memory } } = waiting;
    clearTimeout(waiting.timer);
    this.#byPath.delete(path);
    this.#bytes -= memory.length;
    const same = this.#byKey.get(response.key);
    same?.delete(waiting);
    if (same?.size === 0) this.#byKey.delete(response.key);
  }
}
