/**
 * The headend's parameters.
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
import { announcementEndpoint } from "#nip";
import { parsePublicKey } from "#notice";
import { commonParameters, target } from "#program";
import type { Protection } from "./broadcast.ts";

/** One row a parameter. */
export const parameters = {
  origin: url(undefined, "Where objects are fetched: a shield, or any HTTP server."),
  serviceList: target("/dvbi/services.xml", "Path of the DVB-I service list at the origin."),
  group: ipv4Endpoint("239.255.1.1:5001", "Multicast group and port that receivers join."),
  interface: ipv4("127.0.0.1", "Address of the interface that packets leave by."),
  ttl: integer("1", "Routers that a packet may pass, 0 to 255.", { min: 0, max: 255 }),
  sendTo: optional(
    ipv4Endpoint(undefined, "Where packets go instead of the group: an encapsulator's input."),
  ),
  nip: optional(
    path(
      undefined,
      "Network and carrier for the announcement session of DVB-NIP; without it there is none.",
      "FILE",
    ),
  ),
  announce: ipv4Endpoint(
    `${announcementEndpoint.group}:${announcementEndpoint.port}`,
    "Group and port of the announcement session; with --send-to the port at that host.",
  ),
  rate: bitRate("61Mbit", "Rate on the wire, UDP and IPv4 headers included."),
  file: optional(
    list(target(undefined, "Path of a file at the origin to repeat; may be repeated.")),
  ),
  fec: choice(
    ["none", "raptorq", "reed-solomon"],
    "none",
    "Erasure code of live objects and files; raptorq: any symbols make up for any lost; " +
      "reed-solomon: within blocks of 170 symbols.",
  ),
  fecOverhead: integer(
    "10",
    "Repair symbols for each 100 source symbols with --fec, 0 to 300.",
    { min: 0, max: 300 },
  ),
  cycle: duration("3600s", "Longest time until a file comes round again.", { min: 1000 }),
  refill: duration(
    "10s",
    "With rate to spare a file comes round after this time already, 1s at least.",
    { min: 1000 },
  ),
  sessionFile: optional(path(undefined, "Where the gateway configuration is written.", "FILE")),
  bootstrapFile: optional(
    path(undefined, "Where the document is written that only says where that is.", "FILE"),
  ),
  repair: optional(
    list(url(undefined, "Where receivers fetch what they miss; written to the configuration.")),
  ),
  maxObject: bytes("64MiB", "Largest object that is carried, 4GiB at most; it is held in memory."),
  fetchTime: duration("10s", "Longest time that one fetch may take.", { min: 100 }),
  fetches: integer("4", "Segments and files fetched at a time, 1 to 64.", { min: 1, max: 64 }),
  signKey: optional(
    path(undefined, "Private key that signs notices to boxes; `key --help` says more.", "FILE"),
  ),
  trustKeys: optional(
    list(
      text(
        undefined,
        "Keys that boxes trust from now on, to hand over to another key; may be repeated.",
        "KEY",
      ),
    ),
  ),
  control: optional(url(undefined, "Control service: purge log, topology, heartbeats.")),
  data: path(
    "/var/lib/downlink/headend",
    "Folder for the purge position and the topology snapshot; used with --control.",
    "DIR",
  ),
  catchUp: duration("3s", "How long a start waits for the purge log before sending without it."),
  nodeId: optional(name(undefined, "Name of this node; default: headend and the admin port.")),
  ...commonParameters("127.0.0.1:9085"),
};

/** What `--help` says above the table. */
export const introduction: Introduction = {
  program: "headend",
  summary:
    "The uplink. Takes live channels and files from a shield and sends them as FLUTE over UDP " +
    "multicast at a set rate: live at once, files as a carousel.",
  examples: [
    {
      command: "downlink-headend --origin http://127.0.0.1:8081 --session-file session.xml",
      does: "Carries each service of the origin's DVB-I list on the loopback interface.",
    },
    {
      command: "downlink-headend --origin http://shield:8081 --send-to 192.0.2.7:5001 " +
        "--interface 192.0.2.6 --rate 58Mbit --repair https://cdn.example",
      does: "Feeds an encapsulator; receivers repair from the CDN.",
    },
    {
      command: "downlink-headend plan --carousel plan.json --rate 61Mbit --live 24Mbit",
      does: "Shows how often each file comes round; `plan --help` says more.",
    },
    {
      command: "downlink-headend key --out notices.pem",
      does: "Makes the key of --sign-key and prints what boxes take as --trust-key.",
    },
  ],
};

/**
 * Checks what one row alone cannot.
 *
 * @throws {BadValue} One sentence.
 */
export function checkSettings(settings: Settings<typeof parameters>): void {
  const { origin, maxObject, interface: from } = settings;
  if (origin as URL | undefined === undefined) {
    throw new BadValue("Cannot start: need --origin: received nothing");
  }
  if (maxObject > 2 ** 32) {
    throw new BadValue(`Cannot use --max-object: need 4GiB at most: received ${maxObject} bytes`);
  }
  for (const key of settings.trustKeys ?? []) {
    if (parsePublicKey(key) === undefined) {
      throw new BadValue(
        `Cannot use --trust-keys: need 44 characters of base64, an Ed25519 key: received ${key}`,
      );
    }
  }
  const { nip, announce, group, sendTo } = settings;
  const own = sendTo === undefined ? `${group.hostname}:${group.port}` : `:${sendTo.port}`;
  const other = sendTo === undefined
    ? `${announce.hostname}:${announce.port}`
    : `:${announce.port}`;
  if (nip !== undefined && own === other) {
    throw new BadValue(
      `Cannot use --announce: need another place than that of the media: received ${announce.hostname}:${announce.port}`,
    );
  }
  if (isMulticast(from)) {
    throw new BadValue(
      `Cannot use --interface: need an address of this machine, not a group: received ${from}`,
    );
  }
}

/** Returns what `--fec` and `--fec-overhead` ask for. */
export function protectionOf({ fec, fecOverhead }: Settings<typeof parameters>): Protection {
  if (fec === "none") return { encodingId: fecEncodingIds.noCode, share: 0 };
  const encodingId = fec === "raptorq" ? fecEncodingIds.raptorQ : fecEncodingIds.reedSolomon8;
  return { encodingId, share: fecOverhead / 100 };
}

/** `ADDRESS:PORT` with a dotted IPv4 address. */
function ipv4Endpoint(fallback: string | undefined, help: string): Parameter<HostPort> {
  const any = hostPort(fallback, help);
  const read = (value: string) => {
    const endpoint = any.read(value);
    if (isIpv4(endpoint.hostname) && endpoint.port > 0) return endpoint;
    throw new BadValue(`need an IPv4 address and port such as 239.255.1.1:5001: received ${value}`);
  };
  return { ...any, form: "IP:PORT", read };
}
