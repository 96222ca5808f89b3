/**
 * The lane of everything that is not a ready answer: one exchange with the app.
 *
 * @module
 */

import {
  type Field,
  type Fields,
  hopByHopFields,
  isFieldName,
  isFieldValue,
  type RequestHead,
} from "#http";
import type { ExchangeEnv } from "./exchange.ts";
import type { Front } from "./front.ts";
import type { ParsedHead } from "./head_parser.ts";
import type { Output } from "./output.ts";
import { type Http1Rejection, rejectionStatus } from "./rejection.ts";
import type { RequestBody } from "./request_body.ts";
import { encodeHead } from "./response_head.ts";
import { ResponseWriter, type SendOutcome } from "./response_writer.ts";

/** What an exchange is made of. */
export interface HandlerLaneOptions {
  readonly front: Front;
  readonly parsed: ParsedHead;
  /** As the app shall see it. */
  readonly head: RequestHead;
  readonly body: RequestBody | undefined;
  readonly output: Output;
  readonly remote: Deno.NetAddr;
  readonly local: Deno.NetAddr;
  /** The connection may go on after the answer. */
  readonly keepAlive: boolean;
}

/** How an exchange ended: answered, to be refused with this word, or nobody is left to answer. */
export type HandlerOutcome =
  | (SendOutcome & { readonly kind: "answered" })
  | { readonly kind: "refuse"; readonly reason: Http1Rejection }
  | { readonly kind: "gone" };

/** Informational responses waiting for a slow client, before more are dropped. */
const maxInformationalBytes = 16 * 1024;

/** One exchange with the app; it is the `env` the app gets. */
export class HandlerLane implements ExchangeEnv {
  readonly #options: HandlerLaneOptions;
  readonly #controller = new AbortController();
  readonly #gone = Promise.withResolvers<"gone">();
  #writer: ResponseWriter | undefined;
  #informational: Promise<void> = Promise.resolve();
  #informationalBytes = 0;
  #headSent = false;

  constructor(options: HandlerLaneOptions) {
    this.#options = options;
  }

  get head(): RequestHead {
    return this.#options.head;
  }

  get remote(): Deno.NetAddr {
    return this.#options.remote;
  }

  get secure(): boolean {
    return this.#options.front.secure;
  }

  // A property, not a method: apps pass it on by itself.
  readonly sendInformational = (status: number, fields: Fields): void => {
    if (!(Number.isInteger(status) && status >= 102 && status <= 199)) return;
    this.#queue(encodeHead(status, fields.filter(isSendable)));
  };

  /** Tells the client to send its body (RFC 9110 §10.1.1). */
  sendContinue(): void {
    this.#queue(encodeHead(100, []));
  }

  #queue(bytes: Uint8Array): void {
    const { output, parsed } = this.#options;
    if (this.#headSent || parsed.minorVersion === 0) return;
    if (this.#informationalBytes + bytes.length > maxInformationalBytes) return;
    this.#informationalBytes += bytes.length;
    this.#informational = this.#informational
      .then(() => output.write(bytes))
      .then(() => void (this.#informationalBytes -= bytes.length), () => {});
  }

  /** The connection is lost: whoever works on this may stop. */
  abandon(): void {
    const reason = new DOMException("The client is gone", "AbortError");
    this.#gone.resolve("gone");
    this.#controller.abort(reason);
    this.#writer?.cancel(reason);
  }

  /** Asks the app and sends its answer. Never rejects. */
  async run(): Promise<HandlerOutcome> {
    const request = this.#request();
    if (request === undefined) return { kind: "refuse", reason: "bad_target" };
    const answering = this.#ask(request);
    const answer = await Promise.race([answering, this.#gone.promise]);
    if (answer === "gone") {
      answering.then((late) => late.body?.cancel()).catch(() => {});
      return { kind: "gone" };
    }
    const refused = this.#refusedBody(answer);
    if (refused) {
      answer.body?.cancel().catch(() => {});
      await this.#informational;
      return { kind: "refuse", reason: refused };
    }
    return await this.#send(answer);
  }

  async #send(response: Response): Promise<HandlerOutcome> {
    const { front, parsed, body, output } = this.#options;
    const unsolicited = parsed.expectsContinue && !body?.started;
    const keepAlive = this.#options.keepAlive && !front.draining && !unsolicited;
    const { method } = parsed.head;
    const date = front.dates.value;
    const beforeHead = async () => {
      await this.#informational;
      this.#headSent = true;
    };
    const { minorVersion } = parsed;
    const options = { output, method, minorVersion, keepAlive, date, beforeHead };
    const before = output.sentBytes;
    try {
      this.#writer = new ResponseWriter(options);
      const outcome = await this.#writer.send(response);
      if (outcome.failure) {
        front.emit({ kind: "body_failed", reason: outcome.failure, error: outcome.error });
      }
      if (outcome.unsent) return await this.#send(failureResponse());
      const sentBytes = output.sentBytes - before;
      front.emit({ kind: "answered", lane: "handler", status: response.status, sentBytes });
      return { kind: "answered", ...outcome };
    } catch {
      return { kind: "gone" };
    }
  }

  /** A body that broke off answers for an app that failed because of it. */
  #refusedBody(answer: Response): Http1Rejection | undefined {
    const failure = this.#options.body?.failure;
    return failure && failure !== "cut_off" && answer.status >= 500 ? failure : undefined;
  }

  async #ask(request: Request): Promise<Response> {
    try {
      const response = await this.#options.front.handler(request, this);
      const usable = response instanceof Response && response.status >= 200 &&
        !response.bodyUsed && !response.body?.locked;
      if (!usable) {
        throw new TypeError(
          `Cannot answer: need a fresh Response from the handler: received ${response}`,
        );
      }
      return response;
    } catch (error) {
      const expected = this.#controller.signal.aborted || this.#options.body?.failure;
      if (!expected) this.#options.front.emit({ kind: "handler_failed", error });
      return failureResponse();
    }
  }

  /** Makes the `Request`; `undefined` when the target makes no URL with this host. */
  #request(): Request | undefined {
    const { parsed, head, body, local } = this.#options;
    const host = parsed.host ?? hostOf(local);
    const path = head.target === "*" ? "/" : head.target;
    const scheme = this.secure ? "https" : "http";
    try {
      return new Request(`${scheme}://${host}${path}`, {
        method: head.method,
        headers: head.fields as [string, string][],
        body: body?.stream(),
        signal: this.#controller.signal,
      });
    } catch {
      return undefined;
    }
  }
}

function isSendable([name, value]: Field): boolean {
  return isFieldName(name) && isFieldValue(value) && !hopByHopFields.has(name);
}

function hostOf({ hostname, port }: Deno.NetAddr): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

function failureResponse(): Response {
  return new Response("internal error\n", {
    status: 500,
    headers: { "content-type": "text/plain", "cache-control": "no-store" },
  });
}

/** The answer to a refused request. It tells the word, and asks caches not to keep it. */
export function refusalBytes(
  reason: Http1Rejection,
  { method, date }: { method: string | undefined; date: string },
): Uint8Array {
  const text = `${reason}\n`;
  const head = encodeHead(rejectionStatus[reason], [
    ["content-type", "text/plain"],
    ["content-length", String(text.length)],
    ["cache-control", "no-store"],
    ["date", date],
    ["connection", "close"],
  ]);
  if (method === "HEAD") return head;
  const bytes = new Uint8Array(head.length + text.length);
  bytes.set(head);
  for (let i = 0; i < text.length; i++) bytes[head.length + i] = text.charCodeAt(i);
  return bytes;
}
