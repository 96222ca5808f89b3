/**
 * The demo's origin as a Hono app: a live channel and some files, over plain HTTP.
 *
 * @module
 */

import { Hono } from "hono";
import { parseEntityTag, parseEntityTags, weakMatch } from "#http";
import { Catalogue, type OriginObject } from "./catalogue.ts";
import type { Clip } from "./clip.ts";
import { type PathCount, Tally } from "./tally.ts";

/** Bytes handed to the socket at a time, as views of the object. */
const chunkBytes = 256 * 1024;

/** What the origin has been asked, and the edition of its files. */
export class Origin {
  readonly #catalogue: Catalogue;
  readonly #nowMs: () => number;
  readonly #tally = new Tally();
  #edition = 1;

  constructor({ clip, nowMs }: { clip: Clip; nowMs: () => number }) {
    this.#catalogue = new Catalogue(clip);
    this.#nowMs = nowMs;
  }

  /** Raises the edition: the notice and the poster have other bytes from now on. */
  raiseEdition(): number {
    return ++this.#edition;
  }

  get edition(): number {
    return this.#edition;
  }

  /** How often each path was asked for. */
  stats(): { edition: number; paths: Record<string, PathCount> } {
    return { edition: this.#edition, paths: this.#tally.snapshot() };
  }

  /** The app that clients talk to. */
  app(): Hono {
    const app = new Hono();
    // Hono answers HEAD with the head of the GET route.
    app.get("*", (c) => {
      const { path, method } = c.req;
      const found = this.#catalogue.find(path, { nowMs: this.#nowMs(), edition: this.#edition });
      if (!found) {
        this.#tally.count(path, "missing");
        return c.text("not here\n", 404, { "cache-control": "no-store" });
      }
      const same = matches(c.req.header("if-none-match"), found.etag);
      this.#tally.count(path, method === "HEAD" ? "head" : same ? "notModified" : "full");
      return same
        ? new Response(null, { status: 304, headers: validators(found) })
        : new Response(streamOf(found.body), { headers: representation(found) });
    });
    app.all("*", (c) => c.text("read only\n", 405, { allow: "GET, HEAD" }));
    return app;
  }
}

/** `If-None-Match` (RFC 9110 §13.1.2): `*` matches anything there is. */
function matches(field: string | undefined, etag: string): boolean {
  const tags = field === undefined ? undefined : parseEntityTags(field);
  const own = parseEntityTag(etag);
  if (tags === undefined || own === undefined) return false;
  return tags === "*" || tags.some((tag) => weakMatch(tag, own));
}

function validators({ etag, cacheControl, surrogateKey }: OriginObject): Record<string, string> {
  return {
    "access-control-allow-origin": "*",
    // DASH players set their clock by it.
    "access-control-expose-headers": "date, etag",
    "cache-control": cacheControl,
    etag,
    "surrogate-key": surrogateKey,
  };
}

function representation(object: OriginObject): Record<string, string> {
  return {
    ...validators(object),
    "content-type": object.contentType,
    "content-length": String(object.body.length),
  };
}

function streamOf(body: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < body.length) controller.enqueue(body.subarray(at, at += chunkBytes));
      if (at >= body.length) controller.close();
    },
  });
}
