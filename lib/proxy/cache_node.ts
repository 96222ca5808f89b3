/**
 * A cache node: engine, store, next hops, front, and its life with control.
 *
 * @module
 */

import { CacheEngine, type CacheOutcome, memoryStore } from "#cache";
import { formatHostPort, type ParameterTable, type Settings } from "#config";
import {
  frontMetrics,
  joinControl,
  listen,
  type NodeLink,
  type ProgramContext,
  version,
} from "#program";
import { PurgeIndex } from "#purge";
import type { TopologySnapshot } from "#topology";
import { httpNextHop } from "#upstream";
import { cacheNodeApp, type Fence, purgeSeq } from "./app.ts";
import { nodeMetrics } from "./metrics.ts";
import type { cacheNodeParameters } from "./parameters.ts";
import { peersOf } from "./peers.ts";
import { type Hop, RoutedNextHop } from "./routed_next_hop.ts";

type CacheNodeTable = ReturnType<typeof cacheNodeParameters>;

/** Finds the hops of a request target; the snapshot is `undefined` until control was heard once. */
export type HopFinder = (target: string, snapshot: TopologySnapshot | undefined) => readonly Hop[];

/** Fields that only our own nodes see: they name what a purge by tag would hit. */
const internalFields = ["surrogate-key", "cache-tag"];

/** Starts an edge or a shield. */
export async function startCacheNode(
  role: "edge" | "shield",
  context: ProgramContext<ParameterTable & CacheNodeTable>,
  hopsFor: HopFinder,
): Promise<void> {
  const settings = context.settings as Settings<CacheNodeTable>;
  const { log, metrics, onDrain, setReady } = context;
  const name = settings.nodeId ?? `${role}-${settings.listen.port}`;
  const counts = nodeMetrics(role, metrics);
  const index = new PurgeIndex();
  const peers = peersOf(settings.peers);
  let snapshot: TopologySnapshot | undefined;
  let link: NodeLink | undefined;

  const nextHop = new RoutedNextHop({
    hopsFor: (target) => hopsFor(target, snapshot),
    connect: ({ url }) => httpNextHop({ url: new URL(url) }),
    nowMs: Date.now,
    stamp: ({ appliedSeq }) => [["purge-seq", String(appliedSeq)], ["cdn-loop", name]],
    onFailure: (hop, reason) => {
      counts.hopFailure(hop.id, reason);
      log.warn("next hop gave no answer", { hop: hop.url, reason });
    },
  });
  const store = memoryStore({ budgetBytes: settings.memory });
  const engine = new CacheEngine({
    name,
    store,
    purges: index,
    nextHop,
    nowMs: Date.now,
    policy: { hideFields: internalFields, forwardFields: ["cdn-loop"] },
    onOutcome: (outcome: CacheOutcome) => counts.outcome(outcome),
  });
  counts.watch(store);

  const fence: Fence = {
    get appliedSeq() {
      return index.appliedSeq;
    },
    wait: (seq) => link?.applied(seq, settings.fenceWait) ?? Promise.resolve(false),
  };
  const app = cacheNodeApp({
    engine,
    fence,
    peers,
    name,
    onFenceMissed: counts.fenceMissed,
    onLoop: counts.loop,
  });

  const server = listen(settings.listen, {
    handler: (request, env) => app.fetch(request, env),
    // A node that sends a fence waits for it and sees internal fields: the other lane's work.
    fastLane: (head) => purgeSeq(head) === undefined ? engine.hit(head) : undefined,
    onEvent: frontMetrics(role, metrics, log),
  });
  onDrain((timeoutMs) => server.drain(timeoutMs));
  const address = formatHostPort(server.address);
  if (settings.control !== undefined) {
    link = await joinControl({
      control: settings.control,
      dir: settings.data,
      node: {
        id: name,
        role,
        url: settings.publicUrl?.href ?? `http://${address}`,
        adminUrl: `http://${formatHostPort(settings.admin)}`,
        cacheGroup: settings.cacheGroup,
        version,
      },
      index,
      log,
      metrics,
      admin: context.admin,
      token: context.token,
      onApplied: () => engine.sweep(),
      onGap: () => void engine.sweep(),
      onSnapshot: (newer) => {
        snapshot = newer;
        nextHop.keep(hopsFor("/", newer));
      },
    });
    onDrain(() => link?.leave());
    if (!await link.caughtUp(settings.catchUp)) {
      log.warn("serving before the purge log was reached");
    }
  }
  setReady(true);
  log.info("serving", { listen: address, name });
}
