/**
 * Where the bytes of an answer come from, and how they are cut and counted.
 *
 * @module
 */

import type { ByteRange } from "#http";
import type { ByteRoad } from "./outcome.ts";
import type { MultipartFraming } from "./ranges.ts";

/** A body that an answer can be made of. Either it is read or it is discarded. */
export interface BodySource {
  readonly road: ByteRoad;
  /** `undefined` while it arrives and its size is not known. */
  readonly bodyBytes: number | undefined;
  /** How many ranges of it can be read. */
  readonly ranges: "none" | "one" | "many";
  /** Bytes `[start, end)`, the rest without `end`. */
  read(start: number, end?: number): Uint8Array | ReadableStream<Uint8Array>;
  /** Says that no byte of it is needed. */
  discard(): void;
}

/** Called once with the number of bytes that were taken from a body. */
export type OnServed = (bytes: number) => void;

/** Counts what is read from a body until its end, its failure or its cancellation. */
export function counted(
  body: Uint8Array | ReadableStream<Uint8Array>,
  onServed: OnServed,
): Uint8Array | ReadableStream<Uint8Array> {
  if (body instanceof Uint8Array) {
    onServed(body.length);
    return body;
  }
  const reader = body.getReader();
  let bytes = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read().catch((error) => {
        onServed(bytes);
        throw error;
      });
      if (done) {
        onServed(bytes);
        controller.close();
      } else {
        bytes += value.length;
        controller.enqueue(value);
      }
    },
    async cancel(reason) {
      onServed(bytes);
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}

/** Streams the parts of a multipart/byteranges body one after the other. */
export function multipartBody(
  source: BodySource,
  ranges: readonly ByteRange[],
  { openings, closing }: MultipartFraming,
): ReadableStream<Uint8Array> {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (const [i, [start, end]] of ranges.entries()) {
      yield openings[i];
      const part = source.read(start, end);
      if (part instanceof Uint8Array) yield part;
      else yield* part;
    }
    yield closing;
  }
  return ReadableStream.from(pieces());
}
