/**
 * A cache node's part in its pod: the store of ATS or Varnish, the upstream port, what is counted of
 * both, and the epoch of what they keep.
 *
 * @module
 */

import { type NextHop, type Purges, purgeSubject, type StoredResponse } from "#cache";
import { BadValue, formatHostPort, type HostPort } from "#config";
import type { Metrics } from "#metrics";
import {
  EagerRemoval,
  Handover,
  newEpoch,
  openUpstreamPort,
  PodStore,
  type PurgeFact,
  type StoreExchange,
  StoreLink,
} from "#pod";
import { keepEpoch, keptEpoch } from "./store_epoch.ts";

/** What a node has to say about its pod. */
export interface NodePodOptions {
  readonly role: string;
  readonly kind: "ats" | "varnish";
  readonly url: URL;
  readonly upstream: HostPort;
  readonly secretFile: string | undefined;
  readonly memoryBytes: number;
  /** Folder of the purge position; `undefined` for a node that follows no purges and keeps nothing. */
  readonly data: string | undefined;
  /** What was kept before is not known to be good: the place in the purge log is not there. */
  readonly discard: boolean;
  /** Hold back what an earlier process left, until `release`. */
  readonly holdBack: boolean;
  readonly nextHop: NextHop;
  readonly purges: Purges;
  readonly metrics: Metrics;
}

/** The open pod. */
export interface NodePod {
  readonly store: PodStore;
  /** Purges were applied. */
  applied(purges: readonly PurgeFact[]): void;
  /** Closes the upstream port. */
  close(timeoutMs: number): Promise<void>;
}

/**
 * Opens the node's part of its pod. ATS or Varnish need not run yet.
 *
 * @throws {BadValue} When the secret or the upstream port cannot be had.
 */
export function openNodePod(options: NodePodOptions): NodePod {
  const { kind, url, data, purges, nextHop, memoryBytes, holdBack } = options;
  const secret = readSecret(options.secretFile);
  const counts = podMetrics(options.role, options.metrics);
  const link = new StoreLink({ url, secret, onExchange: counts.exchange });
  counts.watch(link);
  const handover = new Handover(secret);
  const port = listenUpstream(handover, options.upstream);
  const isGone = (response: StoredResponse) => purges.verdict(purgeSubject(response)) === "gone";
  const free = (path: string, written: number) => store.free(path, written);
  const removal = new EagerRemoval({ kind, link, free, isGone });
  const keep = (epoch: string) => data !== undefined && keepEpoch(data, epoch);
  const kept = data === undefined ? "alone" : options.discard ? undefined : keptEpoch(data);
  const epoch = kept ?? newEpoch();
  if (kept === undefined) keep(epoch);
  const store: PodStore = new PodStore({
    link,
    handover,
    memoryBytes,
    epoch,
    onEpoch: keep,
    nextHop,
    isGone,
    appliedSeq: () => purges.appliedSeq,
    holdBack,
    onKept: (result, place) => {
      counts.kept(result);
      if (result === "kept" && place !== undefined) removal.note(place);
    },
  });
  return {
    store,
    applied: (facts) => removal.applied(facts),
    close: (timeoutMs) => port.drain(timeoutMs),
  };
}

function listenUpstream(handover: Handover, upstream: HostPort) {
  try {
    return openUpstreamPort(handover, upstream);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadValue(
      `Cannot use --store-upstream ${formatHostPort(upstream)}: need a free address of this ` +
        `machine: received ${reason}`,
    );
  }
}

function readSecret(file: string | undefined): string {
  if (file === undefined) {
    throw new BadValue(
      "Cannot use --store: need --store-secret with ats or varnish: received none",
    );
  }
  let secret: string;
  try {
    secret = Deno.readTextFileSync(file).trim();
  } catch (error) {
    throw new BadValue(
      `Cannot use --store-secret: need a readable file: received ${(error as Error).message}`,
    );
  }
  if (secret.length >= 16 && secret.length <= 256 && /^[\x21-\x7e]+$/.test(secret)) return secret;
  throw new BadValue(
    `Cannot use --store-secret: need 16 to 256 visible characters in ${file}: ` +
      `received ${secret.length}`,
  );
}

/** What is counted of a pod. */
function podMetrics(role: string, metrics: Metrics) {
  const exchanges = metrics.counter(
    `${role}_store_requests_total`,
    "Requests to ATS or Varnish by what they were for and what came of it.",
    ["kind", "result"],
  );
  const seconds = metrics.histogram(
    `${role}_store_head_seconds`,
    "Time until ATS or Varnish answered with a head.",
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1],
    ["kind"],
  );
  const kept = metrics.counter(
    `${role}_store_handed_over_total`,
    "Objects by what became of them on their way to ATS or Varnish.",
    ["result"],
  );
  return {
    exchange({ kind, result, ms }: StoreExchange) {
      exchanges.inc({ kind, result });
      if (result !== "resting") seconds.observe({ kind }, ms / 1000);
    },
    kept: (result: string) => kept.inc({ result }),
    watch(link: { readonly resting: boolean }) {
      const help = "Whether ATS or Varnish is left alone because it did not answer (1 = it is).";
      metrics.gauge(`${role}_store_resting`, help, [], (gauge) => gauge.set(Number(link.resting)));
    },
  };
}
