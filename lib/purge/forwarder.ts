/**
 * The purge API on a node's admin port: everything goes to control, nothing is decided here.
 *
 * @module
 */

import { Hono } from "hono";
import { readAtMost } from "#http";
import { maxOrderBytes } from "./order.ts";

/** Where control is. */
export interface ForwarderOptions {
  readonly controlUrl: string | URL;
  /**
   * Sent for a caller who brings no `Authorization` of its own. Whoever may use the admin port may
   * then purge.
   */
  readonly token?: string;
  /** Name of this node, which control keeps as the issuer. */
  readonly node?: string;
  /** Longest wait for the head of control's answer, in milliseconds; 10 000 by default. */
  readonly timeoutMs?: number;
}

/** Makes the routes `POST /purges` and `GET /purges...` that pass a call on to control. */
export function purgeForwarder(options: ForwarderOptions): Hono {
  const app = new Hono();
  app.post("/purges", async (c) => {
    const body = await readAtMost(c.req.raw.body, maxOrderBytes);
    if (body === undefined) {
      return c.json({ error: `Cannot purge: need at most ${maxOrderBytes} bytes` }, 413);
    }
    return await forward(c.req.raw, options, body);
  });
  app.get("/purges", (c) => forward(c.req.raw, options));
  app.get("/purges/*", (c) => forward(c.req.raw, options));
  return app;
}

async function forward(
  request: Request,
  options: ForwarderOptions,
  body?: Uint8Array<ArrayBuffer>,
): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const url = `${String(options.controlUrl).replace(/\/+$/, "")}${pathname}${search}`;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), options.timeoutMs ?? 10_000);
  try {
    const headers = headersFor(request, options);
    const ask = () =>
      fetch(url, {
        method: request.method,
        headers,
        body,
        redirect: "error",
        signal: late.signal,
      });
    // A kept connection may be to a control that has gone. The same key makes it the same purge.
    const response = await ask().catch((error) => late.signal.aborted ? raise(error) : ask());
    return new Response(response.body, { status: response.status, headers: fromControl(response) });
  } catch (error) {
    const reason = late.signal.aborted ? "no answer in time" : (error as Error).message;
    const sentence = `Cannot forward to control: need its answer: received ${reason}`;
    return Response.json({ error: sentence }, { status: 503, headers: { "retry-after": "1" } });
  } finally {
    clearTimeout(timer);
  }
}

function raise(error: unknown): never {
  throw error;
}

function headersFor(request: Request, { token, node }: ForwarderOptions): Headers {
  const headers = new Headers({ "content-type": "application/json" });
  const own = request.headers.get("authorization");
  if (own !== null) headers.set("authorization", own);
  else if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  if (node !== undefined) headers.set("purge-issuer", node);
  const key = request.headers.get("idempotency-key");
  if (key !== null) headers.set("idempotency-key", key);
  else if (request.method === "POST") headers.set("idempotency-key", crypto.randomUUID());
  return headers;
}

function fromControl(response: Response): Headers {
  const headers = new Headers({ "cache-control": "no-store" });
  for (const name of ["content-type", "retry-after", "www-authenticate", "location"]) {
    const value = response.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return headers;
}
