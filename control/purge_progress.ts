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
    /** Of those, half within `p50`, all within `max`; absent before the first. */
    readonly tookMs?: { readonly p50: number; readonly p99: number; readonly max: number };
  };
}

/** A node that purges are counted for. */
export interface ProgressNode {
  readonly id: string;
  readonly role: NodeRole;
  readonly appliedSeq: number;
  /** Wall clock of its last sign of life, since the Unix epoch. */
  readonly lastSeenMs: number;
  /** Whether it has been silent for longer than it should. */
  readonly late: boolean;
}

/** A node that has not applied a purge yet. */
export interface WaitingNode extends ProgressNode {
  /** Numbers that it lacks until it has the purge. */
  readonly behindBy: number;
  /**
   * `away`: silent since `lastSeenMs`. `behind`: heard, and not there yet. `unplaced`: heard, but it
   * has no place in this log: it is new, follows another log, or is refused the log.
   */
  readonly why: "away" | "behind" | "unplaced";
}

/** Most nodes that are listed one by one, of a kind; all are counted. */
const mostListed = 1000;

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
  readonly #listeners = new Set<() => void>();

  /** @param most How many times are kept: purges and nodes of purges together. */
  constructor(most = 250_000) {
    this.#most = most;
  }

  /**
   * Notes a purge; `seq` is its last record's, `issuedMs` and `nowMs` are of a clock that never steps.
   *
   * @param ahead Nodes that have reported it already: they follow the log by a shorter way.
   */
  issued(seq: number, issuedMs: number, nowMs = issuedMs, ahead: readonly string[] = []): void {
    const tookMs = new Map(ahead.map((id) => [id, nowMs - issuedMs]));
    this.#issued.push({ seq, issuedMs, tookMs });
    this.#times += 1 + tookMs.size;
    this.#forgetOldest();
  }

  /** Calls `listener` after each report that may have moved a purge on; returns how to end that. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
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
    if (appliedSeq > beforeSeq) { for (const listener of [...this.#listeners]) listener(); }
    return times;
  }

  /** Where the purge that ends with `seq` stands among `nodes`. */
  of(seq: number, nodes: readonly ProgressNode[]): Progress {
    const tookMs = this.#issued.findLast((issued) => issued.seq === seq)?.tookMs;
    const waiting = nodes.filter((node) => node.appliedSeq < seq);
    const took = nodes.flatMap(({ id, role }) => {
      const ms = tookMs?.get(id);
      return ms === undefined ? [] : [{ id, role, ms: Math.round(ms * 10) / 10 }];
    });
    return {
      state: waiting.length === 0 ? "completed" : "in_progress",
      nodes: {
        total: nodes.length,
        applied: nodes.length - waiting.length,
        waiting: waiting.slice(0, mostListed).map((node) => waitingNode(node, seq)),
        took: took.slice(0, mostListed),
        ...took.length > 0 && { tookMs: quantiles(took.map(({ ms }) => ms)) },
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

function waitingNode(node: ProgressNode, seq: number): WaitingNode {
  const why = node.late ? "away" : node.appliedSeq === 0 ? "unplaced" : "behind";
  return { ...node, behindBy: seq - node.appliedSeq, why };
}

function quantiles(times: readonly number[]) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1];
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
