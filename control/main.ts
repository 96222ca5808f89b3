/**
 * `downlink-control`: the purge log, the nodes and the topology.
 *
 * @module
 */

import { BadValue, formatHostPort, type HostPort } from "#config";
import { readKafka } from "#kafka";
import type { Logger } from "#log";
import { frontMetrics, listen, type ProgramContext, readTokenFile, runProgram } from "#program";
import { maxOrderBytes, type PurgeLog } from "#purge";
import { ApiLimits } from "./api_limits.ts";
import { controlApp } from "./app.ts";
import { AuditLog } from "./access/audit.ts";
import { Sessions } from "./access/sessions.ts";
import { tokenCommand } from "./access/token_command.ts";
import { Tokens } from "./access/tokens.ts";
import { checkAccess, checkSettings, parameters } from "./config.ts";
import { ClockSteps } from "./clock_steps.ts";
import { TrustedProxies } from "./client_address.ts";
import { Database } from "./database.ts";
import { totalsOf } from "./console/totals.ts";
import { History, historyOptions } from "./console/history.ts";
import { HealthWatch } from "./health_watch.ts";
import { declareFirst } from "./first_topology.ts";
import { Fleet } from "./fleet.ts";
import { KafkaPurgeLog } from "./kafka_purge_log.ts";
import { Membership } from "./nodes.ts";
import { observe } from "./observe.ts";
import type { ControlEvent, ControlParts } from "./parts.ts";
import { SqlitePurgeLog } from "./purge_log.ts";
import { PurgeProgress } from "./purge_progress.ts";
import { routerApp } from "./router_app.ts";
import { Snapshots } from "./snapshots.ts";
import { TopologyRefresh } from "./topology_refresh.ts";

/** How often retention is enforced, in milliseconds. */
const trimEveryMs = 30_000;

/** How often changes of health are looked for, in milliseconds. */
const lookEveryMs = 1000;

function openDatabase(dir: string): Database {
  try {
    Deno.mkdirSync(dir, { recursive: true });
    return new Database(`${dir}/control.db`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadValue(
      `Cannot use --data: need a folder with room for an intact database: received ${dir} (${reason})`,
    );
  }
}

/** Control's own log, or the one in Kafka, which it begins to follow. */
function openPurgeLog(
  { settings, metrics, log }: ProgramContext<typeof parameters>,
  database: Database,
): PurgeLog {
  const retention = {
    retentionCount: settings.purgeRetentionCount,
    retentionMs: settings.purgeRetention,
    nowMs: Date.now,
  };
  const kafka = readKafka(settings, "downlink-control");
  if (kafka === undefined) return new SqlitePurgeLog(database, retention);
  const following = metrics.gauge(
    "control_purge_log_following",
    "Whether Kafka is heard and its end was reached.",
  );
  const faults = metrics.counter("control_kafka_faults_total", "Faults on the way to Kafka.", [
    "fault",
  ]);
  const purgeLog = new KafkaPurgeLog(database, {
    ...retention,
    kafka,
    replicas: settings.kafkaReplicas,
    onFollowing: (is) => following.set(is ? 1 : 0),
    onFault: (fault, detail) => {
      faults.inc({ fault });
      log.warn("Kafka", { fault, detail });
    },
  });
  void purgeLog.start(0);
  return purgeLog;
}

function start(context: ProgramContext<typeof parameters>): void {
  const { settings, token, metrics, log } = context;
  checkSettings(settings);
  const database = openDatabase(settings.data);
  const tokens = new Tokens(database, Date.now);
  checkAccess(settings, { token, tokens });
  const { nodeTokenFile } = settings;
  const nodeToken = nodeTokenFile && readTokenFile(nodeTokenFile, "--node-token-file");
  const purgeLog = openPurgeLog(context, database);
  const audit = new AuditLog(database, {
    retentionCount: settings.auditRetentionCount,
    retentionMs: settings.auditRetention,
    nowMs: Date.now,
  });
  const membership = new Membership(database, {
    lateMs: settings.nodeLate,
    expiryMs: settings.nodeExpiry,
    most: settings.nodesMax,
    reportMs: settings.nodeReport,
    errorRatio: settings.healthErrors / 100,
    load: settings.healthLoad / 100,
    recoverMs: settings.healthRecovery,
  }, Date.now());
  const fleet = new Fleet(database, {
    most: settings.boxesMax,
    reportMs: settings.boxReport,
    expiryMs: settings.boxExpiry,
  }, Date.now());
  fleet.onFault = (reason) => log.error("set-top boxes could not be kept", { reason });
  const snapshots = new Snapshots(database, membership.inTopology(), Date.now());
  if (settings.topology !== undefined) {
    const nodes = membership.inTopology();
    declareFirst(settings.topology, snapshots, { nodes, nowMs: Date.now() });
  }
  const drain = new AbortController();
  const onEvent: (event: ControlEvent) => void = observe(metrics, log, {
    log: purgeLog,
    membership,
    fleet,
    snapshots,
    nowMs: Date.now,
  });
  const refresh = new TopologyRefresh({
    membership,
    snapshots,
    nowMs: Date.now,
    steadyMs: () => performance.now(),
    onSnapshot: (number) => onEvent({ kind: "snapshot", number }),
    onFault: (reason) => log.error("a topology snapshot could not be kept", { reason }),
  });
  const parts: ControlParts = {
    log: purgeLog,
    limits: new ApiLimits({
      purges: { quota: settings.purgeRate, windowMs: 1000, burst: settings.purgeBurst },
      admin: { quota: settings.adminRate, windowMs: 1000, burst: settings.adminBurst },
      steadyMs: () => performance.now(),
      random: Math.random,
    }),
    tokens,
    sessions: new Sessions(database, Date.now),
    audit,
    history: new History(historyOptions),
    membership,
    fleet,
    snapshots,
    refresh,
    progress: new PurgeProgress(),
    // A node could else learn a token that may do more than its own.
    get nodeToken() {
      return nodeToken ?? (tokens.any ? undefined : token);
    },
    streamTimes: { heartbeatMs: settings.streamHeartbeat, slowMs: settings.streamSlow },
    nowMs: Date.now,
    steadyMs: () => performance.now(),
    draining: drain.signal,
    onEvent,
  };
  audit.onFault((reason) => onEvent({ kind: "audit_failed", reason }));
  const pageOrigins = settings.pageOrigin?.map(({ origin }) => origin) ?? [];
  const app = controlApp(parts, { token, pageOrigins });
  const server = listen(settings.listen, {
    handler: app.fetch,
    // A node or a box keeps one connection for the purge stream and one for its heartbeats.
    limits: {
      maxConnections: 2 * (settings.nodesMax + settings.boxesMax) + 256,
      maxBodyBytes: maxOrderBytes,
    },
    onEvent: frontMetrics("control", metrics, log),
  });
  if (settings.router !== undefined) openRouter(context, parts, settings.router);
  log.info("control API", {
    listen: formatHostPort(server.address),
    purgeSeq: purgeLog.lastSeq,
    snapshot: snapshots.current.number,
  });
  const healthWatch = new HealthWatch();
  const clockSteps = new ClockSteps(Date.now(), performance.now());
  const settleClock = () => {
    const stepMs = clockSteps.look(Date.now(), performance.now());
    if (stepMs === 0) return;
    log.warn("the wall clock stepped", { seconds: stepMs / 1000 });
    membership.shift(stepMs);
    fleet.shift(stepMs);
  };
  const timers = [
    regularly(log, settings.nodeLate / 4, () => {
      settleClock(); // before anybody's silence counts
      expireNodes(context, parts);
    }),
    regularly(log, lookEveryMs, () => {
      settleClock();
      for (const change of healthWatch.look(membership, Date.now())) {
        onEvent({ kind: "health", ...change });
      }
    }),
    regularly(log, trimEveryMs, () => purgeLog.trim()),
    regularly(log, trimEveryMs, () => audit.trim()),
    regularly(log, historyOptions.stepMs, () => parts.history.sample(totalsOf(parts), Date.now())),
  ];
  context.onDrain(() => database.close());
  context.onDrain(() => purgeLog.close());
  context.onDrain(() => audit.flush());
  context.onDrain(() => fleet.close());
  context.onDrain((timeoutMs) => server.drain(timeoutMs));
  context.onDrain(() => {
    for (const timer of timers) clearInterval(timer);
    refresh.close();
    drain.abort();
  });
  context.setReady(true);
}

/** The listener for clients: it knows the topology and nothing else of control. */
function openRouter(
  { settings, metrics, log, onDrain }: ProgramContext<typeof parameters>,
  parts: ControlParts,
  at: HostPort,
): void {
  const router = listen(at, {
    handler: routerApp(parts, new TrustedProxies(settings.routerProxies ?? [])).fetch,
    onEvent: frontMetrics("control_router", metrics, log),
  });
  onDrain((timeoutMs) => router.drain(timeoutMs));
  log.info("router", { listen: formatHostPort(router.address) });
}

function expireNodes({ log }: ProgramContext<typeof parameters>, parts: ControlParts): void {
  const gone = parts.fleet.expire(parts.nowMs());
  if (gone > 0) log.info("set-top boxes were silent for too long", { boxes: gone });
  const expired = parts.membership.expire(parts.nowMs());
  if (expired.length === 0) return;
  for (const id of expired) log.warn("a node was silent for too long", { id });
  parts.refresh.changed();
}

/** Storage that fails now may work the next time. */
function regularly(log: Logger, everyMs: number, work: () => void) {
  return setInterval(() => {
    try {
      work();
    } catch (error) {
      log.error("housekeeping failed", { reason: error });
    }
  }, everyMs);
}

/** The command `token ...`; the program otherwise. */
function runTokenCommand(): never {
  const names = ["DOWNLINK_DATA", "DOWNLINK_CONFIG"];
  const values = names.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const options = { env: Object.fromEntries(values), nowMs: Date.now };
  const { code, text } = tokenCommand(Deno.args.slice(1), options);
  const stream = code === 0 ? Deno.stdout : Deno.stderr;
  stream.writeSync(new TextEncoder().encode(text));
  Deno.exit(code);
}

if (import.meta.main) {
  if (Deno.args[0] === "token") runTokenCommand();
  await runProgram({
    introduction: {
      program: "control",
      summary: "Keeps the purge log, knows the nodes, and hands out the topology.",
      examples: [
        { command: "downlink-control --data /var/lib/downlink", does: "Serves 127.0.0.1:9000." },
        {
          command: "downlink-control token create --name ops --scope admin",
          does: "Makes a token; `token create --help` says more.",
        },
        {
          command: "downlink-control --listen 0.0.0.0:9000 --token-file /run/secrets/downlink",
          does: "Serves other machines; they bring that token or one that was made.",
        },
      ],
    },
    parameters,
    start,
  });
}
