/**
 * A response body as a stream that fails when it ends before it is whole.
 *
 * @module
 */

import type { IncomingMessage } from "node:http";

/** How a body is read. */
export interface ResponseBodyOptions {
  /** Longest wait for the next byte while somebody wants it, in milliseconds. */
  readonly silenceMs: number;
  /** Method of the request. */
  readonly method: string;
  /** Called once, when the body ended, failed or was cancelled. */
  readonly done: () => void;
}

/**
 * Turns an incoming message into a byte stream with backpressure: nothing is read that nobody asked
 * for. The stream errors when the connection ends short of `Content-Length` or the last chunk.
 */
export function responseBody(
  incoming: IncomingMessage,
  { silenceMs, method, done }: ResponseBodyOptions,
): ReadableStream<Uint8Array> {
  const expected = expectedBytes(incoming, method);
  let received = 0;
  let over = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const finish = (act: () => void) => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    done();
    act();
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const fail = (why: string) =>
        finish(() => controller.error(new Error(`Cannot read the whole body: ${why}`)));
      incoming.on("data", (chunk: Uint8Array) => {
        clearTimeout(timer);
        incoming.pause();
        received += chunk.length;
        if (over) return;
        controller.enqueue(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      });
      incoming.on("end", () => {
        if (expected !== undefined && received !== expected) {
          fail(`need ${expected} bytes: received ${received}`);
        } else if (!incoming.complete) fail(`it broke off after ${received} bytes`);
        else finish(() => controller.close());
      });
      incoming.on("error", (error: Error) => fail(error.message));
      incoming.on("aborted", () => fail(`it broke off after ${received} bytes`));
      incoming.on("close", () => fail(`it broke off after ${received} bytes`));
      incoming.pause();
    },
    pull() {
      clearTimeout(timer);
      timer = setTimeout(
        () => incoming.destroy(new Error(`no byte in ${silenceMs} ms`)),
        silenceMs,
      );
      incoming.resume();
    },
    cancel() {
      finish(() => incoming.destroy());
    },
  }, { highWaterMark: 0 });
}

/** What `Content-Length` promises; nothing for answers that never have a body (RFC 9112 §6.3). */
function expectedBytes(
  { headers, statusCode }: IncomingMessage,
  method: string,
): number | undefined {
  if (method === "HEAD" || statusCode === 204 || statusCode === 304) return undefined;
  const length = headers["content-length"];
  return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}
