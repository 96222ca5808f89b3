/**
 * The parts of a DVB-I service list (ETSI TS 103 770) that a headend writes and a receiver needs.
 *
 * Names are those of the elements and attributes in camelCase, plural where an element repeats.
 *
 * @module
 */

/** The media type of a service list (ETSI TS 103 770 clause 5.2). */
export const serviceListMediaType = "application/vnd.dvb.dvbisl+xml";

/** Media types of manifests as service lists write them. */
export const manifestMediaTypes = {
  dash: "application/dash+xml",
  hls: "application/vnd.apple.mpegurl",
} as const;

/** Terms for {@linkcode RelatedMaterial.howRelated}. */
export const howRelatedTerms = {
  serviceListLogo: "urn:dvb:metadata:cs:HowRelatedCS:2021:1001.1",
  serviceLogo: "urn:dvb:metadata:cs:HowRelatedCS:2021:1001.2",
  serviceBanner: "urn:dvb:metadata:cs:HowRelatedCS:2021:1001.3",
} as const;

/** Terms for {@linkcode Service.serviceType}. */
export const serviceTypes = {
  linear: "urn:dvb:metadata:cs:ServiceTypeCS:2019:linear",
  onDemand: "urn:dvb:metadata:cs:ServiceTypeCS:2019:ondemand",
  data: "urn:dvb:metadata:cs:ServiceTypeCS:2019:data",
} as const;

/** `ServiceList`. */
export interface ServiceList {
  /** A tag URI, for example `tag:example.org,2026:list`; `""` from lists of years that had none. */
  readonly id: string;
  /** At least 1; grows with each change. */
  readonly version: number;
  /** `xml:lang`: the language of names that do not say theirs. */
  readonly language: string;
  /** The first where the list has it in several languages. */
  readonly name: string;
  readonly providerName: string;
  readonly relatedMaterials: readonly RelatedMaterial[];
  readonly lcnTables: readonly LcnTable[];
  readonly services: readonly Service[];
}

/** `RelatedMaterial`: a logo, a banner, an application. */
export interface RelatedMaterial {
  /** A term, for example of {@linkcode howRelatedTerms}. */
  readonly howRelated: string;
  readonly mediaUri: string;
  readonly contentType?: string;
}

/** `LCNTable`: logical channel numbers, perhaps for some regions only. */
export interface LcnTable {
  /** Region identifiers; none means everywhere. */
  readonly targetRegions: readonly string[];
  readonly lcns: readonly Lcn[];
}

/** `LCN`: the number under which a service is chosen on the remote control. */
export interface Lcn {
  readonly channelNumber: number;
  /** The service's `uniqueIdentifier`. */
  readonly serviceRef: string;
  /** Whether it can be chosen by number; true when not said. */
  readonly selectable: boolean;
  /** Whether it is shown in lists; true when not said. */
  readonly visible: boolean;
}

/** `Service`. */
export interface Service {
  /** A tag URI; a multicast session names the service by it. */
  readonly uniqueIdentifier: string;
  /** At least 1. */
  readonly version: number;
  /** The first where the service has it in several languages. */
  readonly serviceName: string;
  readonly providerName: string;
  readonly relatedMaterials: readonly RelatedMaterial[];
  /** A term, for example of {@linkcode serviceTypes}. */
  readonly serviceType?: string;
  readonly serviceInstances: readonly ServiceInstance[];
}

/** `ServiceInstance`: one way to the same service. */
export interface ServiceInstance {
  /** 0 is the best. */
  readonly priority: number;
  readonly displayName?: string;
  readonly delivery: Delivery;
}

/** How an instance is received. */
export type Delivery = ManifestDelivery | DvbsDelivery;

/**
 * A manifest by its URI: `dash` for `DASHDeliveryParameters`, `identifier` for
 * `IdentifierBasedDeliveryParameters`, which is how HLS and plain files are written.
 */
export interface ManifestDelivery {
  readonly kind: "dash" | "identifier";
  readonly uri: string;
  /** For example one of {@linkcode manifestMediaTypes}. */
  readonly contentType: string;
}

/** `DVBSDeliveryParameters`: a service of a transport stream from a satellite. */
export interface DvbsDelivery {
  readonly kind: "dvbs";
  readonly dvbTriplet: DvbTriplet;
  /** East is positive, -180 to 180. */
  readonly orbitalPositionDegrees?: number;
  readonly carrier?: DvbsCarrier;
}

/** `DVBTriplet`; each number at most 65535. */
export interface DvbTriplet {
  readonly origNetId?: number;
  readonly tsId?: number;
  readonly serviceId: number;
}

/** Where the transport stream is; the schema states no units for its two numbers. */
export interface DvbsCarrier {
  readonly frequency: number;
  readonly polarization: Polarization;
  readonly symbolRate?: number;
  /** Only together with `symbolRate`. */
  readonly modulation?: DvbsModulation;
}

/** `Polarization`. */
export type Polarization = (typeof polarizations)[number];

/** The values of `Polarization`. */
export const polarizations = ["horizontal", "vertical", "left circular", "right circular"] as const;

/** What the schema lets follow the symbol rate. */
export interface DvbsModulation {
  /** For example `0.20`. */
  readonly rollOff: string;
  /** For example `DVB-S2`. */
  readonly modulationSystem: string;
  /** For example `8PSK`. */
  readonly modulationType: string;
  /** For example `3/4`. */
  readonly fec: string;
}
