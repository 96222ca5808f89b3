/**
 * The purge log as the satellite brings it: the withdrawals of signed notices, for homes without a way
 * back. A follower reads it like control's own.
 *
 * @module
 */

import type { Withdrawals } from "#notice";
import {
  ConnectionFault,
  type LogEntry,
  type LogHead,
  type LogPlace,
  type LogSource,
  type OpenedLog,
} from "#purge";

/** A log source that is filled by notices. */
export class AirLog implements LogSource {
  #newest: Withdrawals | undefined;
  #heard = Promise.withResolvers<void>();

  /** Takes the withdrawals of a notice that counts. */
  hear(withdrawals: Withdrawals): void {
    this.#newest = withdrawals;
    this.#heard.resolve();
    this.#heard = Promise.withResolvers();
  }

  async open(place: LogPlace, onHeard: () => void): Promise<OpenedLog> {
    const first = await this.#reaching(place);
    onHeard();
    const head = headOf(first);
    const elsewhere = place.logId !== undefined && place.logId !== first.logId;
    if (elsewhere || place.afterSeq < first.afterSeq) return { kind: "no_such_place", head };
    const batches = this.#follow(first, place, onHeard);
    return { kind: "stream", head, batches, close: async () => void await batches.return() };
  }

  /** A notice that is not behind what was applied; the air may be silent for as long as it likes. */
  async #reaching({ afterSeq, logId, signal }: LogPlace): Promise<Withdrawals> {
    for (;;) {
      const newest = this.#newest;
      const behind = newest !== undefined && newest.logId === logId &&
        headOf(newest).lastSeq < afterSeq;
      if (newest !== undefined && !behind) return newest;
      await this.#next(signal);
    }
  }

  async *#follow(
    first: Withdrawals,
    { afterSeq, signal }: LogPlace,
    onHeard: () => void,
  ): AsyncGenerator<LogEntry[], void> {
    let seq = afterSeq;
    for (let newest = first;;) {
      if (newest.logId !== first.logId || newest.afterSeq > seq) {
        throw new ConnectionFault("ended", "the notice begins elsewhere");
      }
      const fresh = newest.entries.filter((entry) => entry.seq > seq);
      seq = Math.max(seq, headOf(newest).lastSeq);
      if (fresh.length > 0) yield fresh;
      while (this.#newest === newest) await this.#next(signal);
      newest = this.#newest as Withdrawals;
      onHeard();
    }
  }

  async #next(signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(new ConnectionFault("ended", "the box stops"));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    try {
      await Promise.race([this.#heard.promise, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }
}

function headOf({ logId, afterSeq, entries }: Withdrawals): LogHead {
  return { logId, firstSeq: afterSeq + 1, lastSeq: entries.at(-1)?.seq ?? afterSeq };
}
