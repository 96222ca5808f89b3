/**
 * A control in one process for tests: real parts, a clock that the test moves, a socket on request.
 *
 * @module
 */

import type { Hono } from "hono";
import type { Rate } from "#bucket";
import { type Http1Server, serve } from "#http1";
import { AuditLog } from "./access/audit.ts";
import type { AccessOptions } from "./access/guard.ts";
import { Sessions } from "./access/sessions.ts";
import { Tokens } from "./access/tokens.ts";
import { checkAnswers } from "./api/answer_check_rig.ts";
import { ApiLimits } from "./api_limits.ts";
import { controlApp } from "./app.ts";
import { Database } from "./database.ts";
import { History, historyOptions } from "./console/history.ts";
import { Fleet } from "./fleet.ts";
import { Membership } from "./nodes.ts";
import type { ControlEvent, ControlParts } from "./parts.ts";
import { SqlitePurgeLog } from "./purge_log.ts";
import { PurgeProgress } from "./purge_progress.ts";
import { Snapshots } from "./snapshots.ts";
import { TopologyRefresh } from "./topology_refresh.ts";

/** A limit that no test meets that is not about it. */
const generous: Rate = { quota: 1_000_000, windowMs: 1000, burst: 1_000_000 };

/** What a test may set. */
export interface RigOptions extends Partial<AccessOptions> {
  /** The database file; in memory when absent. */
  readonly file?: string;
  readonly retentionCount?: number;
  readonly heartbeatMs?: number;
  readonly slowMs?: number;
  /** Limits for each caller. */
  readonly purges?: Rate;
  readonly admin?: Rate;
  /** Port of the socket; the system chooses when absent. */
  readonly port?: number;
}

/** A control that can be asked in process, or over a socket after `serve()`. */
export interface ControlRig {
  readonly app: Hono;
  readonly parts: ControlParts;
  readonly log: SqlitePurgeLog;
  readonly events: ControlEvent[];
  /** Wall clock of the rig; the test moves it. */
  readonly clock: { nowMs: number };
  /** Starts listening on loopback; returns the base URL. */
  serve(): string;
  /** One request in process; the body is sent as JSON. */
  ask(method: string, path: string, body?: unknown): Promise<Response>;
  close(): Promise<void>;
}

/** Makes a control. */
export function controlRig(options: RigOptions = {}): ControlRig {
  const { file = ":memory:", retentionCount = 1e6, heartbeatMs = 200, slowMs = 5000 } = options;
  const clock = { nowMs: 1_800_000_000_000 };
  const nowMs = () => clock.nowMs;
  const database = new Database(file);
  const log = new SqlitePurgeLog(database, { retentionCount, retentionMs: 3_600_000, nowMs });
  const events: ControlEvent[] = [];
  const onEvent = (event: ControlEvent) => void events.push(event);
  const audit = new AuditLog(database, { retentionCount: 1000, retentionMs: 3_600_000, nowMs });
  audit.onFault((reason) => onEvent({ kind: "audit_failed", reason }));
  const limits = {
    lateMs: 10_000,
    expiryMs: 60_000,
    most: 100,
    errorRatio: 0.2,
    load: 0.95,
    recoverMs: 10_000,
  };
  const membership = new Membership(database, limits, clock.nowMs);
  const nodes = membership.inTopology();
  const fleet = new Fleet(
    database,
    { most: 100, reportMs: 60_000, expiryMs: 180_000 },
    clock.nowMs,
  );
  const drain = new AbortController();
  const snapshots = new Snapshots(database, nodes, clock.nowMs);
  const steadyMs = () => performance.now();
  const onSnapshot = (number: number) => onEvent({ kind: "snapshot", number });
  const refresh = new TopologyRefresh({ membership, snapshots, nowMs, steadyMs, onSnapshot });
  const { purges = generous, admin = generous } = options;
  const parts: ControlParts = {
    log,
    limits: new ApiLimits({ purges, admin, steadyMs: () => clock.nowMs, random: () => 0 }),
    tokens: new Tokens(database, nowMs),
    sessions: new Sessions(database, nowMs),
    audit,
    history: new History(historyOptions),
    membership,
    fleet,
    snapshots,
    refresh,
    progress: new PurgeProgress(),
    streamTimes: { heartbeatMs, slowMs },
    nowMs,
    steadyMs,
    draining: drain.signal,
    onEvent,
  };
  const { token, pageOrigins = [] } = options;
  const app = controlApp(parts, { token, pageOrigins });
  checkAnswers(app);
  let server: Http1Server | undefined;
  return {
    app,
    parts,
    log,
    events,
    clock,
    serve() {
      const { port = 0 } = options;
      server = serve({ hostname: "127.0.0.1", port, handler: app.fetch });
      return `http://127.0.0.1:${server.address.port}`;
    },
    async ask(method, path, body) {
      const text = body === undefined ? undefined : JSON.stringify(body);
      return await app.request(`http://127.0.0.1:9000${path}`, { method, body: text });
    },
    async close() {
      drain.abort();
      refresh.close();
      await server?.drain(2000);
      log.close();
      audit.flush();
      fleet.close();
      database.close();
    },
  };
}
