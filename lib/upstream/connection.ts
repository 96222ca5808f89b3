/**
 * One connection to a next hop: an exchange at a time.
 *
 * @module
 */

/** Most that one read brings. Each read has memory of its own, for its bytes are passed on uncopied. */
const readBytes = 64 * 1024;

/** A connection. While it lies idle it keeps reading, so that it knows when it died. */
export class Connection {
  readonly #conn: Deno.Conn;
  /** Bytes that were read ahead. */
  #ahead: Uint8Array = new Uint8Array(0);
  #idleRead: Promise<Uint8Array | undefined> | undefined;
  /** The read that began while idle and now belongs to the exchange. */
  #waiting: Promise<Uint8Array | undefined> | undefined;
  #closed = false;
  /** An earlier exchange used it. */
  used = false;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** Closed by us. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Lies idle until `wake`. What the other side says meanwhile belongs to no exchange, so that the
   * connection is closed and `onDead` called.
   */
  rest(onDead: () => void): void {
    this.used = true;
    if (this.#ahead.length > 0) return this.#die(onDead);
    const read = this.#read().catch(() => undefined);
    this.#idleRead = read;
    read.then(() => {
      if (this.#idleRead === read && !this.#closed) this.#die(onDead);
    });
  }

  #die(onDead: () => void): void {
    this.close();
    onDead();
  }

  /** Ends the rest: the read that was waiting brings the first bytes of the next answer. */
  wake(): void {
    this.#waiting = this.#idleRead;
    this.#idleRead = undefined;
  }

  /** Returns the next bytes, or `undefined` at the end. They belong to the caller. */
  async read(): Promise<Uint8Array | undefined> {
    if (this.#ahead.length > 0) {
      const bytes = this.#ahead;
      this.#ahead = bytes.subarray(0, 0);
      return bytes;
    }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return await (waiting ?? this.#read());
  }

  /** Gives back bytes that belong to what comes next. */
  unread(bytes: Uint8Array): void {
    this.#ahead = bytes;
  }

  async #read(): Promise<Uint8Array | undefined> {
    const buffer = new Uint8Array(readBytes);
    const count = await this.#conn.read(buffer);
    if (count === null) return undefined;
    // A small answer must not hold the memory of a large one.
    return count < readBytes / 4 ? buffer.slice(0, count) : buffer.subarray(0, count);
  }

  /** Writes all of `bytes`. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) sent += await this.#conn.write(bytes.subarray(sent));
  }

  /** Closes at once; a read or write that waits fails. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#conn.close();
    } catch {
      // The runtime had closed it already.
    }
  }
}
