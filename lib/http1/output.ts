/**
 * What goes to a client, no faster than it reads.
 *
 * @module
 */

import type { CoarseClock } from "./coarse_clock.ts";
import type { Front } from "./front.ts";

/** The writing half of a connection. One write at a time: await each. */
export class Output {
  readonly #conn: Deno.Conn;
  readonly #timeoutMs: number;
  readonly #clock: CoarseClock;

  /** When a client that takes nothing has done so for too long; see `performance.now()`. */
  deadlineMs = Infinity;
  sentBytes = 0;

  constructor(conn: Deno.Conn, { clock, limits }: Pick<Front, "clock" | "limits">) {
    this.#conn = conn;
    this.#clock = clock;
    this.#timeoutMs = limits.writeTimeoutMs;
  }

  /**
   * Writes all of `bytes`, which must not change until then.
   *
   * @throws {Error} When the connection fails or is closed; nothing else can be sent then.
   */
  async write(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) rest = rest.subarray(await this.writeOnce(rest));
  }

  /**
   * Writes the beginning of `bytes`, as much as the system takes.
   *
   * @returns How many bytes that were.
   * @throws {Error} As `write`.
   */
  async writeOnce(bytes: Uint8Array): Promise<number> {
    this.deadlineMs = this.#clock.deadlineIn(this.#timeoutMs);
    const count = await this.#conn.write(bytes);
    this.sentBytes += count;
    if (count === bytes.length) this.deadlineMs = Infinity;
    return count;
  }

  /** Tells the client that no more comes; over TLS when it has taken what was written. */
  async end(): Promise<void> {
    this.deadlineMs = this.#clock.deadlineIn(this.#timeoutMs);
    await this.#conn.closeWrite();
    this.deadlineMs = Infinity;
  }
}

/** A body up to this size is copied behind its head and sent in one write. */
const coalescedBytes = 16 * 1024;
const scratches: Uint8Array[] = [];
const maxScratches = 64;

/**
 * Writes a head, what ends it, and a body: in one write when they are small. A large body is never
 * copied.
 *
 * @returns How many bytes that were.
 */
export async function writeAnswer(
  output: Output,
  head: Uint8Array,
  ending: Uint8Array,
  body: Uint8Array | undefined,
): Promise<number> {
  const headBytes = head.length + ending.length;
  const bodyBytes = body?.length ?? 0;
  if (headBytes + bodyBytes > coalescedBytes) {
    await writeParts(output, body ? [head, ending, body] : [head, ending]);
    return headBytes + bodyBytes;
  }
  const scratch = scratches.pop() ?? new Uint8Array(coalescedBytes);
  scratch.set(head);
  scratch.set(ending, head.length);
  if (body) scratch.set(body, headBytes);
  await output.write(scratch.subarray(0, headBytes + bodyBytes));
  // Not after a failed write: the system may still be reading it.
  if (scratches.length < maxScratches) scratches.push(scratch);
  return headBytes + bodyBytes;
}

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
