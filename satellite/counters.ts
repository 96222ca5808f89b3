/**
 * What the headend counts: for Prometheus, and as plain numbers for the status page.
 *
 * @module
 */

import type { Metrics } from "#metrics";
import type { FetchFailure } from "./origin.ts";
import type { Traffic } from "./planner.ts";

/** Why an object is not sent; the words are metric labels. */
export type GiveUpReason = FetchFailure | "late";

/** The counters of one headend. */
export class HeadendCounters {
  readonly packets = new Tally<Traffic>();
  readonly wireBytes = new Tally<Traffic>();
  readonly objectsSent = new Tally<Traffic>();
  readonly fetchFailures = new Tally<FetchFailure>();
  readonly givenUp = new Tally<GiveUpReason>();
  readonly documentsRejected = new Tally<string>();
  /** Objects dropped because a purge hit them. */
  readonly purged = new Tally<"gone" | "stale">();
  readonly sendFailures = new Tally<"send_failed">();

  constructor(metrics: Metrics) {
    const { counter } = metrics;
    this.packets.publish(counter("headend_packets_total", "Packets sent.", ["traffic"]), "traffic");
    this.wireBytes.publish(
      counter("headend_wire_bytes_total", "Bytes sent, with UDP and IPv4 headers.", ["traffic"]),
      "traffic",
    );
    this.objectsSent.publish(
      counter("headend_objects_sent_total", "Objects whose first pass was sent.", ["traffic"]),
      "traffic",
    );
    this.fetchFailures.publish(
      counter("headend_fetch_failures_total", "Fetches without an object.", ["reason"]),
      "reason",
    );
    this.givenUp.publish(
      counter("headend_objects_given_up_total", "Objects that were not sent.", ["reason"]),
      "reason",
    );
    this.documentsRejected.publish(
      counter(
        "headend_documents_rejected_total",
        "Playlists, manifests and service lists that cannot be read.",
        ["reason"],
      ),
      "reason",
    );
    this.purged.publish(
      counter("headend_purged_objects_total", "Objects that a purge hit while carried or queued.", [
        "verdict",
      ]),
      "verdict",
    );
    this.sendFailures.publish(
      counter("headend_send_failures_total", "Packets that the network refused.", ["reason"]),
      "reason",
    );
  }
}

/** The part of a Prometheus counter that a tally feeds. */
interface Published {
  inc(labels: Readonly<Record<string, string>>, by: number): void;
}

/** Counts by word. */
export class Tally<Word extends string> {
  readonly #counts = new Map<Word, number>();
  #forward: (word: Word, by: number) => void = () => {};

  /** Feeds a Prometheus counter too. */
  publish(counter: Published, label: string): void {
    this.#forward = (word, by) => counter.inc({ [label]: word }, by);
  }

  add(word: Word, by = 1): void {
    this.#counts.set(word, (this.#counts.get(word) ?? 0) + by);
    this.#forward(word, by);
  }

  /** The count of one word. */
  of(word: Word): number {
    return this.#counts.get(word) ?? 0;
  }

  /** All counts together. */
  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Counts by word, for JSON. */
  toJSON(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
