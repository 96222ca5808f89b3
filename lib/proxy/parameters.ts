/**
 * The parameters that edge and shield share.
 *
 * @module
 */

import { bytes, duration, hostPort, list, name, optional, path, url } from "#config";
import { purgeLogParameters } from "#kafka";
import { commonParameters, frontLimitParameters, tlsParameters } from "#program";
import { cachePolicyParameters } from "./cache_policy.ts";
import { limitParameters } from "./limits.ts";
import { nextHopLimitParameters } from "./next_hop_limits.ts";
import { peersParameter } from "./peers.ts";
import { storeParameters } from "./store_choice.ts";

/** Returns the rows that come after the program's own next hop. */
export function cacheNodeParameters(role: "edge" | "shield", listen: string, admin: string) {
  return {
    listen: hostPort(listen, "Where requests are taken."),
    siblings: optional(
      list(
        hostPort(
          undefined,
          "Processes that share --listen with this one, each by a loopback address at which the " +
            "others ask it; this one's own first.",
        ),
      ),
    ),
    ...tlsParameters(),
    ...frontLimitParameters(),
    ...nextHopLimitParameters(),
    upstreamCa: optional(
      path(
        undefined,
        "PEM certificates that https next hops may be signed by, beside the public.",
        "FILE",
      ),
    ),
    ...storeParameters(role === "edge" ? "127.0.0.1:8096" : "127.0.0.1:8086"),
    memory: bytes(
      "256MiB",
      "Memory for stored responses, bodies and heads together; before a disk, ATS or Varnish what " +
        "is used most.",
    ),
    disk: optional(
      path(undefined, "Folder of this node alone, for stored responses that outlive it.", "DIR"),
    ),
    diskSize: bytes("50GiB", "Disk space for stored responses; the least recently used go first."),
    diskWriteRate: bytes(
      "64MiB",
      "What may be written to the disk each second, so that reads keep flowing; what comes on top " +
        "stays in memory only.",
    ),
    ...cachePolicyParameters(),
    peers: peersParameter(),
    ...limitParameters(),
    fenceWait: duration(
      "250ms",
      "How long a request with a Purge-Seq that this node has not applied yet waits for it.",
    ),
    control: optional(url(undefined, "Control service: purge log, topology, heartbeats.")),
    ...purgeLogParameters("Which purge log to follow: through control, or straight from Kafka."),
    logSilence: duration(
      "0s",
      "Silence of the purge log after which nothing stored is shown until it is heard; 0s: serve on.",
    ),
    data: optional(
      path(
        undefined,
        "Folder for the purge position and the topology snapshot, used with --control; default: " +
          `that of --disk, which it may not be parted from, else /var/lib/downlink/${role}.`,
        "DIR",
      ),
    ),
    catchUp: duration("3s", "How long a start waits for the purge log before serving without it."),
    nodeId: optional(name(undefined, "Name of this node; default: the role and the listen port.")),
    publicUrl: optional(
      url(undefined, "How other nodes reach this one; default: the listen address."),
    ),
    cacheGroup: optional(name(undefined, "Cache group of this node.")),
    ...commonParameters(admin),
  };
}
