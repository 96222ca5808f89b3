/**
 * What players and the page ask the set-top box for.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import { type CacheAnswer, requestHead, toResponse } from "#cache";
import type { Field, RequestHead } from "#http";
import type { ExchangeEnv } from "#http1";
import { findTsPlaylist, type GetObject } from "./live_playlist.ts";
import { liveStream, type LiveStreamOptions } from "./live_stream.ts";
import type { ServiceDirectory } from "./service_directory.ts";
import { type ReadFile, serveFile } from "#program";
import type { Status } from "./status.ts";

/** What the app is made of. */
export interface HomeAppOptions {
  readonly answer: (request: RequestHead, signal?: AbortSignal) => Promise<CacheAnswer>;
  readonly services: ServiceDirectory;
  readonly status: () => Status;
  readonly live: Omit<LiveStreamOptions, "get">;
  /** Reads the files of the page. */
  readonly page: ReadFile;
  /** Aborts when the program ends: endless answers end then. */
  readonly signal: AbortSignal;
  /** Time between two events, in milliseconds; 500 by default. */
  readonly eventMs?: number;
}

type Env = { Bindings: Partial<ExchangeEnv> };

/** Fields that scripts of other origins may read. */
const exposed = "Age, Cache-Status, Content-Length, Content-Range, Date, ETag";

/**
 * What came by satellite or from the internet stands on the origin of the page: opened in a browser it
 * is nobody's, runs nothing and loads nothing. Media elements and fetch() do not ask for this.
 */
const foreignPolicy = "sandbox; default-src 'none'";
/** The page's scripts are the box's own; it may talk to the services of the lab and show media. */
const pagePolicy = "default-src 'self'; connect-src *; img-src 'self' data: blob:; " +
  "media-src 'self' blob:; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; " +
  "object-src 'none'; base-uri 'none'; frame-ancestors 'self'";

/** Makes the app that answers on `--listen`. */
export function homeApp(options: HomeAppOptions): Hono<Env> {
  const { services, status, page } = options;
  const app = new Hono<Env>();
  app.use(crossOrigin);
  app.use(confined);
  app.get("/", (c) => c.redirect("/ui/", 302));
  app.get("/ui", (c) => c.redirect("/ui/", 302));
  app.get("/ui/*", (c) => serveFile(rawPath(c).slice("/ui/".length), page));
  app.get("/services", (c) => c.json(status().services, 200, { "cache-control": "no-store" }));
  app.get("/api/status", (c) => c.json(status(), 200, { "cache-control": "no-store" }));
  app.get("/api/events", () => events(options));
  app.get("/live/:file", async (c) => {
    const id = /^(.+)\.ts$/.exec(c.req.param("file"))?.[1];
    const service = id === undefined ? undefined : services.find(id);
    if (service === undefined) {
      const known = services.services.map(({ id }) => id).join(", ") || "none";
      return refuse(c, 404, `Cannot play ${c.req.path}: need one of ${known}: received ${id}`);
    }
    return await live(c, service.hls, options);
  });
  app.all("*", async (c) => {
    const { method } = c.req;
    if (method !== "GET" && method !== "HEAD") {
      c.header("allow", "GET, HEAD, OPTIONS");
      return refuse(c, 405, `Cannot answer: need GET or HEAD: received ${method}`);
    }
    return toResponse(await options.answer(requestHead(c), c.req.raw.signal));
  });
  app.onError((error, c) => refuse(c, 500, `Cannot answer: received a fault: ${error.message}`));
  return app;
}

/** The path as it was sent, without the query: nothing decoded, nothing resolved. */
function rawPath(c: Context<Env>): string {
  return (c.env?.head?.target ?? c.req.path).split("?", 1)[0];
}

/** Players in web pages of any origin may read everything: nothing here is anybody's own. */
async function crossOrigin(c: Context<Env>, next: () => Promise<void>): Promise<Response | void> {
  if (c.req.method === "OPTIONS") {
    return c.body(null, 204, {
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "GET, HEAD, OPTIONS",
      "access-control-allow-headers": "Range, If-None-Match, If-Modified-Since, If-Range",
      "access-control-max-age": "86400",
    });
  }
  await next();
  c.header("access-control-allow-origin", "*");
  c.header("access-control-expose-headers", exposed);
}

/** Nothing here runs as script of the page but the page, whatever type it claims or lacks. */
async function confined(c: Context<Env>, next: () => Promise<void>): Promise<void> {
  await next();
  c.header("x-content-type-options", "nosniff");
  c.header("content-security-policy", c.req.path.startsWith("/ui/") ? pagePolicy : foreignPolicy);
}

function refuse(c: Context<Env>, status: 404 | 405 | 500 | 504, error: string): Response {
  return c.json({ error }, status, { "cache-control": "no-store" });
}

async function live(
  c: Context<Env>,
  playlists: readonly string[],
  { answer, live, signal }: HomeAppOptions,
): Promise<Response> {
  const get: GetObject = (target, { signal, range }) => {
    const fields: Field[] = range === undefined ? [] : [["range", range]];
    return answer({ method: "GET", target, fields }, signal);
  };
  const start = await findTsPlaylist(playlists, get, c.req.raw.signal);
  if (start === "not_ts") {
    return refuse(c, 404, `Cannot play ${c.req.path}: need a playlist of MPEG-TS: received none`);
  }
  if (start === "unavailable") {
    return refuse(c, 504, `Cannot play ${c.req.path}: need its playlist: received none so far`);
  }
  const headers = { "content-type": "video/mp2t", "cache-control": "no-store" };
  if (c.req.method === "HEAD") return new Response(null, { headers });
  return new Response(until(signal, liveStream(start, { ...live, get })), { headers });
}

/** The status at once and then again and again (server-sent events). */
function events({ status, signal, eventMs = 500 }: HomeAppOptions): Response {
  const encoder = new TextEncoder();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let first = true;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (!first) await new Promise((resolve) => timer = setTimeout(resolve, eventMs));
      first = false;
      controller.enqueue(encoder.encode(`data: ${JSON.stringify(status())}\n\n`));
    },
    cancel: () => clearTimeout(timer),
  }, { highWaterMark: 0 });
  return new Response(until(signal, stream), {
    headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
  });
}

/** Ends an endless stream when the signal aborts. */
function until(
  signal: AbortSignal,
  stream: ReadableStream<Uint8Array>,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  // A read that waits then ends as if the stream were over.
  const end = () => void reader.cancel().catch(() => {});
  const over = () => signal.removeEventListener("abort", end);
  if (signal.aborted) end();
  else signal.addEventListener("abort", end, { once: true });
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (!done) return controller.enqueue(value);
      over();
      controller.close();
    },
    cancel(reason) {
      over();
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
