/**
 * The multicast gateway configuration of DVB-MABR (ETSI TS 103 769 clause 10.2), schema 2.
 *
 * Names are those of the elements and attributes in camelCase, plural where an element repeats, with
 * the unit added where the document leaves it to prose. What is optional in the document, or what
 * senders on the air leave out, is optional here.
 *
 * @module
 */

/** Terms of `MulticastTransportProtocolCS` (clause B.1) that `TransportProtocol` may name. */
export const transportProtocols = {
  flute: "urn:dvb:metadata:cs:MulticastTransportProtocolCS:2019:FLUTE",
  route: "urn:dvb:metadata:cs:MulticastTransportProtocolCS:2019:ROUTE",
  norm: "urn:dvb:metadata:cs:MulticastTransportProtocolCS:2022:NORM",
  msync: "urn:dvb:metadata:cs:MulticastTransportProtocolCS:2022:MSync",
  msyncRtp: "urn:dvb:metadata:cs:MulticastTransportProtocolCS:2022:MSync.RTP",
} as const;

/** The URI of the gateway configuration as an object in its own carousel (clause B.3). */
export const gatewayConfigurationUri =
  "urn:dvb:metadata:cs:MulticastTransportObjectTypeCS:2021:gateway-configuration";

/** The media type of a configuration document (clause 10.2.0). */
export const configurationMediaType = "application/xml+dvb-mabr-session-configuration";

/** `MulticastGatewayConfiguration` (clause 10.2.1.2). A bootstrap document has no `multicastSessions`. */
export interface GatewayConfiguration {
  /** As received; the encoder always writes 2. */
  readonly schemaVersion?: number;
  /** How long the document is valid after it was received. Not for documents in a carousel. */
  readonly validityPeriodMs?: number;
  /** When the document expires, in milliseconds since the Unix epoch; the later of the two wins. */
  readonly validUntilMs?: number;
  readonly multicastGatewayConfigurationTransportSessions:
    readonly MulticastGatewayConfigurationTransportSession[];
  readonly multicastSessions: readonly MulticastSession[];
  /** `MulticastGatewaySessionReporting`: where reports on every session go. */
  readonly reportingLocators?: readonly ReportingLocator[];
}

/** `MulticastSession`: everything that carries one linear service (clause 10.2.2). */
export interface MulticastSession {
  /** A URI, for example the tag URI by which the DVB-I list knows the service. */
  readonly serviceIdentifier: string;
  /** How much later the player sees the timeline, so that repair has time; 0 when absent. */
  readonly contentPlaybackAvailabilityOffsetMs?: number;
  readonly presentationManifestLocators: readonly PresentationManifestLocator[];
  /** `MulticastGatewaySessionReporting` of this session alone. */
  readonly reportingLocators?: readonly ReportingLocator[];
  readonly multicastTransportSessions: readonly MulticastTransportSession[];
}

/** `PresentationManifestLocator` (clause 10.2.2.2). */
export interface PresentationManifestLocator {
  readonly manifestId: string;
  /** `application/dash+xml` or `application/vnd.apple.mpegURL`. */
  readonly contentType: string;
  /** The URI of the manifest as an object of the multicast, when it is carried there. */
  readonly transportObjectURI?: string;
  /** Which request paths mean this manifest; see {@linkcode matchesPathPattern}. */
  readonly contentPlaybackPathPattern?: string;
  /** The manifest's URL on the internet (reference point A); `""` when there is no such road. */
  readonly url: string;
}

/** What `MulticastTransportSession` and the configuration's own transport session share. */
export interface TransportSession {
  /** A term URI; a receiver that does not know it leaves the session alone. */
  readonly serviceClass?: string;
  /** `none` when absent. */
  readonly transportSecurity?: TransportSecurity;
  /** Silence after which the session counts as over and the group is left. */
  readonly sessionIdleTimeoutMs?: number;
  readonly transportProtocol: TransportProtocol;
  /** Alternatives that carry the same: join one. At least one. */
  readonly endpointAddresses: readonly EndpointAddress[];
  readonly bitRate?: BitRate;
  readonly forwardErrorCorrectionParameters?: readonly ForwardErrorCorrectionParameters[];
  readonly unicastRepairParameters?: UnicastRepairParameters;
  readonly objectCarousel?: ObjectCarousel;
}

/** `@transportSecurity` (clause 12). */
export type TransportSecurity = "none" | "integrity" | "integrityAndAuthenticity";

/** `MulticastTransportSession` (clause 10.2.3). */
export interface MulticastTransportSession extends TransportSession {
  /** Unique within its `MulticastSession`. */
  readonly id: string;
  /** When it starts, in milliseconds since the Unix epoch. */
  readonly startMs?: number;
  readonly durationMs?: number;
  /** `resource` (one object a segment) when absent, or `chunked` (one object a CMAF chunk). */
  readonly transmissionMode?: "resource" | "chunked";
  readonly serviceComponentIdentifiers: readonly ServiceComponentIdentifier[];
}

/** `MulticastGatewayConfigurationTransportSession`: where the full document is (clause 10.2.5). */
export interface MulticastGatewayConfigurationTransportSession extends TransportSession {
  /** URIs by which receivers pick sessions, for example a guide's `TagRef` in DVB-NIP. */
  readonly tags?: readonly string[];
  readonly multicastGatewayConfigurationMacros?: readonly ConfigurationMacro[];
}

/** `MulticastGatewayConfigurationMacro`: what replaces `$key$`. */
export interface ConfigurationMacro {
  readonly key: string;
  readonly value: string;
}

/** `TransportProtocol`: one of {@linkcode transportProtocols} and its major version. */
export interface TransportProtocol {
  readonly protocolIdentifier: string;
  readonly protocolVersion: number;
}

/** `EndpointAddress` (clause 10.2.3.9). */
export interface EndpointAddress {
  /** The sender's address: together with the group it names a source-specific multicast. */
  readonly networkSourceAddress?: string;
  readonly networkDestinationGroupAddress: string;
  readonly transportDestinationPort: number;
  /** For FLUTE the TSI. */
  readonly mediaTransportSessionIdentifier?: number;
}

/** `BitRate`; counts repair packets only when they share the group. */
export interface BitRate {
  readonly averageBitsPerSecond?: number;
  readonly maximumBitsPerSecond: number;
}

/** `ForwardErrorCorrectionParameters` (clause 10.2.3.11). */
export interface ForwardErrorCorrectionParameters {
  /** `urn:ietf:rmt:fec:encoding:<FEC Encoding ID>`. */
  readonly schemeIdentifier: string;
  /** Repair packets for each hundred source packets; may exceed 100. */
  readonly overheadPercentage: number;
  /** Where repair packets go when not to the session's own endpoints. */
  readonly endpointAddresses: readonly EndpointAddress[];
}

/** `UnicastRepairParameters` (clauses 9, 10.2.3.12). */
export interface UnicastRepairParameters {
  /** Taken off the front of an object's URI before it is appended to a base URL. */
  readonly transportObjectBaseURI?: string;
  /** Silence after which an object's transmission counts as over. */
  readonly transportObjectReceptionTimeoutMs?: number;
  /** Wait before every repair. */
  readonly fixedBackOffPeriodMs: number;
  /** Upper end of the random wait added to it, drawn once an object. */
  readonly randomBackOffPeriodMs: number;
  /** None: an object's own URI is where it is repaired from. */
  readonly baseURLs: readonly RepairBaseURL[];
}

/** `BaseURL`: a place to repair from, chosen in proportion to its weight; 0 turns it off. */
export interface RepairBaseURL {
  readonly url: string;
  readonly relativeWeight: number;
}

/** `ObjectCarousel` (clause 10.2.3.14). */
export interface ObjectCarousel {
  /** All objects together as transmitted. */
  readonly aggregateTransportSizeBytes?: number;
  /** All objects together after content encoding is undone. */
  readonly aggregateContentSizeBytes?: number;
  /** At most one in a media session; in a configuration's own session one for each it refers to. */
  readonly presentationManifests: readonly CarouselReference[];
  readonly initSegments: readonly CarouselReference[];
  readonly resourceLocators: readonly ResourceLocator[];
}

/** `PresentationManifests` or `InitSegments`: says that they are in the carousel. */
export interface CarouselReference {
  /** The longest a receiver should wait for a whole copy. */
  readonly targetAcquisitionLatencyMs?: number;
  readonly compressionPreferred?: boolean;
  /** The `serviceIdentifier` they belong to; absent means every session's. */
  readonly serviceIdRef?: string;
  /** The transport session's `id` within that service; only together with `serviceIdRef`. */
  readonly transportSessionIdRef?: string;
}

/** `ResourceLocator`: one object of the carousel by its URI. */
export interface ResourceLocator {
  readonly uri: string;
  readonly targetAcquisitionLatencyMs?: number;
  readonly compressionPreferred?: boolean;
  /** How often the sender asks the origin whether it changed. */
  readonly revalidationPeriodMs?: number;
}

/** `ServiceComponentIdentifier`: which part of the service a transport session carries (10.2.4). */
export type ServiceComponentIdentifier =
  | DashComponentIdentifier
  | HlsComponentIdentifier
  | GenericComponentIdentifier;

/** `DASHComponentIdentifierType`: one Representation. */
export interface DashComponentIdentifier {
  readonly type: "dash";
  readonly manifestIdRef: string;
  readonly periodIdentifier: string;
  readonly adaptationSetIdentifier: string;
  readonly representationIdentifier: string;
}

/** `HLSComponentIdentifierType`: one media playlist. */
export interface HlsComponentIdentifier {
  readonly type: "hls";
  readonly manifestIdRef: string;
  /** Absolute URL of the media playlist. */
  readonly mediaPlaylistLocator: string;
}

/** `GenericComponentIdentifierType`. */
export interface GenericComponentIdentifier {
  readonly type: "generic";
  readonly manifestIdRef: string;
  readonly componentIdentifier: string;
}

/** `ReportingLocator` (clause 10.2.2.3): where reports are posted. */
export interface ReportingLocator {
  readonly url: string;
  /** Share of gateways that report, above 0 and at most 1. */
  readonly proportion: number;
  /** Time between reports; 0 means on events only. */
  readonly periodMs: number;
  /** Upper end of the random delay added to each report. */
  readonly randomDelayMs: number;
  readonly reportSessionRunningEvents: boolean;
}
