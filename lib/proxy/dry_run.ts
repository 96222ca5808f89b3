/**
 * `POST /purges/dry-run` on a cache's admin port: what a purge would hit here.
 *
 * @module
 */

import { Hono } from "hono";
import { purgeSubject, type Store } from "#cache";
import { readAtMost } from "#http";
import { type CountedEntry, countHits, maxOrderBytes, readOrder } from "#purge";

/** How long a count may take, in milliseconds. */
const countMs = 2000;

/** Makes the route; it changes nothing. */
export function dryRunRoute(store: Store): Hono {
  const app = new Hono();
  app.post("/purges/dry-run", async (c) => {
    const body = await readAtMost(c.req.raw.body, maxOrderBytes);
    const reading = readOrder(parse(body));
    if (reading.kind === "refused") return c.json({ error: reading.sentence }, 400);
    return c.json(await countHits(stored(store), reading.order, countMs));
  });
  return app;
}

function* stored(store: Store): Generator<CountedEntry> {
  for (const { response, bodyBytes } of store.entries()) {
    yield { ...purgeSubject(response), bodyBytes };
  }
}

function parse(body: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
