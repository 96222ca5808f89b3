/**
 * What control tells its operators: metrics and log lines for what happens.
 *
 * @module
 */

import type { Logger } from "#log";
import type { Metrics } from "#metrics";
import type { PurgeLog } from "#purge";
import { nodeRoles } from "#topology";
import type { Fleet, RegionView } from "./fleet.ts";
import type { Membership } from "./nodes.ts";
import type { ControlEvent } from "./parts.ts";
import type { Snapshots } from "./snapshots.ts";

/** What the gauges read when they are scraped. */
export interface Observed {
  readonly log: PurgeLog;
  readonly membership: Membership;
  readonly fleet: Fleet;
  readonly snapshots: Snapshots;
  readonly nowMs: () => number;
}

const secondsBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Makes the metrics; returns what is to be called for each event. */
export function observe(
  metrics: Metrics,
  log: Logger,
  observed: Observed,
): (event: ControlEvent) => void {
  gauges(metrics, observed);
  const purges = metrics.counter("control_purges_total", "Purge orders accepted.", [
    "kind",
    "mode",
  ]);
  const records = metrics.counter("control_purge_records_total", "Purge records appended.");
  const failures = metrics.counter(
    "control_purge_failures_total",
    "Purge orders that the log's storage refused.",
  );
  const took = metrics.histogram(
    "control_purge_propagation_seconds",
    "From the append of a purge to a node's report, by control's clock.",
    secondsBuckets,
  );
  const nodes = metrics.counter("control_node_events_total", "Registrations and goodbyes.", [
    "outcome",
  ]);
  const boxes = metrics.counter("control_fleet_reports_total", "Reports of set-top boxes.", [
    "outcome",
  ]);
  const healths = metrics.counter(
    "control_health_changes_total",
    "Nodes that became unavailable, by reason, or available again.",
    ["reason"],
  );
  const routes = metrics.counter(
    "control_routes_total",
    "Clients routed, by where they were sent.",
    [
      "outcome",
    ],
  );
  const streams = metrics.gauge("control_purge_streams", "Purge streams that are open.");
  const ends = metrics.counter("control_purge_stream_ends_total", "Purge streams that ended.", [
    "reason",
  ]);
  const misplaced = metrics.counter(
    "control_purge_stream_misplaced_total",
    "Followers whose place is not in the log.",
    ["log"],
  );
  const limited = metrics.counter(
    "control_ratelimit_refused_total",
    "Calls refused because their caller came too often, by limit.",
    ["limit"],
  );
  const turnedAway = metrics.counter(
    "control_turned_away_total",
    "Requests of callers who may not make them.",
    ["reason"],
  );
  const auditFailures = metrics.counter(
    "control_audit_failures_total",
    "Times that audit entries could not be written and were lost.",
  );
  return (event) => {
    switch (event.kind) {
      case "purged": {
        const { id, purge, soft, seq, issuer } = event;
        purges.inc({ kind: purge, mode: soft ? "soft" : "hard" });
        records.inc(event.records);
        return log.info("purge", { id, kind: purge, soft, seq, records: event.records, issuer });
      }
      case "purge_failed":
        failures.inc();
        return log.error("a purge could not be kept", { reason: event.reason });
      case "applied":
        return took.observe(event.tookMs / 1000);
      case "node":
        nodes.inc({ outcome: event.outcome });
        if (event.outcome === "renewed") return;
        return log.info("node", { id: event.id, outcome: event.outcome });
      case "health":
        healths.inc({ reason: event.reason });
        return log[event.reason === "available" ? "info" : "warn"]("node health", {
          id: event.id,
          reason: event.reason,
        });
      case "routed":
        return routes.inc({ outcome: event.outcome });
      case "box":
        return boxes.inc({ outcome: event.outcome });
      case "status":
        return log.info("node status", {
          id: event.id,
          status: event.status,
          reason: event.reason,
        });
      case "snapshot":
        return log.info("topology", { number: event.number });
      case "stream_opened":
        return streams.inc();
      case "stream_ended":
        streams.dec();
        return ends.inc({ reason: event.end });
      case "limited":
        log.debug("a caller comes too often", { limit: event.limit, caller: event.caller });
        return limited.inc({ limit: event.limit });
      case "turned_away":
        return turnedAway.inc({ reason: event.reason });
      case "audit_failed":
        auditFailures.inc();
        return log.error("audit entries could not be kept", { reason: event.reason });
      case "no_such_place":
        misplaced.inc({ log: event.skipped ? "behind" : "elsewhere" });
        return log.warn("a node's place is not in the purge log", { after: event.after });
    }
  };
}

function gauges(metrics: Metrics, observed: Observed): void {
  const { log, membership, snapshots, nowMs } = observed;
  metrics.gauge("control_purge_last_seq", "Newest number of the purge log.", [], (gauge) => {
    gauge.set(log.lastSeq);
  });
  metrics.gauge("control_purge_first_seq", "Oldest number kept.", [], (gauge) => {
    gauge.set(log.firstSeq);
  });
  metrics.gauge("control_purge_lag_records", "Records the slowest node is behind.", [], (gauge) => {
    gauge.set(Math.max(0, ...membership.list().map((m) => log.lastSeq - m.appliedSeq)));
  });
  metrics.gauge("control_snapshot_number", "Number of the topology snapshot.", [], (gauge) => {
    gauge.set(snapshots.current.number);
  });
  fleetGauges(metrics, observed);
  metrics.gauge(
    "control_nodes_unavailable",
    "Nodes that traffic should not go to, by reason.",
    ["role", "reason"],
    (gauge) => {
      gauge.reset();
      for (const { record: { id, role } } of membership.list()) {
        const reason = membership.view(id, nowMs())?.health.reason;
        if (reason !== undefined) gauge.inc({ role, reason });
      }
    },
  );
  metrics.gauge("control_nodes", "Nodes registered.", ["role", "state"], (gauge) => {
    for (const role of nodeRoles) {
      if (role === "stb") continue;
      const all = membership.list().filter(({ record }) => record.role === role);
      const late = all.filter((member) => membership.isLate(member, nowMs())).length;
      gauge.set({ role, state: "live" }, all.length - late);
      gauge.set({ role, state: "late" }, late);
    }
  });
}

/** Regions are what boxes say: only so many get a label. */
const labelledRegions = 64;

function fleetGauges(metrics: Metrics, { fleet, log, nowMs }: Observed): void {
  const regions = () => fleet.regions(log.lastSeq, nowMs()).slice(0, labelledRegions);
  const gauge = (name: string, help: string, read: (region: RegionView) => number) =>
    metrics.gauge(`control_fleet_${name}`, help, ["region"], (gauge) => {
      gauge.reset();
      for (const region of regions()) gauge.set({ region: region.id }, read(region));
    });
  gauge("boxes", "Set-top boxes, by region.", ({ boxes }) => boxes);
  gauge("late_boxes", "Set-top boxes that missed more than two reports.", ({ late }) => late);
  gauge("lossy_boxes", "Set-top boxes that lost more than 1 % lately.", ({ lossy }) => lossy);
  gauge("loss_ratio", "Share of multicast packets that never came.", ({ lossRatio }) => lossRatio);
}
