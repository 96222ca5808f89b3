/**
 * Control's parameters.
 *
 * @module
 */

import {
  BadValue,
  duration,
  formatHostPort,
  hostPort,
  integer,
  isLoopback,
  list,
  optional,
  path,
  type Settings,
  text,
  url,
} from "#config";
import { purgeLogParameters } from "#kafka";
import { commonParameters } from "#program";
import { parseNetwork } from "#topology";
import { maxOrderValues } from "#purge";

/** What control can be told, with defaults. */
export const parameters = {
  listen: hostPort("127.0.0.1:9000", "Where nodes and operators reach the control API."),
  router: optional(
    hostPort(undefined, "Where clients are sent on to an edge; anybody may ask there."),
  ),
  routerProxies: optional(
    list({
      ...text(
        undefined,
        "Networks of load balancers before --router: their X-Forwarded-For names the client.",
        "CIDR",
      ),
      read: readNetwork,
    }),
  ),
  topology: optional(
    path(
      undefined,
      "Topology that is declared at the start while none is: YAML or JSON.",
      "FILE",
    ),
  ),
  data: path("control-data", "Folder of the purge log, the nodes and the topology.", "DIR"),
  pageOrigin: optional(
    list(url(undefined, "Web pages (scheme, host and port) whose scripts may use the API.")),
  ),
  nodeTokenFile: optional(
    path(
      undefined,
      "File with the token of the nodes' admin ports, for dry runs; the one of --token-file as " +
        "long as no other token was made.",
      "FILE",
    ),
  ),
  nodeReport: duration(
    "2s",
    "How often a node reports when it has nothing to say, 100ms or more.",
    {
      min: 100,
    },
  ),
  nodeLate: duration("10s", "Silence after which a node is shown as late, 100ms or more.", {
    min: 100,
  }),
  nodeExpiry: duration(
    "60s",
    "Silence after which a node leaves the topology and no purge waits for it any more.",
  ),
  nodesMax: integer("10000", "Most nodes that may register.", { min: 1, max: 100_000 }),
  healthErrors: integer("20", "Percent of answers with 5xx above which a node is unavailable.", {
    min: 1,
    max: 100,
  }),
  healthLoad: integer("95", "Percent of a processor above which a node is unavailable.", {
    min: 1,
    max: 102_400,
  }),
  healthRecovery: duration("10s", "How long figures must be good again before a node comes back."),
  boxReport: duration("60s", "How often a set-top box reports when it has nothing to say.", {
    min: 1000,
  }),
  boxExpiry: duration(
    "180s",
    "Silence after which a set-top box leaves the fleet and no purge waits for it any more.",
  ),
  boxesMax: integer("100000", "Most set-top boxes in the fleet.", { min: 1, max: 1_000_000 }),
  purgeRetention: duration("7d", "How long purge records are kept for nodes that were off.", {
    max: 3650 * 86_400e3,
  }),
  purgeRetentionCount: integer("1000000", "Most purge records kept.", { min: 1, max: 1e9 }),
  purgeRate: integer("100", "Purges (values) that one caller may order each second.", {
    min: 1,
    max: 1e6,
  }),
  purgeBurst: integer("1000", "Purges that one caller may order at once after a pause.", {
    min: maxOrderValues,
    max: 1e6,
  }),
  adminRate: integer("50", "Other calls that one caller may make each second.", {
    min: 1,
    max: 1e6,
  }),
  adminBurst: integer("500", "Other calls that one caller may make at once after a pause.", {
    min: 1,
    max: 1e6,
  }),
  auditRetention: duration("90d", "How long it is kept who changed what.", {
    max: 3650 * 86_400e3,
  }),
  auditRetentionCount: integer("100000", "Most entries of the audit log.", { min: 1, max: 1e9 }),
  ...purgeLogParameters("Where purges are kept: in --data, or in Kafka with a copy in --data."),
  kafkaReplicas: integer(
    "3",
    "Copies of the topic when control makes it; its min.insync.replicas is the cluster's.",
    { min: 1, max: 100 },
  ),
  streamHeartbeat: duration("2s", "Time between the signs of life in the purge stream.", {
    min: 50,
  }),
  streamSlow: duration("30s", "How long a follower may leave the purge stream unread.", {
    min: 100,
  }),
  ...commonParameters("127.0.0.1:9001"),
} as const;

/** Control's settings. */
export type ControlSettings = Settings<typeof parameters>;

/**
 * Checks what one parameter alone cannot tell.
 *
 * @throws {BadValue} One sentence.
 */
export function checkSettings(
  { nodeReport, nodeLate, nodeExpiry, boxReport, boxExpiry }: ControlSettings,
): void {
  if (nodeLate < 2 * nodeReport) {
    throw new BadValue(
      `Cannot use --node-late: need at least twice --node-report (${nodeReport}ms): received ${nodeLate}ms`,
    );
  }
  if (boxExpiry < 2 * boxReport) {
    throw new BadValue(
      `Cannot use --box-expiry: need at least twice --box-report (${boxReport}ms): received ${boxExpiry}ms`,
    );
  }
  if (nodeExpiry < nodeLate) {
    throw new BadValue(
      `Cannot use --node-expiry: need at least --node-late (${nodeLate}ms): received ${nodeExpiry}ms`,
    );
  }
}

/**
 * Checks that nobody from afar can use an API without a token.
 *
 * @throws {BadValue} One sentence.
 */
export function checkAccess(
  { listen }: ControlSettings,
  { token, tokens }: { token: string | undefined; tokens: { readonly any: boolean } },
): void {
  if (token !== undefined || tokens.any || isLoopback(listen.hostname)) return;
  throw new BadValue(
    "Cannot use --listen: need --token-file or a token (downlink-control token create) unless it " +
      `is a loopback address: received ${formatHostPort(listen)}`,
  );
}

function readNetwork(value: string): string {
  if (parseNetwork(value) !== undefined) return value;
  throw new BadValue(`need a network such as 10.0.0.0/8 or fd00::/8: received ${value}`);
}
