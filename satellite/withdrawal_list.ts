/**
 * The last purges, as a notice carries them: in order, without a hole, as many as fit. A box that
 * missed more gives up what is older. Pure.
 *
 * @module
 */

import type { Withdrawals } from "#notice";
import type { LogEntry } from "#purge";

const mostEntries = 1024;
/** A notice has to come round each second without taking much of the rate. */
const mostBytes = 48 * 1024;

/** Keeps the end of one purge log. */
export class WithdrawalList {
  #logId: string | undefined;
  #afterSeq: number;
  #entries: LogEntry[];
  #bytes = 0;

  /** @param kept What was kept of the list of an earlier run. */
  constructor(kept?: Withdrawals) {
    this.#logId = kept?.logId;
    this.#afterSeq = kept?.afterSeq ?? 0;
    this.#entries = [...(kept?.entries ?? [])];
    for (const entry of this.#entries) this.#bytes += sizeOf(entry);
  }

  /** The list; `undefined` before a log was heard. */
  get withdrawals(): Withdrawals | undefined {
    if (this.#logId === undefined) return undefined;
    return { logId: this.#logId, afterSeq: this.#afterSeq, entries: [...this.#entries] };
  }

  /**
   * Notes what was applied just now. When that does not follow what is listed, the list begins anew.
   *
   * @param appliedSeq The place in the log after these entries.
   */
  note(logId: string, entries: readonly LogEntry[], appliedSeq: number): void {
    const last = this.#entries.at(-1)?.seq ?? this.#afterSeq;
    const [first] = entries;
    const firstSeq = first === undefined
      ? appliedSeq + 1
      : first.kind === "skipped"
      ? first.fromSeq
      : first.seq;
    if (this.#logId !== logId || firstSeq !== last + 1) {
      this.#logId = logId;
      this.#afterSeq = firstSeq - 1;
      this.#entries = [];
      this.#bytes = 0;
    }
    for (const entry of entries) {
      this.#entries.push(entry);
      this.#bytes += sizeOf(entry);
    }
    this.#shorten();
  }

  #shorten(): void {
    let gone = 0;
    while (this.#entries.length - gone > mostEntries || this.#bytes > mostBytes) {
      this.#bytes -= sizeOf(this.#entries[gone]);
      this.#afterSeq = this.#entries[gone++].seq;
    }
    this.#entries.splice(0, gone);
  }
}

function sizeOf(entry: LogEntry): number {
  return JSON.stringify(entry).length + 1;
}
