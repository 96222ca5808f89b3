/**
 * The body of a request, decoded as fast as the handler reads it.
 *
 * @module
 */

import { type BodyDecoder, bodyDecoder } from "./body_decoder.ts";
import type { BodyFraming } from "./framing.ts";
import type { Input } from "./input.ts";
import type { Http1Limits } from "./limits.ts";
import type { Http1Rejection } from "./rejection.ts";

/** Why a body will not become whole: refused, or the client closed in the middle. */
export type RequestBodyFailure = Http1Rejection | "cut_off";

/** What a body needs of its connection. */
export interface RequestBodyOptions {
  readonly framing: Exclude<BodyFraming, { kind: "none" }>;
  readonly input: Input;
  readonly limits: Http1Limits;
  /** Called before the first wait for bytes that the client has not begun to send. */
  readonly onFirstWait?: () => void;
  /** Called when bytes were taken from the input. */
  readonly onDecoded?: () => void;
}

/** Reads one request body from a connection. */
export class RequestBody {
  readonly #decoder: BodyDecoder;
  readonly #options: RequestBodyOptions;
  readonly #timedOut = Promise.withResolvers<false>();
  #ahead: Uint8Array | undefined;
  #started = false;
  #waitedMs = 0;
  #windowBytes = 0;
  #waiting = false;
  #reading = false;

  /** All of it was read from the connection. */
  done = false;
  failure: RequestBodyFailure | undefined;

  constructor(options: RequestBodyOptions) {
    this.#options = options;
    this.#decoder = bodyDecoder(options.framing, options.limits.maxBodyBytes);
  }

  /** Some of it has come. */
  get started(): boolean {
    return this.#started;
  }

  /** Decodes what is here already, so that a malformed start is refused before anyone acts on it. */
  prime(): RequestBodyFailure | undefined {
    if (this.#options.input.length > 0) {
      const data = this.#decode();
      if (data.length > 0) this.#ahead = data;
    }
    return this.failure;
  }

  /** The body for a `Request`; it errors when the body does not become whole. */
  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        this.#reading = true;
        const data = await this.next();
        this.#reading = false;
        if (this.failure) controller.error(bodyError(this.failure));
        else if (data) controller.enqueue(data);
        else controller.close();
      },
    }, { highWaterMark: 0 });
  }

  /** Returns the next bytes, `undefined` at the end or when the body failed. */
  async next(): Promise<Uint8Array | undefined> {
    while (true) {
      const data = this.#ahead ?? this.#available();
      this.#ahead = undefined;
      if (data && data.length > 0) return data;
      if (this.done || this.failure) return undefined;
      if (this.#options.input.length === 0) await this.#wait();
    }
  }

  /** Reads and drops the rest; `false` when it failed or is longer than `maxBytes`. */
  async drain(maxBytes: number): Promise<boolean> {
    if (this.#reading) return false; // the handler left a read behind
    let bytes = 0;
    while (true) {
      const data = await this.next();
      if (!data) return this.failure === undefined;
      bytes += data.length;
      if (bytes > maxBytes) return false;
    }
  }

  /** The deadline of the input has passed. */
  timeOut(): void {
    if (!this.#waiting) return;
    this.failure ??= "body_timeout";
    this.#timedOut.resolve(false);
  }

  #available(): Uint8Array | undefined {
    return !this.done && !this.failure && this.#options.input.length > 0
      ? this.#decode()
      : undefined;
  }

  #decode(): Uint8Array {
    const { input, limits } = this.#options;
    const step = this.#decoder.decode(input.bytes);
    if (typeof step === "string") {
      this.failure = step;
      return nothing;
    }
    input.consume(step.consumedBytes);
    this.#options.onDecoded?.();
    this.#started = true;
    this.done = step.done;
    this.#windowBytes += step.data.length;
    if (this.#windowBytes >= limits.minBodyBytes) this.#windowBytes = this.#waitedMs = 0;
    return step.data;
  }

  /** Waits for bytes. Only this time counts against the client, not the handler's pauses. */
  async #wait(): Promise<void> {
    const { input, limits, onFirstWait } = this.#options;
    if (!this.#started) onFirstWait?.();
    const startMs = performance.now();
    input.deadlineMs = startMs + limits.bodyTimeoutMs - this.#waitedMs;
    this.#waiting = true;
    const more = await Promise.race([input.fill(), this.#timedOut.promise]);
    this.#waiting = false;
    if (!input.ended) input.deadlineMs = Infinity;
    this.#waitedMs += performance.now() - startMs;
    if (!more) this.failure ??= "cut_off";
  }
}

const nothing = new Uint8Array(0);

function bodyError(failure: RequestBodyFailure): Error {
  return new Error(`Cannot read request body: need all of it: received ${failure}`);
}
