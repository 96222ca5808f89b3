/**
 * A body with room for a head before it, so that an answer goes out in one write.
 *
 * @module
 */

/** A head and its body, one behind the other; what `lib/http1` calls a `JoinedAnswer`. */
export interface Joined {
  /** Head, empty line and body. */
  readonly bytes: Uint8Array;
  readonly headBytes: number;
  /** Where those who write it count themselves while the head has not gone. */
  readonly writers: Writers;
}

/** Writes whose head has not gone out. */
export interface Writers {
  unsent: number;
}

/** Grows a head by this much without another copy of the body: `Age` and the TTL get longer. */
const spareBytes = 64;

/** The bytes of one object. The body never changes; the head before it does, when nobody writes it. */
export class JoinedBody {
  readonly #buffer: Uint8Array;
  readonly #bodyStart: number;
  readonly #writers: Writers = { unsent: 0 };

  /** Copies `body` behind room for a head of `headBytes`. */
  constructor(body: Uint8Array, headBytes: number) {
    this.#bodyStart = headBytes + spareBytes;
    this.#buffer = new Uint8Array(this.#bodyStart + body.length);
    this.#buffer.set(body, this.#bodyStart);
  }

  /** The body alone. */
  get body(): Uint8Array {
    return this.#buffer.subarray(this.#bodyStart);
  }

  /** Whether there is room for a head. */
  fits(head: Uint8Array): boolean {
    return head.length <= this.#bodyStart;
  }

  /**
   * Puts a head that fits before the body.
   *
   * @returns `undefined` while a write of the former head is under way: its client would get a
   * mixture.
   */
  under(head: Uint8Array): Joined | undefined {
    if (this.#writers.unsent > 0) return undefined;
    const start = this.#bodyStart - head.length;
    this.#buffer.set(head, start);
    return {
      bytes: this.#buffer.subarray(start),
      headBytes: head.length,
      writers: this.#writers,
    };
  }
}
