/**
 * A next hop over HTTP/1.1, straight on sockets: heads as they came, 1xx answers told, `Host` of the
 * URL, and the same behaviour on every Deno.
 *
 * @module
 */

import {
  type NextHop,
  NextHopError,
  type NextHopFailure,
  type NextHopRequest,
  type NextHopResponse,
} from "#cache";
import { endToEnd, isFieldName, isFieldValue } from "#http";
import type { Connection } from "./connection.ts";
import { Pool } from "./pool.ts";
import { isChunked, Sending } from "./request_body.ts";
import { responseBody } from "./response_body.ts";
import { type ParsedResponse, parseResponseHead } from "./response_head.ts";

/** How a next hop is reached. Times are in milliseconds. */
export interface HttpNextHopOptions {
  /** Scheme (http or https), authority and base path; the request target is put behind the path. */
  readonly url: URL;
  /** Certificates (PEM) that an https hop may be signed by, beside the public ones. */
  readonly caCerts?: readonly string[];
  /** Connections at once; further requests wait. 256 by default. */
  readonly maxSockets?: number;
  /** Longest wait for a connection to stand; 3 000 by default. */
  readonly connectTimeoutMs?: number;
  /** Longest rest of a connection that is used again; 30 000 by default. */
  readonly idleTimeoutMs?: number;
  /** From the start of a request to its response head; 15 000 by default. */
  readonly headTimeoutMs?: number;
  /** Longest silence within a body; 15 000 by default. */
  readonly silenceTimeoutMs?: number;
}

/** More 1xx answers than that before one final answer are no HTTP any more. */
const maxInformational = 100;

const replayable: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** A next hop with connections of its own. */
export interface HttpNextHop extends NextHop {
  /** Closes the connections that lie idle; those in use close with their exchange. */
  close(): void;
}

/** Makes a next hop. Its connections stay open between requests. */
export function httpNextHop(options: HttpNextHopOptions): HttpNextHop {
  const { url, maxSockets = 256, connectTimeoutMs = 3000, idleTimeoutMs = 30_000 } = options;
  const caCerts = [...options.caCerts ?? []];
  const secure = url.protocol === "https:";
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port) || (secure ? 443 : 80);
  const connect = async () => {
    if (secure) return await connectTls({ hostname, port, caCerts });
    const conn = await Deno.connect({ hostname, port });
    conn.setNoDelay();
    return conn;
  };
  const pool = new Pool({ connect, maxSockets, connectTimeoutMs, idleMs: idleTimeoutMs });
  return {
    close: () => pool.close(),
    async fetch(request) {
      const head = requestHead(request, url);
      try {
        return await attempt(pool, head, request, { ...options, fresh: false });
      } catch (error) {
        // A kept connection may have died while it lay idle: no byte of an answer came on it.
        if (!(error instanceof DeadConnection)) throw error;
        return await attempt(pool, head, request, { ...options, fresh: true });
      }
    },
  };
}

/** Connects and shakes hands, so that a certificate we do not believe is a refused connection. */
async function connectTls(
  options: { hostname: string; port: number; caCerts: string[] },
): Promise<Deno.TlsConn> {
  const conn = await Deno.connectTls({ ...options, alpnProtocols: ["http/1.1"] });
  try {
    await conn.handshake();
    return conn;
  } catch (error) {
    conn.close();
    throw error;
  }
}

/** A kept connection ended before any byte of the answer; the request can be sent again. */
class DeadConnection extends Error {}

interface AttemptOptions extends HttpNextHopOptions {
  readonly fresh: boolean;
}

/** Sends the request once. */
async function attempt(
  pool: Pool,
  head: Uint8Array,
  request: NextHopRequest,
  { headTimeoutMs = 15_000, silenceTimeoutMs = 15_000, fresh }: AttemptOptions,
): Promise<NextHopResponse> {
  const { signal } = request;
  if (signal?.aborted) throw failure("aborted", "its client is gone");
  let why: NextHopFailure | undefined;
  let connection: Connection | undefined;
  const waiting = new AbortController();
  const end = (reason: NextHopFailure) => {
    why ??= reason;
    waiting.abort();
    connection?.close();
  };
  const timer = setTimeout(() => end("timeout"), headTimeoutMs);
  const onAbort = () => end("aborted");
  signal?.addEventListener("abort", onAbort, { once: true });
  const done = (whole: boolean) => {
    signal?.removeEventListener("abort", onAbort);
    if (!whole) connection?.close();
    if (connection !== undefined) pool.put(connection);
    connection = undefined;
  };
  try {
    connection = await pool.take({ fresh, signal: waiting.signal });
    const sending = new Sending(connection, request);
    const response = await exchange(connection, head, sending);
    const body = responseBody(connection, response.end, {
      silenceMs: silenceTimeoutMs,
      // What is left of a request body must not become the head of the next request.
      done: (whole) => done(whole && response.keepAlive && sending.finished),
      ended: () => why,
    });
    return { status: response.status, fields: response.fields, body };
  } catch (error) {
    const lost = connection?.used === true && why === undefined && error instanceof NoAnswer;
    const replay = lost && replayable.has(request.method) && request.body === undefined;
    done(false);
    if (replay) throw new DeadConnection();
    if (why !== undefined) throw failure(why, messageOf(error)); // we ended it
    throw error instanceof NextHopError ? error : failure(reasonOf(error), messageOf(error));
  } finally {
    clearTimeout(timer);
  }
}

/** The connection ended before the first byte of an answer. */
class NoAnswer extends Error {}

/** Writes the request and reads up to the final response head. */
async function exchange(
  connection: Connection,
  head: Uint8Array,
  sending: Sending,
): Promise<ParsedResponse> {
  const { request } = sending;
  try {
    await connection.write(head);
  } catch (error) {
    throw new NoAnswer(messageOf(error));
  }
  sending.start(); // a final answer may come before the body is sent
  let bytes: Uint8Array = new Uint8Array(0);
  for (let interim = 0; interim <= maxInformational;) {
    const parsed = bytes.length === 0 ? "need_more" : parseResponseHead(bytes, request.method);
    if (parsed === "malformed") throw failure("malformed", "no HTTP/1.1 response head");
    if (parsed === "need_more") {
      const more = await connection.read().catch(() => undefined);
      if (more === undefined && bytes.length === 0 && interim === 0) {
        throw new NoAnswer("it closed");
      }
      if (more === undefined) throw failure("reset", "it closed within the response head");
      bytes = joined(bytes, more);
      continue;
    }
    bytes = bytes.subarray(parsed.headBytes);
    if (parsed.status >= 200) {
      connection.unread(bytes);
      return parsed;
    }
    if (parsed.status === 101) break;
    if (parsed.status > 100) request.onInformational?.(parsed.status, endToEnd(parsed.fields));
    interim++;
  }
  throw failure("malformed", "101, or too many 1xx answers");
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

const latin1 = (text: string) =>
  Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);

/** The head to send, with the authority of the URL as `Host`; hop-by-hop fields are ours. */
function requestHead({ method, target, fields, body }: NextHopRequest, url: URL): Uint8Array {
  const path = target.startsWith("/") ? url.pathname.replace(/\/$/, "") + target : target;
  const lines = [`${method} ${path} HTTP/1.1`, `host: ${url.host}`];
  for (const [name, value] of fields) {
    if (name === "host" || name === "transfer-encoding" || name === "connection") continue;
    if (isFieldName(name) && isFieldValue(value)) lines.push(`${name}: ${value}`);
  }
  if (isChunked({ fields, body })) lines.push("transfer-encoding: chunked");
  return latin1(`${lines.join("\r\n")}\r\n\r\n`);
}

function reasonOf(error: unknown): NextHopFailure {
  if (error instanceof NoAnswer) return "reset";
  if (error instanceof Deno.errors.TimedOut) return "timeout";
  if (error instanceof Deno.errors.ConnectionReset) return "reset";
  return "refused";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function failure(reason: NextHopFailure, detail: string): NextHopError {
  return new NextHopError(reason, `Cannot fetch from the next hop: ${reason} (${detail})`);
}
