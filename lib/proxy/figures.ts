/**
 * The figures that a cache node reports to control: counts since its start, and how busy it is.
 *
 * @module
 */

import type { AnswerResult, CacheOutcome } from "#cache";
import type { Http1Event } from "#http1";
import { ProcessLoad } from "#program";
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
  readonly #process: ProcessLoad;
  #connections = 0;
  #requests = 0;
  #errors = 0;
  #hits = 0;
  #misses = 0;
  #fetchedBytes = 0;
  readonly #bytesByRoad: Record<string, number> = {};

  /** @param steadyMs A clock that never steps, in milliseconds. */
  constructor(steadyMs: () => number) {
    this.#process = new ProcessLoad(steadyMs);
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

  /** The figures now. */
  read(): NodeFigures {
    return {
      ...this.#process.read(),
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
