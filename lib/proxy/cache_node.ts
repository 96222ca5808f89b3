/**
 * A cache node: engine, store, next hops, front, and its life with control.
 *
 * @module
 */

import { version } from "#build";
import { CacheEngine, type CacheOutcome } from "#cache";
import { BadValue, formatHostPort, type ParameterTable, type Settings } from "#config";
import type { RequestHead } from "#http";
import { kafkaLog, readKafka } from "#kafka";
import {
  frontLimitsOf,
  frontMetrics,
  joinControl,
  listen,
  type NodeLink,
  type ProgramContext,
  readPem,
  readTls,
} from "#program";
import { PurgeIndex, purgeSeq } from "#purge";
import { serviceOf, type TopologySnapshot } from "#topology";
import { httpNextHop, type HttpNextHopOptions } from "#upstream";
import { cacheNodeApp, type Fence, fencedHit } from "./app.ts";
import { cachePolicyOf } from "./cache_policy.ts";
import {
  declaredHops,
  dressedFields,
  dropsQueries,
  type HopContext,
  withoutDroppedQuery,
} from "./delivery.ts";
import { FigureCount } from "./figures.ts";
import { dryRunRoute } from "./dry_run.ts";
import { nodeMetrics } from "./metrics.ts";
import { nextHopLimitsOf } from "./next_hop_limits.ts";
import { openNodeStore } from "./node_store.ts";
import type { cacheNodeParameters } from "./parameters.ts";
import { openLimits } from "./limits.ts";
import { peersOf } from "./peers.ts";
import { type Hop, type HopConnection, RoutedNextHop } from "./routed_next_hop.ts";
import { siblingsOf, throughOwner } from "./siblings.ts";
import { Sweeper } from "./sweeper.ts";

type CacheNodeTable = ReturnType<typeof cacheNodeParameters>;

/** Finds the hops of a request target. */
export type HopFinder = (target: string, context: HopContext) => readonly Hop[];

/** Makes the next hop that an `s3://` URL names. */
export type BucketConnector = (
  url: URL,
  connections: Omit<HttpNextHopOptions, "url">,
) => HopConnection;

/** Fields that only our own nodes see: they name what a purge by tag would hit. */
const internalFields = ["surrogate-key", "cache-tag"];

/** The longest time that a timer can wait: 24 days. */
const longestWaitMs = 2 ** 31 - 1;

/** Starts an edge or a shield. */
export async function startCacheNode(
  role: "edge" | "shield",
  context: ProgramContext<ParameterTable & CacheNodeTable>,
  hopsFor: HopFinder,
  connectBucket?: BucketConnector,
): Promise<void> {
  const settings = context.settings as Settings<CacheNodeTable>;
  const { log, metrics, onDrain, setReady } = context;
  const siblings = siblingsOf(settings.siblings);
  const name = settings.nodeId ?? `${role}-${(siblings?.own ?? settings.listen).port}`;
  const counts = nodeMetrics(role, metrics);
  const figures = new FigureCount(() => performance.now());
  const index = new PurgeIndex();
  const peers = peersOf(settings.peers);
  const tls = readTls(settings);
  const { upstreamCa } = settings;
  const caCerts = upstreamCa === undefined ? [] : [readPem("--upstream-ca", upstreamCa)];
  const { cacheGroup } = settings;
  let at: HopContext = { snapshot: undefined, unavailable: new Set(), node: name, cacheGroup };
  let services: TopologySnapshot["deliveryServices"] = [];
  let dropping = false;
  let link: NodeLink | undefined;

  const nextHop = new RoutedNextHop({
    hopsFor: (target) => {
      const hops = hopsFor(target, at);
      return siblings ? throughOwner(target, siblings, hops) : hops;
    },
    connect: ({ url: href }) => {
      const [url, connections] = [new URL(href), { ...nextHopLimitsOf(settings), caCerts }];
      const bucket = url.protocol === "s3:" ? connectBucket?.(url, connections) : undefined;
      return bucket ?? httpNextHop({ ...connections, url });
    },
    nowMs: Date.now,
    stamp: ({ appliedSeq }) => [["purge-seq", String(appliedSeq)], ["cdn-loop", name]],
    dress: ({ method, target }, response) => {
      const service = serviceOf(target, services);
      const fields = service && dressedFields(service, { method, ...response });
      return fields ? { ...response, fields } : response;
    },
    onFailure: (hop, reason) => counts.hopFailure(hop.id, reason),
    onDown: (hop, reason) => log.warn("next hop gave no answer", { hop: hop.url, reason }),
  });
  if (siblings !== undefined && settings.store.kind !== "builtin") {
    throw new BadValue(
      `Cannot use --siblings: need --store builtin with it: received ${settings.store.kind}`,
    );
  }
  const { store, tiers, tiered, pod, data } = await openNodeStore(settings, {
    fallback: `/var/lib/downlink/${role}`,
    onFault: ({ reason, detail }) => {
      counts.diskFault(reason);
      log.debug("disk fault", { reason, detail });
    },
    surroundings: { role, nextHop, purges: index, metrics },
  });
  onDrain((timeoutMs) => pod?.close(timeoutMs));
  onDrain(() => store.close());
  context.admin.route("/", dryRunRoute(store));
  const engine = new CacheEngine({
    name,
    store,
    purges: index,
    nextHop,
    nowMs: Date.now,
    policy: { ...cachePolicyOf(settings), hideFields: internalFields },
    onOutcome: (outcome: CacheOutcome) => {
      counts.outcome(outcome);
      figures.cache(outcome);
    },
  });
  counts.watch(tiers);
  if (tiered !== undefined) counts.watchDisk(tiered);

  const fence: Fence = {
    get appliedSeq() {
      return index.appliedSeq;
    },
    wait: (seq) => link?.applied(seq, settings.fenceWait) ?? Promise.resolve(false),
  };
  const limits = { node: name, peers, metrics, log, onDrain };
  const { gate, follow, refusals } = await openLimits(role, settings, limits);
  const behind = {
    engine,
    fence,
    name,
    rewrite: (target: string) => withoutDroppedQuery(target, services, dropping),
    onFenceMissed: counts.fenceMissed,
    onLoop: counts.loop,
  };
  const app = cacheNodeApp({ ...behind, gate, peers });
  /** The head with the target that it is taken for. */
  const taken = (head: RequestHead) =>
    dropping ? { ...head, target: behind.rewrite(head.target) } : head;
  if (siblings !== undefined) {
    // Before its share of the port: who is dealt to it may need what another sibling asks of it.
    const trusting = { ...behind, peers: { has: () => true } };
    const forSiblings = cacheNodeApp(trusting);
    const server = listen(siblings.own, {
      handler: (request, env) => forSiblings.fetch(request, env),
      fastLane: (head, remote) => fencedHit(trusting, taken(head), remote),
      onEvent: frontMetrics(`${role}_sibling`, metrics, log),
    });
    onDrain((timeoutMs) => server.drain(timeoutMs));
  }

  const count = frontMetrics(role, metrics, log);
  const server = listen(settings.listen, {
    tls,
    limits: frontLimitsOf(settings),
    shared: siblings !== undefined,
    handler: (request, env) => app.fetch(request, env),
    fastLane: (head, remote) =>
      gate.fast(head, remote, (asked) => {
        const head = taken(asked);
        return purgeSeq(head) === undefined
          ? engine.hit(head)
          : fencedHit({ ...behind, peers }, head, remote);
      }),
    onEvent: (event) => {
      count(event);
      figures.front(event);
    },
  });
  onDrain((timeoutMs) => server.drain(timeoutMs));
  const address = formatHostPort(server.address);
  const kafka = readKafka(settings, name);
  if (kafka !== undefined && settings.control === undefined) {
    const need = "need --control with it, as nodes report there";
    throw new BadValue(`Cannot use --purge-log: ${need}: received kafka=${kafka.brokers} alone`);
  }
  if (settings.control !== undefined) {
    const sweeper = new Sweeper(store, index);
    link = await joinControl({
      source: kafka && kafkaLog(kafka),
      silenceMs: settings.logSilence || undefined,
      control: settings.control,
      dir: data,
      node: {
        id: name,
        role,
        url: settings.publicUrl?.href ?? `${tls ? "https" : "http"}://${address}`,
        adminUrl: `http://${formatHostPort(settings.admin)}`,
        cacheGroup,
        version,
      },
      index,
      log,
      metrics,
      admin: context.admin,
      token: context.token,
      figures: () => ({ ...figures.read(), refusals: refusals() }),
      onApplied: (purges) => {
        sweeper.request();
        pod?.applied(purges);
      },
      onGap: async () => {
        engine.sweep();
        pod?.store.discard();
        await tiered?.sync(); // before the place in the log says otherwise
      },
      onSnapshot: (newer) => {
        at = { ...at, snapshot: newer };
        follow(newer);
        services = newer.deliveryServices;
        dropping = dropsQueries(services);
        nextHop.keep([...hopsFor("/", at), ...declaredHops(newer), ...siblings?.all ?? []]);
      },
      onUnavailable: (unavailable) => at = { ...at, unavailable },
    });
    onDrain(() => link?.leave());
    if (!await link.caughtUp(settings.catchUp)) {
      const kept = (tiered ?? pod) && "held back until then";
      log.warn("serving before the purge log was reached", { kept });
    }
    // What was purged while this node was off is known then, and not before.
    void link.caughtUp(longestWaitMs).then((reached) => {
      if (reached) (tiered ?? pod?.store)?.release();
    });
  }
  setReady(true);
  log.info("serving", { listen: address, name });
}
