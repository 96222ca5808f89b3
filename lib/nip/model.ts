/**
 * The documents of DVB-NIP (ETSI TS 103 876), which a satellite's announcement session carries.
 *
 * Names are those of the elements in camelCase, plural where an element repeats, with the unit added
 * where the document leaves it to prose. What senders on the air leave out is optional here.
 *
 * @module
 */

/** Where the announcement session is: TSI 0 of FLUTE version 1. */
export const announcementEndpoint = { group: "224.0.23.14", port: 3937, tsi: 0 } as const;

/** URIs of documents in the announcement session. */
export const nipUris = {
  bootstrap: "urn:dvb:metadata:cs:NativeIPMulticastTransportObjectTypeCS:2023:bootstrap",
  networkInformationFile: "urn:dvb:metadata:nativeip:NetworkInformationFile",
  serviceInformationFile: "urn:dvb:metadata:nativeip:ServiceInformationFile",
  serviceListEntryPoints: "urn:dvb:metadata:nativeip:dvb-i-slep",
} as const;

/** Media types of these documents; a bootstrap is a gateway configuration and has its type. */
export const nipMediaTypes = {
  networkInformationFile: "application/xml+dvb-nip-nif",
  serviceInformationFile: "application/xml+dvb-nip-sif",
  serviceListEntryPoints: "application/xml+dvb-i-slep",
  contentGuideManifest: "application/xml+dvb-nip-cgm",
} as const;

/** What names a NIP stream; each number 0 to 65535. EXT_NACI says which one is being received. */
export interface NipStreamIdentity {
  /** 1 to 65280. */
  readonly nipNetworkId: number;
  readonly nipCarrierId: number;
  readonly nipLinkId: number;
  /** With MPE in a transport stream the DVB service_id, with GSE 0. */
  readonly nipServiceId: number;
}

/** `NetworkInformationFile`: the networks and the carriers of each. */
export interface NetworkInformationFile {
  /** `VersionUpdate`, in milliseconds since the Unix epoch. */
  readonly versionUpdateMs?: number;
  /** For example `Physical Network`. */
  readonly nifType: string;
  readonly actualBroadcastNetwork: BroadcastNetwork;
  readonly otherBroadcastNetworks: readonly BroadcastNetwork[];
}

/** `ActualBroadcastNetwork` or `OtherBroadcastNetwork`. */
export interface BroadcastNetwork {
  /** For example `Satellite`. */
  readonly networkType: string;
  readonly networkName: string;
  readonly nipNetworkProviderName: string;
  /** `SatellitePosition`; east is positive, -180 to 180. */
  readonly orbitalPositionDegrees?: number;
  /** 1 to 65280. */
  readonly nipNetworkId: number;
  readonly nipStreams: readonly NipStream[];
}

/** `NIPStream`: one carrier, or one service of it. */
export interface NipStream extends Omit<NipStreamIdentity, "nipNetworkId"> {
  /** `GSE-Lite`, or `TS` for MPE. */
  readonly linkLayerFormat: string;
  readonly nipStreamProviderName: string;
  readonly bootstrapStream?: BootstrapStream;
  readonly delivery?: SatelliteDelivery;
}

/** `BootstrapStream`: the stream carries a bootstrap. */
export interface BootstrapStream {
  /** `Physical Network` or `Commercial Operator`. */
  readonly bootstrapType: string;
  /** For example `Active`. */
  readonly status: string;
}

/** `DVBS2_NIPDeliveryParameters` or `DVBS2X_NIPDeliveryParameters`. */
export interface SatelliteDelivery {
  readonly kind: "dvbs2" | "dvbs2x";
  /** For example `Broadcast services`. */
  readonly receiverProfiles?: string;
  /** For example `S2X`. */
  readonly s2xMode?: string;
  /** A multiple of 10, as the document counts in 10 kHz. */
  readonly frequencyKhz: number;
  /** For example `vertical`. */
  readonly polarization: string;
  /** For example `8PSK`. */
  readonly modulationType?: string;
  /** For example `0.20`. */
  readonly rollOff?: string;
  /** In thousands of symbols per second. */
  readonly symbolRateKs: number;
  /** For example `3/4`. */
  readonly fec?: string;
  readonly inputStreamIdentifier?: number;
  readonly scramblingSequenceIndex?: number;
}

/** `ServiceInformationFile`: what is on which carrier. */
export interface ServiceInformationFile {
  /** `VersionUpdate`, in milliseconds since the Unix epoch. */
  readonly versionUpdateMs?: number;
  readonly nipNetworkProviderName: string;
  readonly broadcastMediaStreams: readonly BroadcastMediaStream[];
}

/** `BroadcastMediaStream`. */
export interface BroadcastMediaStream extends NipStreamIdentity {
  /** Manifests, lists, files, or what many of them begin with. */
  readonly uris: readonly string[];
  readonly interactiveApplications: readonly InteractiveApplication[];
}

/** `InteractiveApplications`. */
export interface InteractiveApplication {
  readonly applicationType: string;
  readonly applicationUri: string;
  readonly applicationId: string;
}

/** `NIPContentGuideManifest`: which transport sessions carry the guide. */
export interface ContentGuideManifest {
  /** `VersionUpdate`, in milliseconds since the Unix epoch. */
  readonly versionUpdateMs?: number;
  readonly guideSchedules: readonly GuideSchedule[];
}

/** `GuideSchedule`: a part of the guide. */
export interface GuideSchedule {
  /** In milliseconds since the Unix epoch. */
  readonly publishedStartTimeMs?: number;
  readonly publishedDurationMs?: number;
  readonly guideSessions: readonly GuideSession[];
}

/** `GuideSession`. */
export interface GuideSession {
  /** Each is among the `tags` of a transport session of the bootstrap. */
  readonly tagRefs: readonly string[];
  readonly carouselMaxDataSizeBytes?: number;
}

/** `ServiceListEntryPoints` of DVB-I (ETSI TS 103 770), as far as DVB-NIP needs it. */
export interface ServiceListEntryPoints {
  /** `xml:lang`. */
  readonly language: string;
  /** Who keeps this list of lists. */
  readonly registryName: string;
  readonly providerOfferings: readonly ProviderOffering[];
}

/** `ProviderOffering`. */
export interface ProviderOffering {
  readonly providerName: string;
  readonly serviceListOfferings: readonly ServiceListOffering[];
}

/** `ServiceListOffering`: one service list and where it is. */
export interface ServiceListOffering {
  readonly serviceListName: string;
  /** At least one. */
  readonly serviceListUris: readonly { readonly uri: string; readonly contentType: string }[];
  readonly languages: readonly string[];
  readonly targetCountries: readonly string[];
  readonly serviceListId: string;
}
