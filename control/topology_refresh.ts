/**
 * Keeps the topology up to date with the members, at once as long as that is cheap: a flood of
 * registrations makes a few snapshots, not one each.
 *
 * @module
 */

import type { Membership } from "./nodes.ts";
import type { Snapshots } from "./snapshots.ts";

/** Work that may be owed before snapshots have to wait, in milliseconds of computing. */
const patienceMs = 50;

/** The share of time that making snapshots may take in the long run. */
const share = 0.1;

/** When storage that failed is tried again, in milliseconds. */
const retryMs = 1000;

/** What a {@link TopologyRefresh} works on. */
export interface RefreshOptions {
  readonly membership: Membership;
  readonly snapshots: Snapshots;
  readonly nowMs: () => number;
  /** A clock that never steps, in milliseconds. */
  readonly steadyMs: () => number;
  /** Called with the number of each new snapshot. */
  readonly onSnapshot: (number: number) => void;
  /** Called when a snapshot could not be kept; it is tried again. */
  readonly onFault?: (error: unknown) => void;
}

/** Makes a new snapshot after members came or went. */
export class TopologyRefresh {
  readonly #options: RefreshOptions;
  #owedMs = 0;
  #paidMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: RefreshOptions) {
    this.#options = options;
  }

  /** Members came or went: the topology follows now, or as soon as it may cost something again. */
  changed(): void {
    if (this.#timer !== undefined) return;
    const startMs = this.#options.steadyMs();
    this.#owedMs = Math.max(0, this.#owedMs - (startMs - this.#paidMs) * share);
    this.#paidMs = startMs;
    if (this.#owedMs <= patienceMs) return this.#refresh();
    this.#later((this.#owedMs - patienceMs / 2) / share);
  }

  #later(waitMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#refresh();
    }, waitMs);
  }

  /** Forgets what still waits. */
  close(): void {
    clearTimeout(this.#timer);
  }

  /** A member that came stays one when the disk is full: its snapshot comes later. */
  #refresh(): void {
    const { membership, snapshots, nowMs, steadyMs, onSnapshot, onFault } = this.#options;
    const startMs = steadyMs();
    try {
      if (snapshots.update(membership.inTopology(), nowMs())) onSnapshot(snapshots.current.number);
    } catch (error) {
      onFault?.(error);
      this.#later(retryMs);
    }
    this.#owedMs += steadyMs() - startMs;
  }
}
