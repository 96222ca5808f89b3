/**
 * Which edges failed lately, so that a dead one costs one object its time and not every object.
 * Pure: the caller brings the clock.
 *
 * @module
 */

/** How long an edge is left alone after it failed, in milliseconds; doubled each time. */
const firstRestMs = 1000;
const longestRestMs = 30_000;

/** Remembers failures by place. */
export class PlaceHealth {
  readonly #rest = new Map<string, { failures: number; untilMs: number }>();

  /** Notes that a place answered. */
  well(id: string): void {
    this.#rest.delete(id);
  }

  /** Notes that a place gave no answer, or one that speaks of its own trouble. */
  failed(id: string, nowMs: number): void {
    const failures = (this.#rest.get(id)?.failures ?? 0) + 1;
    const restMs = Math.min(firstRestMs * 2 ** (failures - 1), longestRestMs);
    this.#rest.set(id, { failures, untilMs: nowMs + restMs });
  }

  /** Whether a place is better left alone while there are others. */
  rests(id: string, nowMs: number): boolean {
    return nowMs < (this.#rest.get(id)?.untilMs ?? 0);
  }
}
