/**
 * How far a purge has come: which nodes have applied it, which have not, and how long each took. All
 * times are control's own: from the append to the report of the node.
 *
 * @module
 */

import type { NodeRole } from "#topology";

/** Where one purge stands. Times are in milliseconds. */
export interface Progress {
  readonly state: "in_progress" | "completed";
  readonly nodes: {
    readonly total: number;
    readonly applied: number;
    readonly waiting: readonly WaitingNode[];
    /** Nodes that reported it while this control ran, and when: to a tenth of a millisecond. */
    readonly took: readonly { readonly id: string; readonly role: NodeRole; readonly ms: number }[];
  };
}

/** A node that has not applied a purge yet. */
export interface WaitingNode {
  readonly id: string;
  readonly role: NodeRole;
  readonly appliedSeq: number;
  /** Wall clock of its last sign of life, since the Unix epoch. */
  readonly lastSeenMs: number;
  /** Whether it has been silent for longer than it should. */
  readonly late: boolean;
}

/** What is asked of a member. */
export interface ProgressNode extends WaitingNode {
  readonly id: string;
}

interface Issued {
  readonly seq: number;
  readonly issuedMs: number;
  readonly tookMs: Map<string, number>;
}

/** Keeps how long each node took for the newest purges. */
export class PurgeProgress {
  readonly #most: number;
  /** In order of `seq`. */
  #issued: Issued[] = [];
  #times = 0;

  /** @param most How many times are kept: purges and nodes of purges together. */
  constructor(most = 250_000) {
    this.#most = most;
  }

  /** Notes a purge; `seq` is its last record's, `nowMs` of a clock that never steps. */
  issued(seq: number, nowMs: number): void {
    this.#issued.push({ seq, issuedMs: nowMs, tookMs: new Map() });
    this.#times++;
    this.#forgetOldest();
  }

  /**
   * Notes that a node has come from `beforeSeq` to `appliedSeq`.
   *
   * @returns How long it took for each purge that this reached, in milliseconds.
   */
  reported(id: string, beforeSeq: number, appliedSeq: number, nowMs: number): readonly number[] {
    const times: number[] = [];
    for (let i = this.#issued.length - 1; i >= 0; i--) {
      const { seq, issuedMs, tookMs } = this.#issued[i];
      if (seq <= beforeSeq) break;
      if (seq > appliedSeq || tookMs.has(id)) continue;
      tookMs.set(id, nowMs - issuedMs);
      times.push(nowMs - issuedMs);
    }
    this.#times += times.length;
    this.#forgetOldest();
    return times;
  }

  /** Where the purge that ends with `seq` stands among `nodes`. */
  of(seq: number, nodes: readonly ProgressNode[]): Progress {
    const tookMs = this.#issued.findLast((issued) => issued.seq === seq)?.tookMs;
    const waiting = nodes.filter((node) => node.appliedSeq < seq);
    return {
      state: waiting.length === 0 ? "completed" : "in_progress",
      nodes: {
        total: nodes.length,
        applied: nodes.length - waiting.length,
        waiting,
        took: nodes.flatMap(({ id, role }) => {
          const ms = tookMs?.get(id);
          return ms === undefined ? [] : [{ id, role, ms: Math.round(ms * 10) / 10 }];
        }),
      },
    };
  }

  /** Forgets an eighth at a time, so that the cost spreads over many purges. */
  #forgetOldest(): void {
    if (this.#times <= this.#most) return;
    let count = 0;
    while (count < this.#issued.length && this.#times > this.#most * 7 / 8) {
      this.#times -= 1 + this.#issued[count++].tookMs.size;
    }
    this.#issued = this.#issued.slice(count);
  }
}
