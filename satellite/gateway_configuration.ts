/**
 * The DVB-MABR documents that tell receivers where everything is (ETSI TS 103 769 clause 10.2): the
 * full configuration, and the bootstrap that only says where the full one is. Pure.
 *
 * @module
 */

import {
  type EndpointAddress,
  escapePathPattern,
  type GatewayConfiguration,
  gatewayConfigurationUri,
  type MulticastGatewayConfigurationTransportSession,
  type MulticastSession,
  type MulticastTransportSession,
  type PresentationManifestLocator,
  type ResourceLocator,
  type ServiceComponentIdentifier,
  transportProtocols,
  type TransportSession,
} from "#mabr";
import type { Protection } from "./broadcast.ts";
import { transportObjectBase, transportUri } from "./object_key.ts";

/** TSI of the configuration, the service list and the files. */
export const configurationTsi = 1;

/** How long receivers that tune in may wait for what the headend repeats. */
export const acquisitionMs = 1000;

/** A manifest on the air. */
export interface CarriedManifest {
  /** Unique within its service. */
  readonly id: string;
  readonly contentType: string;
  readonly key: string;
}

/** A FLUTE session of a service. */
export interface CarriedStream {
  readonly tsi: number;
  /** At least one. */
  readonly components: readonly ServiceComponentIdentifier[];
  readonly hasInit: boolean;
  /** What the master playlist says of it. */
  readonly averageBitsPerSecond?: number;
}

/** A service on the air. */
export interface CarriedService {
  readonly identifier: string;
  readonly manifests: readonly CarriedManifest[];
  readonly streams: readonly CarriedStream[];
}

/** A file of the carousel. */
export interface CarriedFile {
  readonly key: string;
  readonly cycleMs: number;
}

/** All that is on the air. */
export interface Carriage {
  readonly group: { readonly hostname: string; readonly port: number };
  readonly bitsPerSecond: number;
  /** Where receivers repair and fetch what they miss. */
  readonly repair: readonly URL[];
  readonly serviceListKey: string;
  readonly services: readonly CarriedService[];
  readonly files: readonly CarriedFile[];
  readonly protection?: Protection;
}

/** Silence after which a receiver may leave; the FDT alone comes each second. */
const sessionIdleTimeoutMs = 10_000;
/** Silence after which an object counts as over. */
const receptionTimeoutMs = 500;
/** Homes that miss the same packet spread their repair over this time. */
const backOff = { fixedBackOffPeriodMs: 10, randomBackOffPeriodMs: 100 };

/** Makes the full configuration. */
export function gatewayConfiguration(carriage: Carriage): GatewayConfiguration {
  return {
    multicastGatewayConfigurationTransportSessions: [configurationSession(carriage)],
    multicastSessions: carriage.services.map((service) => multicastSession(service, carriage)),
  };
}

/** Makes the document by which a receiver with nothing finds the full configuration. */
export function bootstrapConfiguration(carriage: Carriage): GatewayConfiguration {
  return {
    multicastGatewayConfigurationTransportSessions: [configurationSession(carriage)],
    multicastSessions: [],
  };
}

function configurationSession(carriage: Carriage): MulticastGatewayConfigurationTransportSession {
  const locator = (uri: string, targetAcquisitionLatencyMs: number): ResourceLocator => {
    return { uri, targetAcquisitionLatencyMs };
  };
  return {
    ...transportSession(configurationTsi, carriage),
    objectCarousel: {
      presentationManifests: [],
      initSegments: [],
      resourceLocators: [
        locator(gatewayConfigurationUri, acquisitionMs),
        locator(transportUri(carriage.serviceListKey), acquisitionMs),
        ...carriage.files.map(({ key, cycleMs }) => locator(transportUri(key), cycleMs)),
      ],
    },
  };
}

function multicastSession(service: CarriedService, carriage: Carriage): MulticastSession {
  return {
    serviceIdentifier: service.identifier,
    presentationManifestLocators: service.manifests.map((manifest) =>
      manifestLocator(manifest, carriage)
    ),
    multicastTransportSessions: service.streams.map((stream) => mediaSession(stream, carriage)),
  };
}

function manifestLocator(
  { id, contentType, key }: CarriedManifest,
  { repair }: Carriage,
): PresentationManifestLocator {
  return {
    manifestId: id,
    contentType,
    transportObjectURI: transportUri(key),
    contentPlaybackPathPattern: escapePathPattern(key.split("?", 1)[0]),
    url: repair.length === 0 ? "" : baseUrl(repair[0]) + key.slice(1),
  };
}

function mediaSession(stream: CarriedStream, carriage: Carriage): MulticastTransportSession {
  const latency = { targetAcquisitionLatencyMs: acquisitionMs };
  return {
    id: `tsi-${stream.tsi}`,
    transmissionMode: "resource",
    ...transportSession(stream.tsi, carriage, stream.averageBitsPerSecond),
    objectCarousel: {
      presentationManifests: [latency],
      initSegments: stream.hasInit ? [latency] : [],
      resourceLocators: [],
    },
    serviceComponentIdentifiers: stream.components,
  };
}

function transportSession(
  tsi: number,
  { group, bitsPerSecond, repair, protection }: Carriage,
  averageBitsPerSecond?: number,
): TransportSession {
  const endpoint: EndpointAddress = {
    networkDestinationGroupAddress: group.hostname,
    transportDestinationPort: group.port,
    mediaTransportSessionIdentifier: tsi,
  };
  return {
    transportSecurity: "integrity",
    sessionIdleTimeoutMs,
    transportProtocol: { protocolIdentifier: transportProtocols.flute, protocolVersion: 1 },
    endpointAddresses: [endpoint],
    // All sessions share one rate, and any one of them may have all of it for a moment.
    bitRate: { averageBitsPerSecond, maximumBitsPerSecond: Math.floor(bitsPerSecond) },
    forwardErrorCorrectionParameters: protection && protection.encodingId !== 0
      ? [forwardErrorCorrection(protection)]
      : undefined,
    unicastRepairParameters: repair.length === 0 ? undefined : {
      transportObjectBaseURI: transportObjectBase,
      transportObjectReceptionTimeoutMs: receptionTimeoutMs,
      ...backOff,
      baseURLs: repair.map((url) => ({ url: baseUrl(url), relativeWeight: 1 })),
    },
  };
}

/** Repair symbols come in the session itself, so there is no endpoint of their own. */
function forwardErrorCorrection({ encodingId, share }: Protection) {
  return {
    schemeIdentifier: `urn:ietf:rmt:fec:encoding:${encodingId}`,
    overheadPercentage: Math.round(share * 100),
    endpointAddresses: [],
  };
}

function baseUrl({ href }: URL): string {
  return href.endsWith("/") ? href : `${href}/`;
}
