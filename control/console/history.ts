/**
 * Running totals of the last minutes, from which the console draws its small curves. Totals, not rates:
 * whoever misses a sample loses nothing. Pure: the caller brings the clock.
 *
 * @module
 */

/** Counts since something started, by name. */
export type Totals = Readonly<Record<string, number>>;

/** What one thing had counted at some times. */
export interface Series {
  /** Wall clock, in milliseconds since the Unix epoch. */
  readonly atMs: readonly number[];
  readonly totals: readonly Totals[];
}

/** How much is kept. */
export interface HistoryOptions {
  /** Time between samples, in milliseconds. */
  readonly stepMs: number;
  /** Samples of each thing. */
  readonly samples: number;
  /** Things that are followed; others have no history. */
  readonly most: number;
}

/** Five minutes, at every fifth second. */
export const historyOptions: HistoryOptions = { stepMs: 5000, samples: 60, most: 500 };

interface Kept {
  readonly atMs: number[];
  readonly totals: Totals[];
}

/** Totals of nodes and regions over the last minutes. */
export class History {
  readonly #options: HistoryOptions;
  readonly #kept = new Map<string, Kept>();

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /** Takes what everything has counted; what is not in it any more is forgotten. */
  sample(things: ReadonlyMap<string, Totals>, nowMs: number): void {
    for (const id of this.#kept.keys()) if (!things.has(id)) this.#kept.delete(id);
    for (const [id, totals] of things) {
      const kept = this.#kept.get(id) ?? { atMs: [], totals: [] };
      if (!this.#kept.has(id)) {
        if (this.#kept.size >= this.#options.most) continue;
        this.#kept.set(id, kept);
      }
      kept.atMs.push(nowMs);
      kept.totals.push(totals);
      if (kept.atMs.length > this.#options.samples) {
        kept.atMs.shift();
        kept.totals.shift();
      }
    }
  }

  /** Everything, for who has just come. */
  all(): { stepMs: number; series: Record<string, Series> } {
    return { stepMs: this.#options.stepMs, series: Object.fromEntries(this.#kept) };
  }
}
