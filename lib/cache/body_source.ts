/**
 * Where the bytes of an answer come from, and how they are cut and counted.
 *
 * @module
 */

import type { ByteRange } from "#http";
import type { ByteRoad } from "./outcome.ts";
import type { MultipartFraming } from "./ranges.ts";

/** A body that an answer can be made of. It is read or discarded. */
export interface BodySource {
  readonly road: ByteRoad;
  /** `undefined` while it arrives and its size is not known. */
  readonly bodyBytes: number | undefined;
  /** Which ranges of it can be read: `rising` when one can only be read after those before it. */
  readonly ranges: "none" | "rising" | "any";
  /**
   * Bytes `[start, end)`, the rest without `end`.
   *
   * @param options `more`: this is not the last read, so that `discard` follows in the end.
   */
  read(
    start: number,
    end?: number,
    options?: { more: boolean },
  ): Uint8Array | ReadableStream<Uint8Array>;
  /** Says that no (further) byte of it is needed. */
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
  let index = 0;
  let part: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** The next bytes; `undefined` where a part ends. */
  const next = async (): Promise<Uint8Array | undefined> => {
    if (part !== undefined) return (await part.read()).value;
    const [start, end] = ranges[index];
    const body = source.read(start, end, { more: true });
    part = (body instanceof Uint8Array ? ReadableStream.from([body]) : body).getReader();
    return openings[index];
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        while (index < ranges.length) {
          const bytes = await next();
          if (bytes !== undefined) return controller.enqueue(bytes);
          part = undefined;
          index++;
        }
      } catch (error) {
        source.discard();
        throw error;
      }
      source.discard();
      controller.enqueue(closing);
      controller.close();
    },
    async cancel(reason) {
      await part?.cancel(reason);
      source.discard();
    },
  }, { highWaterMark: 0 });
}
