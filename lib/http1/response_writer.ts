/**
 * Sends a `Response`: head and first bytes together, then as the stream gives and the client takes.
 *
 * @module
 */

import { BodySink } from "./body_sink.ts";
import type { BodyFailure } from "./event.ts";
import type { Output } from "./output.ts";
import {
  isBodiless,
  planResponse,
  type ResponsePlan,
  type ResponsePlanInput,
} from "./response_head.ts";

/** How a response is sent. */
export interface SendOptions
  extends Pick<ResponsePlanInput, "method" | "minorVersion" | "keepAlive" | "date"> {
  readonly output: Output;
  /** Awaited right before the head is written, once. */
  readonly beforeHead: () => Promise<void>;
}

/** How it went. */
export interface SendOutcome {
  /** Whether the connection may go on. */
  readonly keepAlive: boolean;
  readonly failure?: BodyFailure;
  readonly error?: unknown;
  /** Nothing was sent: another answer can be. */
  readonly unsent?: boolean;
}

type Chunk = ReadableStreamReadResult<Uint8Array>;

/** One response on its way. */
export class ResponseWriter {
  readonly #options: SendOptions;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  constructor(options: SendOptions) {
    this.#options = options;
  }

  /** Gives the body up: the client is gone. A waiting `send` ends at once. */
  cancel(reason: unknown): void {
    this.#reader?.cancel(reason).catch(() => {});
  }

  /**
   * Sends the whole response.
   *
   * @throws {Error} When the connection fails; the body was cancelled then.
   */
  async send(response: Response): Promise<SendOutcome> {
    const { method, output, beforeHead } = this.#options;
    const { body, status } = response;
    if (body === null || isBodiless(method, status)) {
      body?.cancel().catch(() => {});
      // An answer to HEAD without a length does not know how long the GET's would be.
      const plan = this.#plan(response, isBodiless(method, status) ? undefined : 0);
      await beforeHead();
      await output.write(plan.head);
      return { keepAlive: plan.keepAlive };
    }
    this.#reader = body.getReader();
    try {
      return await this.#sendBody(response, this.#reader);
    } catch (error) {
      this.cancel(error);
      throw error;
    }
  }

  #plan({ status, headers }: Response, bodyBytes: number | undefined): ResponsePlan {
    return planResponse({ ...this.#options, status, fields: headers, bodyBytes });
  }

  async #sendBody(
    response: Response,
    reader: ReadableStreamDefaultReader<Uint8Array>,
  ): Promise<SendOutcome> {
    const ahead = [reader.read()];
    const first = await soon(ahead[0]);
    if (first instanceof Failure) return failed(first.error, { unsent: true });
    const knownBytes = response.headers.has("content-length")
      ? undefined
      : await wholeBytes(first, () => ahead[ahead.push(reader.read()) - 1]);
    const plan = this.#plan(response, knownBytes);
    const sink = new BodySink(this.#options, plan);
    if (first === undefined) await sink.flush();
    while (true) {
      const chunk = await (ahead.shift() ?? reader.read()).catch((error) => new Failure(error));
      if (chunk instanceof Failure) {
        return failed(chunk.error, { unsent: !sink.started });
      }
      if (chunk.done) break;
      if (!(chunk.value instanceof Uint8Array)) {
        const error = new TypeError(`Cannot send body: need bytes: received ${typeof chunk.value}`);
        this.cancel(error);
        return failed(error, { unsent: !sink.started });
      }
      if (await sink.write(chunk.value) === "too_long") {
        this.cancel(new RangeError("Cannot send body: need no more than its Content-Length"));
        return { keepAlive: false, failure: "too_long" };
      }
    }
    if (await sink.finish()) return { keepAlive: plan.keepAlive };
    return { keepAlive: false, failure: "too_short" };
  }
}

function failed(error: unknown, { unsent }: { unsent: boolean }): SendOutcome {
  return { keepAlive: false, failure: "stream_failed", error, unsent };
}

/** The size of a body that is whole in its first chunk, so that it needs no chunked coding. */
async function wholeBytes(
  first: Chunk | undefined,
  read: () => Promise<Chunk>,
): Promise<number | undefined> {
  if (first === undefined) return undefined;
  if (first.done) return 0;
  const second = await soon(read());
  const isWhole = second !== undefined && !(second instanceof Failure) && second.done;
  return isWhole && first.value instanceof Uint8Array ? first.value.length : undefined;
}

class Failure {
  constructor(readonly error: unknown) {}
}

/** How many turns of the microtask queue a body that is in memory may take to show itself. */
const turns = 8;

/** Returns what a promise holds if it is settled, or as good as; `undefined` when it takes time. */
async function soon<T>(promise: Promise<T>): Promise<T | Failure | undefined> {
  let result: T | Failure | undefined;
  promise.then((value) => result = value, (error) => result = new Failure(error));
  for (let turn = 0; turn < turns && result === undefined; turn++) await undefined;
  return result;
}
