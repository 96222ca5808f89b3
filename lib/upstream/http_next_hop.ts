/**
 * A next hop over HTTP/1.1: `node:http`, because it shows heads as they came, tells of 1xx answers,
 * and sends the `Host` of the URL.
 *
 * @module
 */

import http from "node:http";
import https from "node:https";
import { NextHopError, type NextHopFailure } from "#cache";
import type { NextHop, NextHopRequest, NextHopResponse } from "#cache";
import type { Field, Fields } from "#http";
import { responseBody } from "./response_body.ts";

/** How a next hop is reached. Times are in milliseconds. */
export interface HttpNextHopOptions {
  /** Scheme, authority and base path; the request target is put behind the path. */
  readonly url: URL;
  /** Connections at once; further requests wait. 256 by default. */
  readonly maxSockets?: number;
  /** From the start of a request to its response head; 15 000 by default. */
  readonly headTimeoutMs?: number;
  /** Longest silence within a body; 15 000 by default. */
  readonly silenceTimeoutMs?: number;
}

/** Everything one attempt needs. */
interface Attempt {
  readonly options: http.RequestOptions;
  readonly send: typeof http.request;
  readonly headTimeoutMs: number;
  readonly silenceTimeoutMs: number;
}

const replayable: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Makes a next hop. Its connections stay open between requests. */
export function httpNextHop(options: HttpNextHopOptions): NextHop {
  const { url, maxSockets = 256, headTimeoutMs = 15_000, silenceTimeoutMs = 15_000 } = options;
  const secure = url.protocol === "https:";
  const agentOptions = { keepAlive: true, maxSockets, maxFreeSockets: maxSockets };
  const agent = secure ? new https.Agent(agentOptions) : new http.Agent(agentOptions);
  const send = secure ? https.request as typeof http.request : http.request;
  const base = url.pathname.replace(/\/$/, "");
  return {
    async fetch(request) {
      const attempt: Attempt = {
        options: {
          agent,
          method: request.method,
          hostname: url.hostname.replace(/^\[|\]$/g, ""),
          port: url.port || (secure ? 443 : 80),
          path: base + request.target,
          headers: outgoing(request, url),
        },
        send,
        headTimeoutMs,
        silenceTimeoutMs,
      };
      try {
        return await exchange(attempt, request);
      } catch (error) {
        // A kept connection may have died while it lay idle; no byte of an answer came on it.
        const stale = error instanceof NextHopError && error.reason === "reset";
        if (!stale || !replayable.has(request.method) || request.body !== undefined) throw error;
        return await exchange(
          { ...attempt, options: { ...attempt.options, agent: false } },
          request,
        );
      }
    },
  };
}

/** The fields to send, with the authority of the URL as `Host`. */
function outgoing({ fields, body }: NextHopRequest, url: URL): http.OutgoingHttpHeaders {
  const headers: Record<string, string | string[]> = { host: url.host };
  for (const [name, value] of fields) {
    if (name === "host") continue;
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  if (body !== undefined && headers["content-length"] === undefined) {
    headers["transfer-encoding"] = "chunked";
  }
  return headers;
}

/** Sends the request once. */
function exchange(attempt: Attempt, request: NextHopRequest): Promise<NextHopResponse> {
  const { signal } = request;
  if (signal?.aborted) return Promise.reject(failure("aborted", "its client is gone"));
  return new Promise((resolve, reject) => {
    const outgoing = attempt.send(attempt.options);
    let reason: NextHopFailure | undefined;
    const end = (why: NextHopFailure) => {
      reason ??= why;
      outgoing.destroy(new Error(why));
    };
    const timer = setTimeout(() => end("timeout"), attempt.headTimeoutMs);
    const onAbort = () => end("aborted");
    signal?.addEventListener("abort", onAbort, { once: true });
    outgoing.on("information", (info) => {
      if (info.statusCode !== 101) {
        request.onInformational?.(info.statusCode, pairs(info.rawHeaders));
      }
    });
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      reject(failure(reason ?? reasonOf(error), error.message));
    });
    outgoing.on("response", (incoming) => {
      clearTimeout(timer);
      const done = () => signal?.removeEventListener("abort", onAbort);
      const { method } = request;
      const body = responseBody(incoming, { silenceMs: attempt.silenceTimeoutMs, method, done });
      resolve({ status: incoming.statusCode ?? 502, fields: pairs(incoming.rawHeaders), body });
    });
    sendBody(outgoing, request.body).catch(() => end("aborted"));
  });
}

async function sendBody(
  outgoing: http.ClientRequest,
  body: ReadableStream<Uint8Array> | undefined,
): Promise<void> {
  for await (const chunk of body ?? []) {
    if (!outgoing.write(chunk)) await new Promise((resolve) => outgoing.once("drain", resolve));
  }
  outgoing.end();
}

function pairs(raw: readonly string[] = []): Fields {
  const fields: Field[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) fields.push([raw[i].toLowerCase(), raw[i + 1]]);
  return fields;
}

function reasonOf({ code, message }: NodeJS.ErrnoException): NextHopFailure {
  if (code === "ECONNREFUSED" || code === "ENOTFOUND" || code === "EHOSTUNREACH") return "refused";
  if (code === "ETIMEDOUT") return "timeout";
  if (code?.startsWith("HPE_") || /pars|invalid/i.test(message)) return "malformed";
  return "reset";
}

function failure(reason: NextHopFailure, detail: string): NextHopError {
  return new NextHopError(reason, `Cannot fetch from the next hop: ${reason} (${detail})`);
}
