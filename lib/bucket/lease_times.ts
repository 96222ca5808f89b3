/**
 * The times of leasing. The error that they allow is in docs/buckets.md.
 *
 * @module
 */

/** How leases are timed. */
export interface LeaseTimes {
  /** How long granted tokens may be spent, from when they were asked for. */
  readonly lifeUs: number;
  /** How much of its demand a node asks for ahead. */
  readonly aheadUs: number;
  /** How often a node asks at most, for one bucket. */
  readonly tickUs: number;
  /** How long an answer may take before Redis counts as away. */
  readonly answerUs: number;
  /** How long all nodes go on with their parts once Redis is back, so that each can say what it spent. */
  readonly settleUs: number;
  /** After how much silence a node's part goes to the others. */
  readonly silenceUs: number;
}

/** The times in use. */
export const leaseTimes: LeaseTimes = {
  lifeUs: 500_000,
  aheadUs: 60_000,
  tickUs: 20_000,
  answerUs: 250_000,
  settleUs: 1_000_000,
  silenceUs: 10_000_000,
};
