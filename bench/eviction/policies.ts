/**
 * Eviction policies behind one face, weighted by bytes: what `memory_store` uses, as it is, and what
 * it is compared with.
 *
 * @module
 */

import { S3Fifo } from "#cache";

/** A cache that a trace is played to. */
export interface Policy {
  /** Asks for an object; takes it in when it is not there. Returns whether it was there. */
  ask(key: number, bytes: number): boolean;
}

/** Makes a policy with a budget in bytes. */
export type MakePolicy = (budgetBytes: number) => Policy;

/** The policies by name. */
export const policies: Readonly<Record<string, MakePolicy>> = {
  FIFO: (budgetBytes) => new InsertionOrder(budgetBytes, { moveUp: false }),
  LRU: (budgetBytes) => new InsertionOrder(budgetBytes, { moveUp: true }),
  SIEVE: (budgetBytes) => new Sieve(budgetBytes),
  "S3-FIFO": (budgetBytes) => new OurS3Fifo(budgetBytes),
};

/** FIFO and LRU: a map in order of insertion. */
class InsertionOrder implements Policy {
  readonly #budgetBytes: number;
  readonly #moveUp: boolean;
  readonly #objects = new Map<number, number>();
  #bytes = 0;

  constructor(budgetBytes: number, { moveUp }: { moveUp: boolean }) {
    this.#budgetBytes = budgetBytes;
    this.#moveUp = moveUp;
  }

  ask(key: number, bytes: number): boolean {
    const held = this.#objects.get(key);
    if (held !== undefined) {
      if (this.#moveUp) {
        this.#objects.delete(key);
        this.#objects.set(key, held);
      }
      return true;
    }
    this.#objects.set(key, bytes);
    this.#bytes += bytes;
    for (const [oldest, oldestBytes] of this.#objects) {
      if (this.#bytes <= this.#budgetBytes) break;
      this.#objects.delete(oldest);
      this.#bytes -= oldestBytes;
    }
    return false;
  }
}

interface SieveNode {
  readonly key: number;
  readonly bytes: number;
  visited: boolean;
  newer: SieveNode | undefined;
  older: SieveNode | undefined;
}

/** SIEVE (Zhang et al., NSDI 2024): one queue, one bit, a hand that moves from old to new. */
class Sieve implements Policy {
  readonly #budgetBytes: number;
  readonly #nodes = new Map<number, SieveNode>();
  #newest: SieveNode | undefined;
  #oldest: SieveNode | undefined;
  #hand: SieveNode | undefined;
  #bytes = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  ask(key: number, bytes: number): boolean {
    const node = this.#nodes.get(key);
    if (node !== undefined) {
      node.visited = true;
      return true;
    }
    while (this.#bytes + bytes > this.#budgetBytes && this.#nodes.size > 0) this.#evict();
    this.#add({ key, bytes, visited: false, newer: undefined, older: this.#newest });
    return false;
  }

  #add(node: SieveNode): void {
    this.#nodes.set(node.key, node);
    if (this.#newest !== undefined) this.#newest.newer = node;
    this.#newest = node;
    this.#oldest ??= node;
    this.#bytes += node.bytes;
  }

  #evict(): void {
    let node = this.#hand ?? this.#oldest!;
    while (node.visited) {
      node.visited = false;
      node = node.newer ?? this.#oldest!;
    }
    this.#hand = node.newer;
    this.#nodes.delete(node.key);
    if (node.newer === undefined) this.#newest = node.older;
    else node.newer.older = node.older;
    if (node.older === undefined) this.#oldest = node.newer;
    else node.older.newer = node.newer;
    this.#bytes -= node.bytes;
  }
}

/** The class of `memory_store`, driven as `memory_store` drives it. */
class OurS3Fifo implements Policy {
  readonly #budgetBytes: number;
  readonly #order = new S3Fifo<OurObject>();
  readonly #objects = new Map<number, OurObject>();

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  ask(key: number, bytes: number): boolean {
    const held = this.#objects.get(key);
    if (held !== undefined) {
      this.#order.touch(held);
      return true;
    }
    const object = { key };
    this.#order.add(object, { identity: String(key), weightBytes: bytes });
    this.#objects.set(key, object);
    while (this.#order.weightBytes > this.#budgetBytes) {
      const evicted = this.#order.evict();
      if (evicted === undefined) break;
      this.#objects.delete(evicted.key);
    }
    return false;
  }
}

interface OurObject {
  readonly key: number;
}
