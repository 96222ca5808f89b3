/**
 * What to listen to, as a gateway configuration says it (ETSI TS 103 769 clause 10.2). Pure.
 *
 * @module
 */

import {
  type EndpointAddress,
  type GatewayConfiguration,
  transportProtocols,
  type TransportSession,
  type UnicastRepairParameters,
} from "#mabr";

/** One FLUTE session to receive. */
export interface Channel {
  /** `configuration`, or the transport session's id within its service. */
  readonly name: string;
  /** The DVB-I service that it carries; `undefined` for configuration and files. */
  readonly service: string | undefined;
  /** Group address, or a unicast address of this machine. */
  readonly group: string;
  readonly port: number;
  readonly tsi: number;
  /** Only packets of this sender count (source-specific multicast). */
  readonly sourceAddress: string | undefined;
  /** Silence after which there is no signal, in milliseconds. */
  readonly idleTimeoutMs: number;
  readonly repair: RepairTerms | undefined;
}

/** How the configuration wants holes to be repaired, times in milliseconds. */
export interface RepairTerms {
  readonly baseUrls: readonly { readonly url: string; readonly weight: number }[];
  readonly objectBaseUri: string | undefined;
  readonly receptionTimeoutMs: number | undefined;
  readonly fixedMs: number;
  readonly randomMs: number;
}

/** Why a transport session is left alone; the words are metric labels. */
export type ChannelRefusal =
  | "other_protocol"
  | "other_version"
  | "chunked_mode"
  | "unknown_service_class"
  | "no_usable_endpoint"
  | "too_many";

/** The channels of a configuration and what was left out. */
export interface Lineup {
  readonly channels: readonly Channel[];
  readonly refused: readonly { readonly name: string; readonly why: ChannelRefusal }[];
}

/** Sessions of one configuration; a satellite carries a few dozen. */
const maxChannels = 512;
const defaultIdleTimeoutMs = 10_000;

/** Returns what a configuration, full or bootstrap, says there is to receive. */
export function lineupOf(configuration: GatewayConfiguration): Lineup {
  const found = [
    ...configuration.multicastGatewayConfigurationTransportSessions.map((session, i) => ({
      session,
      name: i === 0 ? "configuration" : `configuration-${i + 1}`,
      service: undefined,
      chunked: false,
    })),
    ...configuration.multicastSessions.flatMap((service) =>
      service.multicastTransportSessions.map((session) => ({
        session,
        name: session.id,
        service: service.serviceIdentifier,
        chunked: session.transmissionMode === "chunked",
      }))
    ),
  ];
  const channels = new Map<string, Channel>();
  const refused: { name: string; why: ChannelRefusal }[] = [];
  for (const { session, name, service, chunked } of found) {
    const why = refusalOf(session, chunked);
    const endpoint = session.endpointAddresses.find(usable);
    if (why !== undefined) refused.push({ name, why });
    else if (endpoint === undefined) refused.push({ name, why: "no_usable_endpoint" });
    else if (channels.size >= maxChannels) refused.push({ name, why: "too_many" });
    else {
      const channel = channelOf(session, endpoint, { name, service });
      const id = channelId(channel);
      if (!channels.has(id)) channels.set(id, channel);
    }
  }
  return { channels: [...channels.values()], refused };
}

function refusalOf(session: TransportSession, chunked: boolean): ChannelRefusal | undefined {
  const { protocolIdentifier, protocolVersion } = session.transportProtocol;
  if (protocolIdentifier !== transportProtocols.flute) return "other_protocol";
  if (protocolVersion !== 1) return "other_version";
  if (chunked) return "chunked_mode";
  // A class we do not know may need what we do not do (clause 10.2.3.2).
  return session.serviceClass === undefined ? undefined : "unknown_service_class";
}

/** IPv4 with a TSI; IPv6 alternatives are for receivers that have it. */
function usable(endpoint: EndpointAddress): boolean {
  const { networkDestinationGroupAddress: group, transportDestinationPort: port } = endpoint;
  return isIpv4(group) && Number.isInteger(port) && port > 0 && port < 65_536 &&
    endpoint.mediaTransportSessionIdentifier !== undefined;
}

function isIpv4(address: string): boolean {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address)?.slice(1);
  return parts !== undefined && parts.every((part) => Number(part) <= 255);
}

function channelOf(
  session: TransportSession,
  endpoint: EndpointAddress,
  { name, service }: { name: string; service: string | undefined },
): Channel {
  return {
    name,
    service,
    group: endpoint.networkDestinationGroupAddress,
    port: endpoint.transportDestinationPort,
    tsi: endpoint.mediaTransportSessionIdentifier!,
    sourceAddress: endpoint.networkSourceAddress,
    idleTimeoutMs: session.sessionIdleTimeoutMs || defaultIdleTimeoutMs,
    repair: session.unicastRepairParameters && repairTerms(session.unicastRepairParameters),
  };
}

function repairTerms(parameters: UnicastRepairParameters): RepairTerms {
  return {
    baseUrls: parameters.baseURLs.map(({ url, relativeWeight }) => ({
      url,
      weight: relativeWeight,
    })),
    objectBaseUri: parameters.transportObjectBaseURI,
    receptionTimeoutMs: parameters.transportObjectReceptionTimeoutMs,
    fixedMs: parameters.fixedBackOffPeriodMs,
    randomMs: parameters.randomBackOffPeriodMs,
  };
}

/** Names the socket that a channel comes by. */
export function socketId({ group, port }: Pick<Channel, "group" | "port">): string {
  return `${group}:${port}`;
}

/** Names a channel on its socket. */
export function channelId(channel: Pick<Channel, "group" | "port" | "tsi">): string {
  return `${socketId(channel)}/${channel.tsi}`;
}

/** Whether an IPv4 address is a multicast group. */
export function isMulticast(address: string): boolean {
  const first = Number(address.split(".", 1)[0]);
  return first >= 224 && first <= 239;
}
