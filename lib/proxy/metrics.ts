/**
 * What a cache node counts.
 *
 * @module
 */

import type { CacheOutcome, DiskFaultReason, TieredStore, TierFill } from "#cache";
import type { Metrics, Tally } from "#metrics";

/** The counters of one node. */
export interface NodeMetrics {
  /** Feeds what the engine tells. */
  outcome(outcome: CacheOutcome): void;
  /** A next hop gave no response head. */
  hopFailure(hop: string, reason: string): void;
  /** The fence was not reached in time. */
  fenceMissed(): void;
  /** A request had come through this node before. */
  loop(): void;
  /** Something went wrong with the disk. */
  diskFault(reason: DiskFaultReason): void;
  /** Shows the fill of the store's tiers. */
  watch(tiers: Readonly<Record<string, TierFill>>): void;
  /** Shows whether the disk is left alone, and what is written to it. */
  watchDisk(store: Pick<TieredStore, "resting" | "disk">): void;
}

/** Makes the counters; their names begin with the role. */
export function nodeMetrics(role: string, metrics: Metrics): NodeMetrics {
  const requests = metrics.counter(
    `${role}_cache_requests_total`,
    "Requests by how they were answered.",
    ["result"],
  );
  const served = metrics.counter(
    `${role}_cache_served_bytes_total`,
    "Body bytes handed to clients, by where they came from.",
    ["road"],
  );
  const fetches = metrics.counter(
    `${role}_cache_fetches_total`,
    "Exchanges with the next hop by their end, and why nothing was stored.",
    ["result", "reason"],
  );
  const fetched = metrics.counter(
    `${role}_cache_fetched_bytes_total`,
    "Body bytes that came from the next hop.",
  );
  const failures = metrics.counter(
    `${role}_next_hop_failures_total`,
    "Attempts at a next hop that gave no response head.",
    ["hop", "reason"],
  );
  const fence = metrics.counter(
    `${role}_purge_fence_missed_total`,
    "Requests that went past the cache because this node had not applied their Purge-Seq in time.",
  );
  const loops = metrics.counter(`${role}_loops_total`, "Requests refused because they came back.");
  const faults = metrics.counter(
    `${role}_cache_disk_faults_total`,
    "What went wrong with the disk tier.",
    ["reason"],
  );
  const requestsBy = new Map<string, Tally>();
  const servedBy = new Map<string, Tally>();
  return {
    outcome(outcome) {
      if (outcome.kind === "answered") {
        const { result } = outcome;
        tallyOf(requestsBy, result, () => metrics.tally(requests, { result })).add(1);
      } else if (outcome.kind === "served") {
        const { road, bytes } = outcome;
        tallyOf(servedBy, road, () => metrics.tally(served, { road })).add(bytes);
      } else {
        fetches.inc({ result: outcome.result, reason: outcome.reason ?? "" });
        fetched.inc(outcome.bytes);
      }
    },
    hopFailure: (hop, reason) => failures.inc({ hop, reason }),
    fenceMissed: () => fence.inc(),
    loop: () => loops.inc(),
    diskFault: (reason) => faults.inc({ reason }),
    watch(tiers) {
      const gauge = (name: string, help: string, read: (tier: TierFill) => number) =>
        metrics.gauge(`${role}_cache_${name}`, help, ["tier"], (gauge) => {
          for (const [tier, fill] of Object.entries(tiers)) gauge.set({ tier }, read(fill));
        });
      gauge("used_bytes", "Bytes that stored responses take.", (fill) => fill.usedBytes);
      gauge("budget_bytes", "Bytes that they may take.", (fill) => fill.budgetBytes);
      gauge(
        "objects",
        "Stored responses; those in both tiers count in each.",
        (fill) => fill.count,
      );
    },
    watchDisk(store) {
      const help = "Whether the disk is left alone for a while because it failed (1 = it is).";
      metrics.gauge(`${role}_cache_disk_resting`, help, ["access"], (gauge) => {
        const { writes, reads } = store.resting;
        gauge.set({ access: "write" }, Number(writes));
        gauge.set({ access: "read" }, Number(reads));
      });
      metrics.counter(
        `${role}_cache_disk_written_bytes_total`,
        "Bytes of stored responses written to the disk.",
        [],
        () => store.disk.writtenBytes,
      );
    },
  };
}

function tallyOf(tallies: Map<string, Tally>, value: string, make: () => Tally): Tally {
  let tally = tallies.get(value);
  if (tally === undefined) tallies.set(value, tally = make());
  return tally;
}
