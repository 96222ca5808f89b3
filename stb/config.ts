/**
 * The set-top box's parameters.
 *
 * @module
 */

import {
  BadValue,
  bitRate,
  bytes,
  choice,
  duration,
  type HostPort,
  hostPort,
  integer,
  type Introduction,
  ipv4,
  isIpv4,
  list,
  name,
  optional,
  type Parameter,
  path,
  type Settings,
  text,
  url,
} from "#config";
import { fecEncodingIds } from "#fec";
import { isMulticast } from "#multicast";
import { parsePublicKey, type PublicKey } from "#notice";
import { commonParameters, target } from "#program";

const codes = { "raptorq": fecEncodingIds.raptorQ, "reed-solomon": fecEncodingIds.reedSolomon8 };

function erasureCodeNames(): Parameter<readonly ("raptorq" | "reed-solomon" | "none")[]> {
  const help = "Erasure codes in use: files under another are not taken from the satellite.";
  const all = list(choice(["raptorq", "reed-solomon", "none"], "none", help));
  return { ...all, default: "raptorq,reed-solomon" };
}

/** The FEC encoding IDs that `--fec` allows, with that of no code. */
export function schemesOf(names: readonly (keyof typeof codes | "none")[]): ReadonlySet<number> {
  const ids = names.map((name) => name === "none" ? fecEncodingIds.noCode : codes[name]);
  return new Set([fecEncodingIds.noCode, ...ids]);
}

/** One row a parameter. */
export const parameters = {
  session: optional(
    text(
      undefined,
      "DVB-MABR gateway configuration, full or bootstrap: what to receive. This or --nip.",
      "FILE|URL",
    ),
  ),
  nip: optional(
    group(
      "DVB-NIP announcement group, by the standard 224.0.23.14:3937: the satellite says what to " +
        "receive.",
    ),
  ),
  interface: ipv4(
    "0.0.0.0",
    "Address of the interface to join groups on; 0.0.0.0 lets the system choose.",
  ),
  receiveBuffer: bytes("8MiB", "Socket receive buffer to ask the system for."),
  fec: erasureCodeNames(),
  cache: path("/var/lib/downlink/stb", "Folder for the cache and what it depends on.", "DIR"),
  cacheSize: bytes("10GiB", "Disk space for cached objects; the least recently used go first."),
  listen: hostPort("127.0.0.1:8090", "Where players connect."),
  repair: optional(
    list(
      url(
        undefined,
        "Edges to repair from and to ask for what is not on the satellite, before those that " +
          "the configuration names.",
      ),
    ),
  ),
  repairFor: choice(
    ["all", "watched"],
    "all",
    "Whose holes are repaired: of all that is received, or only of what somebody is reading.",
  ),
  repairRate: bitRate("40Mbit", "Most that repairs ask of the internet."),
  repairParallel: integer("4", "Repair requests at a time to one edge, 1 to 64.", {
    min: 1,
    max: 64,
  }),
  serviceList: target(
    "/dvbi/services.xml",
    "Path of the DVB-I service list among the received objects.",
  ),
  trustKey: optional(
    publicKey(
      "Key of the operator, as `downlink-headend key` prints it. With it, configurations from the " +
        "air count only when a signed notice names them, and purges reach boxes without a way back.",
    ),
  ),
  page: optional(
    path(undefined, "Folder of the page at /ui/; default: the one that is built in.", "DIR"),
  ),
  mdns: choice(["on", "off"], "on", "Announce this box in the home as _downlink._tcp."),
  control: optional(url(undefined, "Control service: purge log, topology, heartbeats.")),
  data: optional(
    path(
      undefined,
      "Folder for the purge position and the topology snapshot; default: that of --cache.",
      "DIR",
    ),
  ),
  catchUp: duration("3s", "How long a start waits for the purge log before serving without it."),
  nodeId: optional(name(undefined, "Name of this box; default: stb and the listen port.")),
  publicUrl: optional(
    url(undefined, "How players reach this box; default: the listen address."),
  ),
  region: optional(name(undefined, "Region of this box in the topology.")),
  ...commonParameters("127.0.0.1:9090"),
};

/** What `--help` says above the table. */
export const introduction: Introduction = {
  program: "stb",
  summary:
    "The home's end of the satellite: receives multicast, repairs holes over HTTP, keeps objects " +
    "on disk and serves players.",
  examples: [
    {
      command: "downlink-stb --session session.xml --interface 192.0.2.7 --repair http://edge:8080",
      does: "Receives what the configuration names; holes and misses go to the edge.",
    },
    {
      command: "downlink-stb --session http://edge:8080/session.xml --cache /data --control URL",
      does: "Keeps the cache in /data and follows control's purges.",
    },
  ],
};

/**
 * Checks what one row alone cannot.
 *
 * @throws {BadValue} One sentence.
 */
export function checkSettings({ session, nip, trustKey }: Settings<typeof parameters>): void {
  if (session === undefined && nip === undefined) {
    throw new BadValue(
      "Cannot use --session: need a gateway configuration, as FILE or URL, or --nip: " +
        "received nothing",
    );
  }
  if (nip === undefined) return;
  if (session !== undefined) {
    throw new BadValue("Cannot use --nip: need either it or --session: received both");
  }
  if (trustKey !== undefined) {
    throw new BadValue(
      "Cannot use --nip: need a bootstrap that --trust-key vouches for, as --session: received both",
    );
  }
}

/** `ADDRESS:PORT` of a multicast group. */
function group(help: string): Parameter<HostPort> {
  const any = hostPort(undefined, help);
  const read = (value: string) => {
    const endpoint = any.read(value);
    if (isIpv4(endpoint.hostname) && isMulticast(endpoint.hostname) && endpoint.port > 0) {
      return endpoint;
    }
    throw new BadValue(`need a group and port such as 224.0.23.14:3937: received ${value}`);
  };
  return { ...any, form: "IP:PORT", read };
}

function publicKey(help: string): Parameter<PublicKey> {
  const read = (value: string) => {
    const key = parsePublicKey(value);
    if (key !== undefined) return key;
    throw new BadValue(`need 44 characters of base64, an Ed25519 key: received ${value}`);
  };
  return { ...text(undefined, help, "KEY"), read } as unknown as Parameter<PublicKey>;
}
