/**
 * The figures that a cache node reports to control: counts since its start, and how busy it is.
 *
 * @module
 */

import { cpuUsage } from "node:process";
import type { AnswerResult, CacheOutcome } from "#cache";
import type { Http1Event } from "#http1";
import type { NodeFigures } from "#topology";

const hits: ReadonlySet<AnswerResult> = new Set<AnswerResult>([
  "hit",
  "stale",
  "stale_if_error",
  "revalidated",
  "collapsed",
]);

/** Counts what a node does. */
export class FigureCount {
  readonly #startedMs: number;
  #connections = 0;
  #requests = 0;
  #errors = 0;
  #hits = 0;
  #misses = 0;
  #fetchedBytes = 0;
  readonly #bytesByRoad: Record<string, number> = {};
  #last: { readonly atMs: number; readonly cpuMs: number };

  /** @param steadyMs A clock that never steps, in milliseconds. */
  constructor(readonly steadyMs: () => number) {
    this.#startedMs = steadyMs();
    this.#last = { atMs: this.#startedMs, cpuMs: cpuMs() };
  }

  /** Notes what happened at the front. */
  front(event: Http1Event): void {
    if (event.kind === "accepted") this.#connections++;
    else if (event.kind === "closed") this.#connections--;
    else if (event.kind === "answered") {
      this.#requests++;
      if (event.status >= 500) this.#errors++;
    }
  }

  /** Notes what the cache did. */
  cache(outcome: CacheOutcome): void {
    if (outcome.kind === "answered") {
      if (hits.has(outcome.result)) this.#hits++;
      else this.#misses++;
    } else if (outcome.kind === "served") {
      this.#bytesByRoad[outcome.road] = (this.#bytesByRoad[outcome.road] ?? 0) + outcome.bytes;
    } else this.#fetchedBytes += outcome.bytes;
  }

  /** The figures now; `load` is of the time since they were last asked for. */
  read(): NodeFigures {
    const now = { atMs: this.steadyMs(), cpuMs: cpuMs() };
    const passedMs = Math.max(1, now.atMs - this.#last.atMs);
    const load = Math.max(0, (now.cpuMs - this.#last.cpuMs) / passedMs);
    this.#last = now;
    return {
      uptimeSeconds: Math.round((now.atMs - this.#startedMs) / 1000),
      load: Math.round(load * 1000) / 1000,
      connections: Math.max(0, this.#connections),
      requests: this.#requests,
      errors: this.#errors,
      hits: this.#hits,
      misses: this.#misses,
      fetchedBytes: this.#fetchedBytes,
      bytesByRoad: { ...this.#bytesByRoad },
    };
  }
}

/** Processor time of this process so far, in milliseconds. */
function cpuMs(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
}
