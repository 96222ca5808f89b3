/**
 * Edge, shield and origin on real sockets in one process, for tests: the nodes with the policy that their
 * flags make, each with a purge log that the test drives.
 *
 * @module
 */

import { CacheEngine, type CachePolicy, memoryStore } from "#cache";
import { type Handler, type Http1Server, serve } from "#http1";
import { PurgeIndex } from "#purge";
import { httpNextHop, type HttpNextHopOptions } from "#upstream";
import { cacheNodeApp } from "./app.ts";
import { cachePolicyOf, cachePolicyParameters } from "./cache_policy.ts";
import { peersOf } from "./peers.ts";
import { RoutedNextHop } from "./routed_next_hop.ts";

/** A running node. */
export interface TierNode {
  readonly url: string;
  readonly index: PurgeIndex;
  /** Body bytes that came from its next hop. */
  readonly fetchedBytes: number;
  close(): Promise<void>;
}

/** How a node is made. */
export interface TierOptions {
  readonly name: string;
  readonly upstream: string;
  /** Flags of the cache, by their names in the parameter table. */
  readonly flags?: Readonly<
    Partial<Record<keyof ReturnType<typeof cachePolicyParameters>, string>>
  >;
  readonly times?: Omit<HttpNextHopOptions, "url">;
}

/** Starts a cache node on a free port. */
export function startTier({ name, upstream, flags = {}, times }: TierOptions): TierNode {
  const index = new PurgeIndex();
  const nextHop = new RoutedNextHop({
    hopsFor: () => [{ id: upstream, url: upstream }],
    connect: ({ url }) => httpNextHop({ ...times, url: new URL(url) }),
    nowMs: Date.now,
    stamp: ({ appliedSeq }) => [["purge-seq", String(appliedSeq)], ["cdn-loop", name]],
  });
  let fetchedBytes = 0;
  const engine = new CacheEngine({
    name,
    store: memoryStore({ budgetBytes: 2 ** 27 }),
    purges: index,
    nextHop,
    nowMs: Date.now,
    policy: { ...policyOf(flags), hideFields: ["surrogate-key", "cache-tag"] },
    onOutcome: (outcome) => {
      if (outcome.kind === "fetched") fetchedBytes += outcome.bytes;
    },
  });
  const fence = {
    get appliedSeq() {
      return index.appliedSeq;
    },
    wait: () => Promise.resolve(false),
  };
  const app = cacheNodeApp({ engine, fence, peers: peersOf(["127.0.0.0/8"]), name });
  const server = listenOn(
    (request, env) => app.fetch(request, env),
    (head) => head.fields.some(([field]) => field === "purge-seq") ? undefined : engine.hit(head),
  );
  return {
    url: urlOf(server),
    index,
    get fetchedBytes() {
      return fetchedBytes;
    },
    close: async () => {
      nextHop.keep([]);
      await server.drain(0);
    },
  };
}

/** Starts an origin on a free port. */
export function startOrigin(handler: Handler): { url: string; close: () => Promise<void> } {
  const server = listenOn(handler);
  return { url: urlOf(server), close: () => server.drain(0) };
}

function listenOn(handler: Handler, fastLane?: Parameters<typeof serve>[0]["fastLane"]) {
  return serve({ hostname: "127.0.0.1", port: 0, handler, fastLane });
}

function urlOf({ address: { hostname, port } }: Http1Server): string {
  return `http://${hostname}:${port}`;
}

function policyOf(flags: NonNullable<TierOptions["flags"]>): Partial<CachePolicy> {
  const table = cachePolicyParameters();
  const settings = Object.entries(table).map(([name, parameter]) => {
    const text = flags[name as keyof typeof flags] ?? parameter.default;
    return [name, text === undefined ? undefined : parameter.read(text)];
  });
  return cachePolicyOf(Object.fromEntries(settings));
}
