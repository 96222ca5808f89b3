/**
 * What the HTTP front of a program counts.
 *
 * @module
 */

import type { Http1Event } from "#http1";
import type { Logger } from "#log";
import type { Metrics } from "#metrics";

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
        sent.inc(event.sentBytes);
        return responses.inc({ lane: event.lane, status: `${Math.floor(event.status / 100)}xx` });
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
