/**
 * Which next hops to try, in which order, after what they did lately. Pure: the caller brings the
 * clock.
 *
 * @module
 */

/** How long a hop is left alone after it failed, in milliseconds; doubled each time up to the cap. */
export interface HopHealthLimits {
  readonly firstDownMs: number;
  readonly longestDownMs: number;
}

interface Failure {
  /** Consecutive failures. */
  count: number;
  /** Until when only a single probe may go there. */
  downUntilMs: number;
}

/** Remembers failures of next hops, by name. */
export class HopHealth {
  readonly #failures = new Map<string, Failure>();
  readonly #limits: HopHealthLimits;

  constructor(limits: HopHealthLimits = { firstDownMs: 1_000, longestDownMs: 30_000 }) {
    this.#limits = limits;
  }

  /** Notes that a hop answered. */
  up(hop: string): void {
    this.#failures.delete(hop);
  }

  /** Notes that a hop gave no response head. */
  down(hop: string, nowMs: number): void {
    const { firstDownMs, longestDownMs } = this.#limits;
    const count = (this.#failures.get(hop)?.count ?? 0) + 1;
    const pauseMs = Math.min(firstDownMs * 2 ** (count - 1), longestDownMs);
    this.#failures.set(hop, { count, downUntilMs: nowMs + pauseMs });
  }

  /** Whether a hop is being left alone. */
  isDown(hop: string, nowMs: number): boolean {
    return nowMs < (this.#failures.get(hop)?.downUntilMs ?? 0);
  }

  /**
   * Orders hops: healthy ones first, in the given order, then those that are down. None is dropped:
   * when all are down, asking is better than failing unasked.
   */
  order<Hop extends { readonly id: string }>(hops: readonly Hop[], nowMs: number): Hop[] {
    const rest = hops.filter((hop) => this.isDown(hop.id, nowMs));
    return [...hops.filter((hop) => !this.isDown(hop.id, nowMs)), ...rest];
  }

  /** Forgets hops that no longer exist. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of this.#failures.keys()) if (!ids.has(id)) this.#failures.delete(id);
  }
}
