/**
 * S3-FIFO eviction (Yang et al., SOSP 2023) weighted by bytes: a small queue on trial, a main queue,
 * and a memory of what left the small one lately. A hit only raises a counter.
 *
 * @module
 */

/** Share of the budget that new objects pass through. */
const smallShare = 0.1;
const maxUses = 3;

interface Node<T> {
  readonly value: T;
  readonly identity: string;
  readonly weightBytes: number;
  uses: number;
  queue: Queue<T>;
  previous: Node<T> | undefined;
  next: Node<T> | undefined;
}

/** A doubly linked list, newest first. */
class Queue<T> {
  #newest: Node<T> | undefined;
  oldest: Node<T> | undefined;
  weightBytes = 0;
  count = 0;

  push(node: Node<T>): void {
    node.queue = this;
    node.previous = undefined;
    node.next = this.#newest;
    if (this.#newest === undefined) this.oldest = node;
    else this.#newest.previous = node;
    this.#newest = node;
    this.weightBytes += node.weightBytes;
    this.count++;
  }

  unlink(node: Node<T>): void {
    if (node.previous === undefined) this.#newest = node.next;
    else node.previous.next = node.next;
    if (node.next === undefined) this.oldest = node.previous;
    else node.next.previous = node.previous;
    this.weightBytes -= node.weightBytes;
    this.count--;
  }
}

/** Objects in the order in which they are given up. */
export class S3Fifo<T> {
  readonly #nodes = new Map<T, Node<T>>();
  readonly #small = new Queue<T>();
  readonly #main = new Queue<T>();
  /** Identities that left the small queue unused; coming back, they go straight to the main one. */
  readonly #ghosts = new Set<string>();

  /** The weight of everything, in bytes. */
  get weightBytes(): number {
    return this.#small.weightBytes + this.#main.weightBytes;
  }

  /** How many objects there are. */
  get count(): number {
    return this.#nodes.size;
  }

  /** All objects, in the order of their adding. */
  values(): Iterable<T> {
    return this.#nodes.keys();
  }

  /** Whether an object is there. */
  has(value: T): boolean {
    return this.#nodes.has(value);
  }

  /**
   * Adds an object.
   *
   * @param identity Tells that an object is a former one coming back.
   */
  add(value: T, { identity, weightBytes }: { identity: string; weightBytes: number }): void {
    const queue = this.#ghosts.delete(identity) ? this.#main : this.#small;
    const links = { previous: undefined, next: undefined };
    const node: Node<T> = { value, identity, weightBytes, uses: 0, queue, ...links };
    this.#nodes.set(value, node);
    queue.push(node);
  }

  /** Puts an object in the place of another, with its standing. */
  replace(old: T, value: T, weightBytes: number): void {
    const node = this.#nodes.get(old);
    if (node === undefined) return;
    const { queue, identity, uses } = node;
    this.delete(old);
    const links = { previous: undefined, next: undefined };
    const heir: Node<T> = { value, identity, weightBytes, uses, queue, ...links };
    this.#nodes.set(value, heir);
    queue.push(heir);
  }

  /** Notes that an object was used; returns whether that was not known as well as can be. */
  touch(value: T): boolean {
    const node = this.#nodes.get(value);
    if (node === undefined || node.uses === maxUses) return false;
    node.uses++;
    return true;
  }

  /** Removes an object. */
  delete(value: T): boolean {
    const node = this.#nodes.get(value);
    if (node === undefined) return false;
    this.#nodes.delete(value);
    node.queue.unlink(node);
    return true;
  }

  /** Removes and returns the object to give up next; `undefined` when there is none. */
  evict(): T | undefined {
    while (this.#nodes.size > 0) {
      const small = this.#small.weightBytes > this.weightBytes * smallShare ||
        this.#main.count === 0;
      const evicted = small ? this.#fromSmall() : this.#fromMain();
      if (evicted !== undefined) return evicted;
    }
    return undefined;
  }

  #fromSmall(): T | undefined {
    const node = this.#small.oldest!;
    if (node.uses > 0) {
      this.#small.unlink(node);
      node.uses = 0;
      this.#main.push(node);
      return undefined;
    }
    this.delete(node.value);
    this.#remember(node.identity);
    return node.value;
  }

  #fromMain(): T | undefined {
    const node = this.#main.oldest!;
    if (node.uses > 0) {
      this.#main.unlink(node);
      node.uses--;
      this.#main.push(node);
      return undefined;
    }
    this.delete(node.value);
    return node.value;
  }

  #remember(identity: string): void {
    this.#ghosts.add(identity);
    const limit = Math.max(64, this.#nodes.size);
    for (const oldest of this.#ghosts) {
      if (this.#ghosts.size <= limit) return;
      this.#ghosts.delete(oldest);
    }
  }
}
