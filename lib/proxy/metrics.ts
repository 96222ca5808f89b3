/**
 * What a cache node counts.
 *
 * @module
 */

import type { CacheOutcome, Store } from "#cache";
import type { Metrics } from "#metrics";

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
  /** Shows the fill of a store. */
  watch(store: Pick<Store, "usedBytes" | "budgetBytes" | "count">): void;
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
  return {
    outcome(outcome) {
      if (outcome.kind === "answered") requests.inc({ result: outcome.result });
      else if (outcome.kind === "served") served.inc({ road: outcome.road }, outcome.bytes);
      else {
        fetches.inc({ result: outcome.result, reason: outcome.reason ?? "" });
        fetched.inc(outcome.bytes);
      }
    },
    hopFailure: (hop, reason) => failures.inc({ hop, reason }),
    fenceMissed: () => fence.inc(),
    loop: () => loops.inc(),
    watch(store) {
      const gauge = (name: string, help: string, read: () => number) =>
        metrics.gauge(`${role}_cache_${name}`, help, [], (gauge) => gauge.set(read()));
      gauge("used_bytes", "Bytes that stored responses take.", () => store.usedBytes);
      gauge("budget_bytes", "Bytes that they may take.", () => store.budgetBytes);
      gauge("objects", "Stored responses.", () => store.count);
    },
  };
}
