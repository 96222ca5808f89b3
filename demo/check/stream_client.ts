/**
 * A client of the box's continuous transport stream.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** Reads the stream until it is told to stop, and keeps all of it. */
export class StreamClient {
  readonly #url: string;
  readonly #chunks: Uint8Array[] = [];
  /** How the stream failed, in words; `undefined` when it did not. */
  fault: string | undefined;
  /** Milliseconds until the first byte. */
  firstByteMs: number | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }

  /** Reads until the signal aborts. A stream that ends earlier is a fault. */
  async run(signal: AbortSignal): Promise<void> {
    const started = performance.now();
    try {
      const answer = await fetch(this.#url, { signal });
      if (!answer.ok || answer.body === null) throw new Error(`answered ${answer.status}`);
      for await (const chunk of answer.body) {
        this.firstByteMs ??= performance.now() - started;
        this.#chunks.push(chunk);
      }
      this.fault = "the stream ended";
    } catch (error) {
      if (signal.aborted) return;
      this.fault = error instanceof Error ? error.message : String(error);
    }
  }
}

/** How a stream compares with the segments that it is made of. */
export interface StreamComparison {
  /** Segments that are in the stream whole and identical. */
  readonly wholeSegments: number;
  /** What differs, in words; `undefined` when nothing does. */
  readonly fault: string | undefined;
}

/**
 * Compares a stream with the segments it should be made of.
 *
 * @param stream From the start of some segment to any byte.
 * @param segments The bytes of consecutive segments; the stream begins with one of them.
 */
export function compareStream(
  stream: Uint8Array,
  segments: readonly Uint8Array[],
): StreamComparison {
  const first = segments.findIndex((segment) => startsAlike(stream, segment));
  if (first < 0) return { wholeSegments: 0, fault: "it begins with no segment of the origin" };
  let at = 0;
  let whole = 0;
  for (const segment of segments.slice(first)) {
    const part = stream.subarray(at, at + segment.length);
    if (part.length === 0) break;
    if (!startsAlike(part, segment)) {
      return { wholeSegments: whole, fault: `it differs after ${whole} segments` };
    }
    at += part.length;
    if (part.length === segment.length) whole++;
  }
  const fault = at < stream.length ? "it goes on after the newest segment" : undefined;
  return { wholeSegments: whole, fault };
}

function startsAlike(a: Uint8Array, b: Uint8Array): boolean {
  const length = Math.min(a.length, b.length);
  return length > 0 && Buffer.compare(a.subarray(0, length), b.subarray(0, length)) === 0;
}
