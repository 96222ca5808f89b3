/**
 * What comes from a client, read into one small buffer.
 *
 * @module
 */

/** Most requests fit; a longer head makes the buffer grow. */
const initialBytes = 4096;

/** The reading half of a connection. */
export class Input {
  readonly #conn: Deno.Conn;
  readonly #maxBytes: number;
  #buffer = new Uint8Array(initialBytes);
  #start = 0;
  #end = 0;
  #filling: Promise<boolean> | undefined;
  #roomBytes = 0;
  /** The last read filled all the room it had: more is waiting. */
  #crowded = false;

  /** When waiting has lasted too long, on the clock of `performance.now()`. */
  deadlineMs = Infinity;
  /** The client sends no more, or the connection failed. */
  ended = false;
  /** The connection failed or was closed by us, so that nothing can be sent, either. */
  failed = false;
  receivedBytes = 0;

  /** @param maxBytes What the buffer may grow to; at least the longest head. */
  constructor(conn: Deno.Conn, maxBytes: number) {
    this.#conn = conn;
    this.#maxBytes = Math.max(maxBytes, initialBytes);
  }

  /** How many bytes were read and not consumed. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** These bytes; valid until the next `fill`. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** No more can be read ahead. */
  get full(): boolean {
    return this.length >= this.#maxBytes;
  }

  /** Forgets the first `count` bytes. */
  consume(count: number): void {
    this.#start += count;
    if (this.#start === this.#end && this.#filling === undefined) this.#start = this.#end = 0;
  }

  /**
   * Reads more. May be called again while it waits: there is one read at a time.
   *
   * @returns `false` when nothing more will come. Never rejects.
   */
  fill(): Promise<boolean> {
    return this.#filling ??= this.#fill();
  }

  #fill(): Promise<boolean> {
    if (this.ended) return Promise.resolve(this.#over());
    this.#makeRoom();
    const room = this.#end === 0 ? this.#buffer : this.#buffer.subarray(this.#end);
    this.#roomBytes = room.length;
    return this.#conn.read(room).then(this.#took, this.#lost);
  }

  // Made once: they run for each request.
  readonly #took = (count: number | null): boolean => {
    if (count === null) return this.#over();
    this.#filling = undefined;
    this.#crowded = count === this.#roomBytes;
    this.#end += count;
    this.receivedBytes += count;
    return true;
  };

  readonly #lost = (): boolean => {
    this.failed = true;
    return this.#over();
  };

  #over(): boolean {
    this.ended = true;
    this.#filling = undefined;
    return false;
  }

  #makeRoom(): void {
    if (this.#crowded && this.#buffer.length < this.#maxBytes) {
      const larger = new Uint8Array(Math.min(2 * this.#buffer.length, this.#maxBytes));
      larger.set(this.bytes);
      this.#buffer = larger;
    } else if (this.#end === this.#buffer.length) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
    } else {
      return;
    }
    this.#end -= this.#start;
    this.#start = 0;
  }
}
