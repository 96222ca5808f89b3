/**
 * What a set-top box counts for `/metrics`.
 *
 * @module
 */

import type { CacheOutcome, DiskFault } from "#cache";
import type { ReceiveOutcome } from "#flute";
import type { Metrics } from "#metrics";
import type { NoticeOutcome } from "#notice";
import type { AnnouncementOutcome } from "./nip_announcement.ts";
import type { ArrivalOutcome } from "./arrival.ts";
import type { RepairReport } from "./repairer.ts";
import type { Road } from "./road.ts";
import type { SessionOrigin, SessionRejection } from "./session_keeper.ts";
import type { Status } from "./status.ts";

/** The counters; each word is a label. */
export interface HomeMetrics {
  datagram(outcome: ReceiveOutcome | "internal_error"): void;
  object(outcome: ArrivalOutcome | "refused"): void;
  came(road: Road, bytes: number): void;
  gave(road: Road, bytes: number): void;
  repair(report: RepairReport): void;
  edgeFailure(place: string, reason: string): void;
  cache(outcome: CacheOutcome): void;
  session(origin: SessionOrigin, outcome: "applied" | "unapproved" | SessionRejection): void;
  notice(outcome: NoticeOutcome | "not_kept"): void;
  announcement(outcome: AnnouncementOutcome): void;
  liveSkipped(): void;
  diskFault(fault: DiskFault): void;
  /** Shows what is known by its state. */
  watch(status: () => Status): void;
}

/** Makes the counters. */
export function homeMetrics(metrics: Metrics): HomeMetrics {
  const counter = <Label extends string = never>(
    name: string,
    help: string,
    labels: readonly Label[] = [],
  ) => metrics.counter(`stb_${name}`, help, labels);
  const datagrams = counter("datagrams_total", "Datagrams by what they were good for.", [
    "outcome",
  ]);
  const objects = counter("objects_total", "Objects by what became of them.", ["outcome"]);
  const came = counter("received_bytes_total", "Object bytes by the road they came.", ["road"]);
  const gave = counter("served_bytes_total", "Body bytes given to players, by road.", ["road"]);
  const repairs = counter("repair_requests_total", "Repair requests by edge and outcome.", [
    "edge",
    "outcome",
  ]);
  const repairBytes = counter("repair_fetched_bytes_total", "Body bytes of repair answers.");
  const failures = counter("edge_failures_total", "Edges that gave no usable answer.", [
    "edge",
    "reason",
  ]);
  const requests = counter("cache_requests_total", "Requests by how they were answered.", [
    "result",
  ]);
  const notices = counter("notices_total", "Signed notices by what became of them.", ["outcome"]);
  const announcements = counter(
    "announcement_documents_total",
    "Documents of the DVB-NIP announcement session by what became of them.",
    ["outcome"],
  );
  const sessions = counter("session_documents_total", "Configurations by origin and outcome.", [
    "origin",
    "outcome",
  ]);
  const skipped = counter("live_skipped_segments_total", "Segments that live streams gave up.");
  const faults = counter("disk_faults_total", "What went wrong with the disk.", ["reason"]);
  return {
    datagram: (outcome) => datagrams.inc({ outcome }),
    object: (outcome) => objects.inc({ outcome }),
    came: (road, bytes) => came.inc({ road }, bytes),
    gave: (road, bytes) => gave.inc({ road }, bytes),
    repair({ place, outcome, fetchedBytes }) {
      repairs.inc({ edge: place, outcome });
      repairBytes.inc(fetchedBytes);
    },
    edgeFailure: (edge, reason) => failures.inc({ edge, reason }),
    cache(outcome) {
      if (outcome.kind === "answered") requests.inc({ result: outcome.result });
    },
    session: (origin, outcome) => sessions.inc({ origin, outcome }),
    notice: (outcome) => notices.inc({ outcome }),
    announcement: (outcome) => announcements.inc({ outcome }),
    liveSkipped: () => skipped.inc(),
    diskFault: ({ reason }) => faults.inc({ reason }),
    watch: (status) => watch(metrics, status),
  };
}

function watch(metrics: Metrics, status: () => Status): void {
  const gauge = (name: string, help: string, read: (status: Status) => number) =>
    metrics.gauge(`stb_${name}`, help, [], (gauge) => gauge.set(read(status())));
  gauge("cache_used_bytes", "Bytes that cached objects take.", ({ cache }) => cache.usedBytes);
  gauge("cache_budget_bytes", "Bytes that they may take.", ({ cache }) => cache.budgetBytes);
  gauge("cache_objects", "Cached objects.", ({ cache }) => cache.objects);
  gauge("loss_ratio", "Share of packets lost in the last ten seconds.", ({ loss }) => loss.last10s);
  gauge("arriving_objects", "Objects being received or mended.", ({ objects }) => objects.arriving);
  gauge("live_streams", "Live streams open now.", ({ live }) => live.streams);
  metrics.gauge("stb_channels", "Channels by signal.", ["state"], (channels) => {
    for (const state of ["receiving", "no_signal", "cannot_join"] as const) {
      const count = status().channels.filter((channel) => channel.state === state).length;
      channels.set({ state }, count);
    }
  });
}
