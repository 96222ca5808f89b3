/**
 * A response body as a stream that fails when it ends before it is whole (RFC 9112 §8).
 *
 * @module
 */

import { NextHopError, type NextHopFailure } from "#cache";
import { ChunkedDecoder } from "#http1";
import type { Connection } from "./connection.ts";
import type { BodyEnd } from "./response_head.ts";

/** How a body is read. */
export interface ResponseBodyOptions {
  /** Longest wait for the next byte while somebody wants it, in milliseconds. */
  readonly silenceMs: number;
  /** Called once: `whole` when the body ended as it should. */
  readonly done: (whole: boolean) => void;
  /** Why the exchange was ended from outside, if it was. */
  readonly ended: () => NextHopFailure | undefined;
}

/** Makes sense of the bytes of a body. */
interface Piece {
  readonly data: Uint8Array;
  /** Bytes that belong to the next answer. */
  readonly rest: Uint8Array;
  readonly ended: boolean;
}

/**
 * Streams a body from a connection. Nothing is read that nobody asked for. The stream errors when
 * the connection ends short of `Content-Length` or the last chunk.
 */
export function responseBody(
  connection: Connection,
  end: BodyEnd,
  { silenceMs, done, ended }: ResponseBodyOptions,
): ReadableStream<Uint8Array> {
  if (end.kind === "none" || (end.kind === "fixed" && end.bytes === 0)) {
    done(true);
    return new ReadableStream({ start: (controller) => controller.close() });
  }
  const take = pieces(end);
  let received = 0;
  let silent = false;
  const step = async (): Promise<Piece> => {
    const timer = setTimeout(() => {
      silent = true;
      connection.close();
    }, silenceMs);
    try {
      const bytes = await connection.read();
      if (bytes !== undefined) return take(bytes);
      if (end.kind === "close" && !connection.closed) {
        return { data: empty, rest: empty, ended: true };
      }
      throw new Error(`Cannot read the whole body: it broke off after ${received} bytes`);
    } finally {
      clearTimeout(timer);
    }
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const before = received;
        while (received === before) {
          const { data, rest, ended: last } = await step();
          received += data.length;
          if (data.length > 0) controller.enqueue(data);
          if (!last) continue;
          if (rest.length > 0) connection.unread(rest);
          done(true);
          return controller.close();
        }
      } catch (error) {
        done(false);
        const reason = ended() ?? (silent ? "timeout" : reasonOf(error));
        const detail = `${reason} after ${received} bytes`;
        const message = `Cannot read the whole body: ${detail}`;
        controller.error(new NextHopError(reason, message, { cause: error }));
      }
    },
    cancel: () => done(false),
  }, { highWaterMark: 0 });
}

const empty = new Uint8Array(0);

/** What came is no chunked body (RFC 9112 §7.1). */
class Malformed extends Error {}

function reasonOf(error: unknown): NextHopFailure {
  return error instanceof Malformed ? "malformed" : "reset";
}

function pieces(end: BodyEnd): (bytes: Uint8Array) => Piece {
  if (end.kind === "fixed") {
    let left = end.bytes;
    return (bytes) => {
      const data = bytes.subarray(0, left);
      left -= data.length;
      return { data, rest: bytes.subarray(data.length), ended: left === 0 };
    };
  }
  if (end.kind === "chunked") {
    const decoder = new ChunkedDecoder(Number.MAX_SAFE_INTEGER);
    return (bytes) => {
      const decoded = decoder.decode(bytes);
      if (typeof decoded === "string") {
        throw new Malformed(`Cannot read the whole body: ${decoded}`);
      }
      const { data, consumedBytes, done } = decoded;
      return { data, rest: bytes.subarray(consumedBytes), ended: done };
    };
  }
  return (bytes) => ({ data: bytes, rest: empty, ended: false });
}
