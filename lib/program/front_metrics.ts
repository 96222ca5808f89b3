/**
 * What the HTTP front of a program counts.
 *
 * @module
 */

import type { Http1Event } from "#http1";
import type { Logger } from "#log";
import type { Metrics, Tally } from "#metrics";

/**
 * Makes the counters of a front and returns what feeds them.
 *
 * @param prefix The program, first word of each metric's name.
 */
export function frontMetrics(
  prefix: string,
  metrics: Metrics,
  log: Logger,
): (event: Http1Event) => void {
  const connections = metrics.counter(
    `${prefix}_http_connections_total`,
    "Connections taken (accepted) and turned away (refused, client_refused, accept_failed).",
    ["result"],
  );
  const open = metrics.gauge(`${prefix}_http_open_connections`, "Connections open now.");
  const responses = metrics.counter(
    `${prefix}_http_responses_total`,
    "Answers by lane and class of status.",
    ["lane", "status"],
  );
  const sent = metrics.counter(
    `${prefix}_http_sent_bytes_total`,
    "Bytes sent to clients, heads included.",
  );
  const rejected = metrics.counter(
    `${prefix}_http_rejected_total`,
    "Requests refused before any handler saw them, by reason.",
    ["reason"],
  );
  const closed = metrics.counter(`${prefix}_http_closed_total`, "Connections ended, by reason.", [
    "reason",
  ]);
  const broken = metrics.counter(
    `${prefix}_http_body_failed_total`,
    "Answers whose body did not arrive whole, by reason.",
    ["reason"],
  );
  const sentTally = metrics.tally(sent);
  const answered = new Map<number, Tally>();
  const answeredTally = (lane: "fast" | "handler", status: number): Tally => {
    const hundreds = Math.floor(status / 100);
    const series = lane === "fast" ? hundreds : 10 + hundreds;
    let tally = answered.get(series);
    if (tally === undefined) {
      tally = metrics.tally(responses, { lane, status: `${hundreds}xx` });
      answered.set(series, tally);
    }
    return tally;
  };
  return (event) => {
    switch (event.kind) {
      case "accepted":
        open.inc();
        return connections.inc({ result: "accepted" });
      case "refused":
        return connections.inc({ result: "refused" });
      case "client_refused":
        return connections.inc({ result: "client_refused" });
      case "accept_failed":
        log.warn("cannot accept connections", { reason: event.error });
        return connections.inc({ result: "accept_failed" });
      case "rejected":
        return rejected.inc({ reason: event.reason });
      case "answered":
        sentTally.add(event.sentBytes);
        return answeredTally(event.lane, event.status).add(1);
      case "handler_failed":
        return log.error("a request handler failed", { reason: event.error });
      case "body_failed":
        return broken.inc({ reason: event.reason });
      case "closed":
        open.dec();
        return closed.inc({ reason: event.reason });
    }
  };
}
