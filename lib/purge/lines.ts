/**
 * Splits a byte stream into lines (NDJSON), bounded in what it keeps.
 *
 * @module
 */

/** Longest line of a purge stream, in bytes; a record of the longest value fits with all escapes. */
export const maxLineBytes = 64 * 1024;

/** Collects bytes and gives back whole lines. */
export class LineSplitter {
  readonly #decoder = new TextDecoder();
  readonly #maxBytes: number;
  #rest = new Uint8Array(0);

  constructor(maxBytes: number = maxLineBytes) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes the next bytes.
   *
   * @returns The lines that became whole, without their ends; `undefined` when a line is too long.
   */
  push(chunk: Uint8Array): string[] | undefined {
    const bytes = this.#rest.length === 0 ? chunk : concat(this.#rest, chunk);
    const lines: string[] = [];
    let start = 0;
    for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, start)) {
      if (end - start > this.#maxBytes) return undefined;
      lines.push(this.#decoder.decode(bytes.subarray(start, end)));
      start = end + 1;
    }
    this.#rest = bytes.slice(start);
    return this.#rest.length > this.#maxBytes ? undefined : lines;
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
