/**
 * The health protocol: from what a node reports, and from its silence, whether traffic should go to
 * it. Pure: the caller brings the clock.
 *
 * The words are those of Apache Traffic Control: an operator's status, and `available` or not with the
 * reason. One bad figure takes a node out; it comes back when the figure has been well below the limit
 * for a while, so that a node at the limit does not flap.
 *
 * @module
 */

import type { NodeFigures } from "#topology";

/**
 * What an operator says of a node. `ONLINE`: available whatever it reports. `REPORTED`: as it
 * reports. `ADMIN_DOWN`: drained, and still watched. `OFFLINE`: out of the topology.
 */
export type AdminStatus = "ONLINE" | "REPORTED" | "ADMIN_DOWN" | "OFFLINE";

/** All of them. */
export const adminStatuses: readonly AdminStatus[] = [
  "ONLINE",
  "REPORTED",
  "ADMIN_DOWN",
  "OFFLINE",
];

/** Why a node is not available; the words are metric labels. */
export const healthReasons = [
  "missed_heartbeats",
  "error_ratio",
  "load",
  "admin_down",
  "offline",
] as const;

/** One of them. */
export type HealthReason = typeof healthReasons[number];

/** Limits of the health protocol. */
export interface HealthLimits {
  /** Silence after which heartbeats count as missed, in milliseconds. */
  readonly lateMs: number;
  /** Share of answers with 5xx, 0 to 1. */
  readonly errorRatio: number;
  /** Share of a processor. */
  readonly load: number;
  /** How long figures must be good again, in milliseconds. */
  readonly recoverMs: number;
}

/** Figures over the last seconds; ratios are `undefined` without requests. */
export interface Rates {
  readonly requestsPerSecond: number;
  readonly bytesPerSecond: number;
  readonly errorRatio: number | undefined;
  readonly hitRatio: number | undefined;
}

/** Whether traffic should go to a node. */
export interface Health {
  readonly available: boolean;
  readonly reason?: HealthReason;
}

interface Sample {
  readonly atMs: number;
  readonly figures: NodeFigures;
}

/** Rates are averages over this time, in milliseconds. */
const windowMs = 10_000;
/** Samples that come closer replace the last one. */
const sampleGapMs = 500;
/** One busy second is none. */
const minSamples = 4;
/** A ratio of fewer requests says nothing. */
const minRequests = 20;
/** Share of its limit below which a figure is good again. */
const goodShare = 0.8;

/** Watches one node. */
export class NodeHealth {
  readonly #limits: HealthLimits;
  #samples: Sample[] = [];
  #lastSeenMs: number;
  #bad: "error_ratio" | "load" | undefined;
  #goodSinceMs: number | undefined;

  constructor(limits: HealthLimits, nowMs: number) {
    this.#limits = limits;
    this.#lastSeenMs = nowMs;
  }

  /** The figures of the last report that had some. */
  get figures(): NodeFigures | undefined {
    return this.#samples.at(-1)?.figures;
  }

  /** Notes a sign of life, and what it said. Returns whether that may have changed its health. */
  heard(figures: NodeFigures | undefined, nowMs: number): boolean {
    const wasLate = nowMs - this.#lastSeenMs > this.#limits.lateMs;
    const before = this.#bad;
    this.#lastSeenMs = nowMs;
    if (figures !== undefined) this.#figured(figures, nowMs);
    return wasLate || before !== this.#bad;
  }

  #figured(figures: NodeFigures, nowMs: number): void {
    this.#sample({ atMs: nowMs, figures });
    this.#judge(nowMs);
  }

  /** The wall clock stepped so far. */
  shift(stepMs: number): void {
    this.#lastSeenMs += stepMs;
    this.#samples = this.#samples.map(({ atMs, figures }) => ({ atMs: atMs + stepMs, figures }));
    if (this.#goodSinceMs !== undefined) this.#goodSinceMs += stepMs;
  }

  /** Whether traffic should go there. */
  health(status: AdminStatus, nowMs: number): Health {
    if (status === "OFFLINE") return { available: false, reason: "offline" };
    if (status === "ADMIN_DOWN") return { available: false, reason: "admin_down" };
    if (status === "ONLINE") return { available: true };
    if (nowMs - this.#lastSeenMs > this.#limits.lateMs) {
      return { available: false, reason: "missed_heartbeats" };
    }
    return this.#bad === undefined ? { available: true } : { available: false, reason: this.#bad };
  }

  /** What the node did in the last seconds; `undefined` before reports that lie apart. */
  rates(): Rates | undefined {
    const [first, last] = [this.#samples.at(0), this.#samples.at(-1)];
    if (first === undefined || last === undefined) return undefined;
    if (last.atMs - first.atMs < sampleGapMs) return undefined;
    const seconds = (last.atMs - first.atMs) / 1000;
    const grown = (read: (figures: NodeFigures) => number) =>
      read(last.figures) - read(first.figures);
    const requests = grown(({ requests }) => requests);
    const looked = grown(({ hits, misses }) => hits + misses);
    const errors = grown(({ errors }) => errors);
    return {
      requestsPerSecond: requests / seconds,
      bytesPerSecond: grown(({ bytesByRoad }) => sum(bytesByRoad)) / seconds,
      errorRatio: requests < minRequests ? undefined : errors / requests,
      hitRatio: looked === 0 ? undefined : grown(({ hits }) => hits) / looked,
    };
  }

  #sample(sample: Sample): void {
    const { atMs, figures } = sample;
    const last = this.#samples.at(-1);
    // It restarted, or our clock stepped back.
    const anew = last !== undefined && (isFresh(figures, last.figures) || atMs < last.atMs);
    if (anew) this.#samples = [];
    const previous = this.#samples.at(-2);
    if (previous !== undefined && atMs - previous.atMs < sampleGapMs) this.#samples.pop();
    this.#samples.push(sample);
    // One sample from before the window stays: the window has to begin somewhere.
    while (this.#samples.length > 2 && this.#samples[1].atMs <= atMs - windowMs) {
      this.#samples.shift();
    }
  }

  #judge(nowMs: number): void {
    const { recoverMs } = this.#limits;
    const over = this.#over(1);
    if (over !== undefined) {
      this.#bad = over;
      this.#goodSinceMs = undefined;
      return;
    }
    if (this.#bad === undefined) return;
    if (this.#over(goodShare) !== undefined) {
      this.#goodSinceMs = undefined;
      return;
    }
    this.#goodSinceMs ??= nowMs;
    if (nowMs - this.#goodSinceMs >= recoverMs) this.#bad = undefined;
  }

  /** Which figure is above its limit times `share`. */
  #over(share: number): "error_ratio" | "load" | undefined {
    const { errorRatio, load } = this.#limits;
    if ((this.rates()?.errorRatio ?? 0) > errorRatio * share) return "error_ratio";
    return this.#load() > load * share ? "load" : undefined;
  }

  /** The average over the window; 0 before that says something. */
  #load(): number {
    const count = this.#samples.length;
    if (count < minSamples) return 0;
    return this.#samples.reduce((sum, { figures: { load } }) => sum + load, 0) / count;
  }
}

/**
 * Judges the nodes of a tier together. Errors of most of them at once are not theirs but of what they
 * all fetch from, and load of most of them has nowhere to go: taking them all out would help nobody.
 */
export function judgeTier(
  nodes: Iterable<
    { readonly id: string; readonly status: AdminStatus; readonly watch: NodeHealth }
  >,
  nowMs: number,
): Map<string, Health> {
  const healths = new Map<string, Health>();
  for (const { id, status, watch } of nodes) healths.set(id, watch.health(status, nowMs));
  const failing = [...healths].filter(([, { reason }]) => {
    return reason === "error_ratio" || reason === "load";
  });
  if (failing.length * 2 <= healths.size) return healths;
  for (const [id] of failing) healths.set(id, { available: true });
  return healths;
}

/** Whether counts began anew between two reports. */
function isFresh(now: NodeFigures, before: NodeFigures): boolean {
  return now.uptimeSeconds < before.uptimeSeconds || now.requests < before.requests;
}

function sum(bytes: Readonly<Record<string, number>>): number {
  return Object.values(bytes).reduce((total, count) => total + count, 0);
}
