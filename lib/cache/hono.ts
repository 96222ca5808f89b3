/**
 * The engine as a Hono handler.
 *
 * @module
 */

import type { Context, Handler } from "hono";
import type { Field, Fields, RequestHead } from "#http";
import type { CacheAnswer } from "./answer.ts";
import type { CacheEngine } from "./engine.ts";
import type { RespondOptions } from "./exchange.ts";

/** Bodies in memory above this go out in pieces, because `Response` copies what it is given whole. */
const wholeBytes = 64 * 1024;

/** What the HTTP/1.1 front adds to a request; absent when an app is called in process. */
export interface FrontEnv {
  readonly head?: RequestHead;
  sendInformational?(status: number, fields: Fields): void;
}

/** Makes a `Response` of an answer. */
export function toResponse({ status, fields, body }: CacheAnswer): Response {
  const headers = fields.map(([name, value]): [string, string] => [name, value]);
  return new Response(body instanceof Uint8Array ? inPieces(body) : body, { status, headers });
}

function inPieces(bytes: Uint8Array): BodyInit {
  if (bytes.length <= wholeBytes) return bytes as Uint8Array<ArrayBuffer>;
  let position = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(bytes.subarray(position, position += 4 * wholeBytes));
      if (position >= bytes.length) controller.close();
    },
  }, { highWaterMark: 0 });
}

/** The head of a request: as the front received it, or read from the `Request`. */
export function requestHead(context: Context): RequestHead {
  const { head } = (context.env ?? {}) as FrontEnv;
  if (head !== undefined) return head;
  const { method, url, headers } = context.req.raw;
  const { pathname, search } = new URL(url);
  const fields = [...headers].map(([name, value]): Field => [name, value]);
  return { method, target: pathname + search, fields };
}

/**
 * Makes a handler that answers from `engine`.
 *
 * @param options Called for each request for what its head does not say (the fence).
 */
export function cacheHandler(
  engine: CacheEngine,
  options: (context: Context, head: RequestHead) => RespondOptions | Promise<RespondOptions> =
    () => ({}),
): Handler {
  return async (context) => {
    const head = requestHead(context);
    const { sendInformational } = (context.env ?? {}) as FrontEnv;
    const { signal, body } = context.req.raw;
    const answer = await engine.respond({ ...head, body: body ?? undefined }, {
      signal,
      onInformational: sendInformational,
      ...await options(context, head),
    });
    return toResponse(answer);
  };
}
