/**
 * What control's routes work on.
 *
 * @module
 */

import type { PurgeKind, PurgeLog } from "#purge";
import type { AuditLog } from "./access/audit.ts";
import type { AccessRefusal } from "./access/guard.ts";
import type { Sessions } from "./access/sessions.ts";
import type { Tokens } from "./access/tokens.ts";
import type { ApiLimitName, ApiLimits } from "./api_limits.ts";
import type { History } from "./console/history.ts";
import type { Fleet, FleetOutcome } from "./fleet.ts";
import type { AdminStatus } from "./health.ts";
import type { HealthChange } from "./health_watch.ts";
import type { Membership, RegisterOutcome } from "./nodes.ts";
import type { PurgeProgress } from "./purge_progress.ts";
import type { StreamEnd, StreamTimes } from "./purge_stream.ts";
import type { RouteOutcome } from "./router_app.ts";
import type { Snapshots } from "./snapshots.ts";
import type { TopologyRefresh } from "./topology_refresh.ts";

/** Something that happened, for metrics and the log. */
export type ControlEvent =
  | {
    readonly kind: "purged";
    readonly id: string;
    readonly purge: PurgeKind;
    readonly soft: boolean;
    readonly records: number;
    readonly seq: number;
    readonly issuer: string;
  }
  | { readonly kind: "limited"; readonly limit: ApiLimitName; readonly caller: string }
  | { readonly kind: "purge_failed"; readonly reason: string }
  | { readonly kind: "applied"; readonly id: string; readonly tookMs: number }
  | { readonly kind: "node"; readonly id: string; readonly outcome: RegisterOutcome | "left" }
  | ({ readonly kind: "health" } & HealthChange)
  | { readonly kind: "routed"; readonly outcome: RouteOutcome }
  | { readonly kind: "box"; readonly outcome: FleetOutcome }
  | {
    readonly kind: "status";
    readonly id: string;
    readonly status: AdminStatus;
    readonly reason: string;
  }
  | { readonly kind: "snapshot"; readonly number: number }
  | { readonly kind: "stream_opened"; readonly after: number }
  | { readonly kind: "stream_ended"; readonly end: StreamEnd }
  | { readonly kind: "turned_away"; readonly reason: AccessRefusal }
  | { readonly kind: "audit_failed"; readonly reason: unknown }
  | { readonly kind: "no_such_place"; readonly after: number; readonly skipped: boolean };

/** The parts of control; `main.ts` makes them, tests too. */
export interface ControlParts {
  readonly log: PurgeLog;
  readonly limits: ApiLimits;
  readonly tokens: Tokens;
  readonly sessions: Sessions;
  readonly audit: AuditLog;
  readonly history: History;
  readonly membership: Membership;
  readonly fleet: Fleet;
  readonly snapshots: Snapshots;
  readonly refresh: TopologyRefresh;
  readonly progress: PurgeProgress;
  readonly streamTimes: StreamTimes;
  /** Bearer token of the nodes' admin ports, when they want one. */
  readonly nodeToken?: string;
  /** Wall clock, in milliseconds since the Unix epoch. */
  readonly nowMs: () => number;
  /** A clock that never steps, in milliseconds. */
  readonly steadyMs: () => number;
  /** Ends the purge streams, as when control drains. */
  readonly draining: AbortSignal;
  readonly onEvent: (event: ControlEvent) => void;
}
