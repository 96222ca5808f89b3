/**
 * Counts what clients asked the origin for, by path, so that a check can tell how often each object
 * was fetched.
 *
 * @module
 */

/** Paths remembered; the live channel makes a few new ones a second, for ever. */
const rememberedPaths = 20_000;

/** How often one path was asked for. */
export interface PathCount {
  /** Answers that carried the bytes (200 to a GET). */
  full: number;
  /** 304. */
  notModified: number;
  /** Answers to HEAD. */
  head: number;
  /** 404. */
  missing: number;
}

/** Counts per path; forgets the path that was first seen the longest ago when there are too many. */
export class Tally {
  readonly #paths = new Map<string, PathCount>();

  count(path: string, outcome: keyof PathCount): void {
    let counts = this.#paths.get(path);
    if (!counts) {
      counts = { full: 0, notModified: 0, head: 0, missing: 0 };
      this.#paths.set(path, counts);
      if (this.#paths.size > rememberedPaths) {
        this.#paths.delete(this.#paths.keys().next().value as string);
      }
    }
    counts[outcome]++;
  }

  /** All paths, the oldest first. */
  snapshot(): Record<string, PathCount> {
    return Object.fromEntries([...this.#paths].map(([path, counts]) => [path, { ...counts }]));
  }
}
