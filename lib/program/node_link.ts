/**
 * A node's life with control: it follows the purge log, registers, heartbeats, takes topology
 * snapshots, and forwards purges that arrive at its own admin port. All of it goes on with control
 * away.
 *
 * @module
 */

import { BadValue } from "#config";
import {
  controlLog,
  type FollowerState,
  type GapReason,
  type LogEntry,
  type LogSource,
  PurgeFollower,
  purgeForwarder,
  type PurgeIndex,
} from "#purge";
import {
  ControlLink,
  type ControlLinkOptions,
  type LinkState,
  type NodeRecord,
  type TopologySnapshot,
} from "#topology";
import type { Metrics } from "#metrics";
import type { Logger } from "#log";
import type { Hono } from "hono";

/** What the link works with. */
export interface NodeLinkOptions {
  readonly control: URL;
  /** Folder for the purge position and the topology snapshot. */
  readonly dir: string;
  readonly node: NodeRecord;
  readonly index: PurgeIndex;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly admin: Hono;
  readonly token: string | undefined;
  /** Where the purge log is read; control by default. */
  readonly source?: LogSource;
  /** Silence of the purge log after which nothing stored is shown, in milliseconds; else for ever. */
  readonly silenceMs?: number;
  /** Called after purges were applied and kept on disk, in order. */
  readonly onApplied?: (entries: readonly LogEntry[], logId: string | undefined) => void;
  /** Called when everything stored must go; awaited before the index forgets why. */
  readonly onGap: (reason: GapReason, logId: string | undefined) => void | Promise<void>;
  readonly onSnapshot?: (snapshot: TopologySnapshot) => void;
  /** What this node says of itself at each heartbeat, and who it should leave alone. */
  readonly figures?: ControlLinkOptions["figures"];
  readonly box?: ControlLinkOptions["box"];
  readonly onUnavailable?: ControlLinkOptions["onUnavailable"];
}

/** A node joined to control. */
export interface NodeLink {
  /** The purge log that the applied numbers belong to; `undefined` before any was heard. */
  readonly logId: string | undefined;
  /** Waits until the purge log's end was reached once; false when that took too long. */
  caughtUp(timeoutMs: number): Promise<boolean>;
  /** Waits until a sequence number is applied; false when that took too long (the fence). */
  applied(seq: number, timeoutMs: number): Promise<boolean>;
  /** Says goodbye, so that purges do not wait for this node. */
  leave(): Promise<void>;
}

/**
 * Joins a node to control.
 *
 * @throws {BadValue} When the folder cannot be made.
 */
export async function joinControl(options: NodeLinkOptions): Promise<NodeLink> {
  const { control, dir, node, index, log, metrics, admin, token } = options;
  await makeFolder(dir);
  const states = stateGauges(options, () => follower.lastHeardMs);
  const faults = metrics.counter(
    `${node.role}_control_faults_total`,
    "Faults on the way to control, by part and kind.",
    ["part", "fault"],
  );
  const link = new ControlLink({
    url: control,
    token,
    node,
    file: `${dir}/topology.json`,
    appliedSeq: () => index.appliedSeq,
    logId: () => follower.logId,
    figures: options.figures,
    box: options.box,
    onUnavailable: (ids) => {
      log.info("control finds next hops unwell", { ids: [...ids].join(" ") });
      options.onUnavailable?.(ids);
    },
    onSnapshot: (snapshot) => {
      log.info("topology", { number: snapshot.number, shields: snapshot.shields.length });
      options.onSnapshot?.(snapshot);
    },
    onState: (state) => states.link(state),
    onFault: (fault, detail) => {
      faults.inc({ part: "topology", fault });
      log.warn("control link", { fault, detail });
    },
  });
  const follower: PurgeFollower = new PurgeFollower({
    source: options.source ?? controlLog({ url: control, token }),
    file: `${dir}/purges.log`,
    index,
    onApplied: (entries) => {
      link.reportApplied();
      options.onApplied?.(entries, follower.logId);
    },
    onGap: (reason) => {
      log.warn("purges were missed: all that is stored goes", { reason });
      return options.onGap(reason, follower.logId);
    },
    silenceMs: options.silenceMs,
    onSilence: (silent) => {
      if (silent) log.warn("the purge log was silent for too long: nothing stored is shown");
      else log.info("the purge log was heard again");
    },
    onState: (state) => states.follower(state),
    onFault: (fault, detail) => {
      faults.inc({ part: "purge_log", fault });
      log.warn("purge log", { fault, detail });
    },
  });
  admin.route("/", purgeForwarder({ controlUrl: control, token, node: node.id }));
  log.info("purge log", { state: await follower.start(), appliedSeq: index.appliedSeq });
  await link.start();
  return {
    get logId() {
      return follower.logId;
    },
    caughtUp: (timeoutMs) => follower.waitCaughtUp(timeoutMs),
    applied: (seq, timeoutMs) => follower.waitFor(seq, timeoutMs),
    leave: async () => {
      await follower.stop();
      await link.stop();
    },
  };
}

async function makeFolder(dir: string): Promise<void> {
  try {
    await Deno.mkdir(dir, { recursive: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadValue(
      `Cannot use --data: need a folder that can be written: received ${dir} (${reason})`,
    );
  }
}

/** Gauges that say where the link and the log stand. */
function stateGauges(
  { node: { role }, index, metrics }: NodeLinkOptions,
  heardMs: () => number,
) {
  metrics.gauge(
    `${role}_purge_applied_seq`,
    "Sequence number of the newest purge applied.",
    [],
    (gauge) => gauge.set(index.appliedSeq),
  );
  metrics.gauge(
    `${role}_purge_log_heard_timestamp_seconds`,
    "Unix time of the last sign of life of the purge log; 0 before any.",
    [],
    (gauge) => gauge.set(heardMs() / 1000),
  );
  const gauge = (part: string, help: string) => {
    const states = metrics.gauge(`${role}_${part}_state`, `${help} (1 = this one).`, ["state"]);
    let last: string | undefined;
    return (state: FollowerState | LinkState) => {
      if (last !== undefined) states.set({ state: last }, 0);
      states.set({ state }, 1);
      last = state;
    };
  };
  return {
    follower: gauge("purge_log", "Where this node stands with the purge log"),
    link: gauge("control_link", "Where this node stands with control"),
  };
}
