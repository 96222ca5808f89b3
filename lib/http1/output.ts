/**
 * What goes to a client, no faster than it reads.
 *
 * @module
 */

/** The writing half of a connection. One write at a time: await each. */
export class Output {
  readonly #conn: Deno.Conn;
  readonly #timeoutMs: number;

  /** When a client that takes nothing has done so for too long; see `performance.now()`. */
  deadlineMs = Infinity;
  sentBytes = 0;

  constructor(conn: Deno.Conn, timeoutMs: number) {
    this.#conn = conn;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Writes all of `bytes`, which must not change until then.
   *
   * @throws {Error} When the connection fails or is closed; nothing else can be sent then.
   */
  async write(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (true) {
      this.deadlineMs = performance.now() + this.#timeoutMs;
      const count = await this.#conn.write(rest);
      this.sentBytes += count;
      if (count === rest.length) break;
      rest = rest.subarray(count);
    }
    this.deadlineMs = Infinity;
  }

  /** Tells the client that no more comes; over TLS when it has taken what was written. */
  async end(): Promise<void> {
    this.deadlineMs = performance.now() + this.#timeoutMs;
    await this.#conn.closeWrite();
    this.deadlineMs = Infinity;
  }
}

/** A body up to this size is copied behind its head and sent in one write. */
const coalescedBytes = 16 * 1024;
const scratches: Uint8Array[] = [];
const maxScratches = 64;

/** Writes parts in order, together as far as they are small; large parts are never copied. */
export async function writeParts(output: Output, parts: readonly Uint8Array[]): Promise<void> {
  const scratch = scratches.pop() ?? new Uint8Array(coalescedBytes);
  let filled = 0;
  for (const part of parts) {
    if (filled + part.length <= coalescedBytes) {
      scratch.set(part, filled);
      filled += part.length;
      continue;
    }
    if (filled > 0) await output.write(scratch.subarray(0, filled));
    filled = 0;
    await output.write(part);
  }
  if (filled > 0) await output.write(scratch.subarray(0, filled));
  // Not after a failed write: the system may still be reading it.
  if (scratches.length < maxScratches) scratches.push(scratch);
}
