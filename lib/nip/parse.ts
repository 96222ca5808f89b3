/**
 * Reads DVB-NIP documents as they are met on the air: elements count by local name, whatever year
 * their namespace has. A part that cannot be used is left out with a remark and never costs the rest.
 *
 * @module
 */

import { parseDuration, parseTimePoint } from "#mabr";
import {
  childrenNamed,
  firstNamed,
  parseUnsigned,
  readXml,
  type XmlElement,
  type XmlRejection,
} from "#xml";
import type {
  BootstrapStream,
  BroadcastMediaStream,
  BroadcastNetwork,
  ContentGuideManifest,
  GuideSchedule,
  GuideSession,
  InteractiveApplication,
  NetworkInformationFile,
  NipStream,
  NipStreamIdentity,
  ProviderOffering,
  SatelliteDelivery,
  ServiceInformationFile,
  ServiceListEntryPoints,
  ServiceListOffering,
} from "./model.ts";

/** Why a document was refused as a whole. */
export type NipRejection =
  | XmlRejection
  | "wrong_root"
  /** No `ActualBroadcastNetwork` with an identifier. */
  | "no_network";

/** Why a part of a document was left out. */
export type NipSkipReason =
  | "no_identity"
  /** A terrestrial or other carrier, or one without frequency or symbol rate: the stream stays. */
  | "unknown_delivery"
  | "no_uri";

/** A part that was left out. */
export interface NipRemark {
  readonly reason: NipSkipReason;
  /** Which one it was in the document's own words, at most 128 characters. */
  readonly subject: string;
}

/** A document and what the reader left out of it. */
export type Parsed<T> = T & { readonly remarks: readonly NipRemark[] };

/** The largest on the air today has 5 kB; a SIF may name each of some thousand files. */
const limits = { maxLength: 2 ** 20, maxDepth: 16 };
const mostNumber = 65_535;
const mostNetworkId = 65_280;

type Document = string | Uint8Array;

/** Reads a `NetworkInformationFile`, text or bytes in UTF-8. Never throws. */
export function parseNetworkInformationFile(
  document: Document,
): Parsed<NetworkInformationFile> | NipRejection {
  const root = rootNamed(document, "NetworkInformationFile");
  if (typeof root === "string") return root;
  const remarks: NipRemark[] = [];
  const networks = (name: string) =>
    childrenNamed(root, name).map((element) => network(element, remarks))
      .filter((value) => value !== undefined);
  const [actualBroadcastNetwork] = networks("ActualBroadcastNetwork");
  if (actualBroadcastNetwork === undefined) return "no_network";
  return {
    ...versionUpdate(root),
    nifType: textOf(root, "NIFType"),
    actualBroadcastNetwork,
    otherBroadcastNetworks: networks("OtherBroadcastNetwork"),
    remarks,
  };
}

/** Reads a `ServiceInformationFile`, text or bytes in UTF-8. Never throws. */
export function parseServiceInformationFile(
  document: Document,
): Parsed<ServiceInformationFile> | NipRejection {
  const root = rootNamed(document, "ServiceInformationFile");
  if (typeof root === "string") return root;
  const remarks: NipRemark[] = [];
  return {
    ...versionUpdate(root),
    nipNetworkProviderName: textOf(root, "NIPNetworkProviderName"),
    broadcastMediaStreams: childrenNamed(root, "BroadcastMediaStream")
      .map((element) => mediaStream(element, remarks))
      .filter((value) => value !== undefined),
    remarks,
  };
}

/** Reads a `NIPContentGuideManifest`, text or bytes in UTF-8. Never throws. */
export function parseContentGuideManifest(
  document: Document,
): ContentGuideManifest | NipRejection {
  const root = rootNamed(document, "NIPContentGuideManifest");
  if (typeof root === "string") return root;
  return {
    ...versionUpdate(root),
    guideSchedules: childrenNamed(root, "GuideSchedule").map(guideSchedule),
  };
}

/** Reads `ServiceListEntryPoints`, text or bytes in UTF-8. Never throws. */
export function parseServiceListEntryPoints(
  document: Document,
): Parsed<ServiceListEntryPoints> | NipRejection {
  const root = rootNamed(document, "ServiceListEntryPoints");
  if (typeof root === "string") return root;
  const remarks: NipRemark[] = [];
  return {
    language: root.attributes.get("lang") ?? "",
    registryName: organisation(root, "ServiceListRegistryEntity"),
    providerOfferings: childrenNamed(root, "ProviderOffering")
      .map((element): ProviderOffering => ({
        providerName: organisation(element, "Provider"),
        serviceListOfferings: childrenNamed(element, "ServiceListOffering")
          .map((offering) => listOffering(offering, remarks))
          .filter((value) => value !== undefined),
      })),
    remarks,
  };
}

function rootNamed(document: Document, name: string): XmlElement | NipRejection {
  const root = readXml(document, limits);
  if (typeof root === "string") return root;
  return root.name === name ? root : "wrong_root";
}

function textOf(parent: XmlElement, name: string): string {
  return firstNamed(parent, name)?.text ?? "";
}

/** An unsigned number, when it is there and not above `most`. */
function numberOf(parent: XmlElement, name: string, most = mostNumber): number | undefined {
  const value = parseUnsigned(firstNamed(parent, name)?.text);
  return value !== undefined && value <= most ? value : undefined;
}

/** `{ [key]: value }`, or nothing where there is no value or an empty one. */
function given<K extends string, T>(
  key: K,
  value: T | undefined,
): { readonly [P in K]?: T } {
  return value === undefined || value === "" ? {} : { [key]: value } as { [P in K]: T };
}

function skip(remarks: NipRemark[], reason: NipSkipReason, subject: string): undefined {
  remarks.push({ reason, subject: subject.slice(0, 128) });
}

function versionUpdate(root: XmlElement) {
  return given("versionUpdateMs", parseTimePoint(textOf(root, "VersionUpdate")));
}

function network(element: XmlElement, remarks: NipRemark[]): BroadcastNetwork | undefined {
  const networkName = textOf(element, "NetworkName");
  const nipNetworkId = numberOf(element, "NIPNetworkID", mostNetworkId);
  if (!nipNetworkId) return skip(remarks, "no_identity", networkName);
  return {
    networkType: textOf(element, "NetworkType"),
    networkName,
    nipNetworkProviderName: textOf(element, "NIPNetworkProviderName"),
    ...given("orbitalPositionDegrees", orbitalPosition(element)),
    nipNetworkId,
    nipStreams: childrenNamed(element, "NIPStream").map((stream) => nipStream(stream, remarks))
      .filter((value) => value !== undefined),
  };
}

/** Degrees with a flag for the side, as one number. */
function orbitalPosition(element: XmlElement): number | undefined {
  const position = firstNamed(element, "SatellitePosition");
  const text = position && textOf(position, "OrbitalPosition");
  if (position === undefined || !/^\d{1,3}(\.\d{1,6})?$/.test(text ?? "")) return undefined;
  const degrees = Number(text);
  if (degrees > 180) return undefined;
  return textOf(position, "West_East_flag") === "West" && degrees > 0 ? -degrees : degrees;
}

function nipStream(element: XmlElement, remarks: NipRemark[]): NipStream | undefined {
  const nipStreamProviderName = textOf(element, "NIPStreamProviderName");
  const identity = streamIdentity(element);
  if (identity === undefined) return skip(remarks, "no_identity", nipStreamProviderName);
  return {
    linkLayerFormat: textOf(element, "LinkLayerFormat"),
    nipStreamProviderName,
    ...identity,
    ...given("bootstrapStream", bootstrapStream(firstNamed(element, "BootstrapStream"))),
    ...given("delivery", delivery(element, remarks)),
  };
}

/** Carrier, link and service; absent link and service are 0. */
function streamIdentity(element: XmlElement): Omit<NipStreamIdentity, "nipNetworkId"> | undefined {
  const nipCarrierId = numberOf(element, "NIPCarrierID");
  if (nipCarrierId === undefined) return undefined;
  return {
    nipCarrierId,
    nipLinkId: numberOf(element, "NIPLinkID") ?? 0,
    nipServiceId: numberOf(element, "NIPServiceID") ?? 0,
  };
}

function bootstrapStream(element: XmlElement | undefined): BootstrapStream | undefined {
  return element && {
    bootstrapType: textOf(element, "BootstrapType"),
    status: textOf(element, "Status"),
  };
}

function delivery(stream: XmlElement, remarks: NipRemark[]): SatelliteDelivery | undefined {
  const element = stream.children.find(({ name }) => /DeliveryParameters$/.test(name));
  if (element === undefined) return undefined;
  const [, kind] = /^(DVBS2X?)_NIPDeliveryParameters$/.exec(element.name) ?? [];
  const frequency = numberOf(element, "Frequency", 2 ** 32);
  const symbolRateKs = numberOf(element, "SymbolRate", 2 ** 32);
  if (kind === undefined || !frequency || !symbolRateKs) {
    return skip(remarks, "unknown_delivery", element.name);
  }
  return {
    kind: kind === "DVBS2" ? "dvbs2" : "dvbs2x",
    ...given("receiverProfiles", textOf(element, "receiver_profiles")),
    ...given("s2xMode", textOf(element, "S2X_mode")),
    frequencyKhz: frequency * 10,
    polarization: textOf(element, "Polarization"),
    ...given("modulationType", textOf(element, "Modulation_Type")),
    ...given("rollOff", textOf(element, "Roll_off")),
    symbolRateKs,
    ...given("fec", textOf(element, "FEC")),
    ...given("inputStreamIdentifier", numberOf(element, "input_stream_identifier", 255)),
    ...given("scramblingSequenceIndex", numberOf(element, "scrambling_sequence_index", 0x3FFFF)),
  };
}

function mediaStream(element: XmlElement, remarks: NipRemark[]): BroadcastMediaStream | undefined {
  const nipNetworkId = numberOf(element, "NIPNetworkID", mostNetworkId);
  const identity = streamIdentity(element);
  if (!nipNetworkId || identity === undefined) {
    return skip(remarks, "no_identity", "BroadcastMediaStream");
  }
  const media = childrenNamed(element, "BroadcastMedia");
  return {
    nipNetworkId,
    ...identity,
    uris: media.flatMap((one) => childrenNamed(one, "URI")).map(({ text }) => text)
      .filter((uri) => uri !== ""),
    interactiveApplications: media.flatMap((one) => childrenNamed(one, "InteractiveApplications"))
      .map((one): InteractiveApplication => ({
        applicationType: textOf(one, "ApplicationType"),
        applicationUri: textOf(one, "ApplicationURI"),
        applicationId: textOf(one, "ApplicationID"),
      })),
  };
}

function guideSchedule(element: XmlElement): GuideSchedule {
  return {
    ...given("publishedStartTimeMs", parseTimePoint(textOf(element, "PublishedStartTime"))),
    ...given("publishedDurationMs", parseDuration(textOf(element, "PublishedDuration"))),
    guideSessions: childrenNamed(element, "GuideSession").map((session): GuideSession => ({
      tagRefs: childrenNamed(session, "TagRef").map(({ text }) => text).filter((tag) => tag !== ""),
      ...given(
        "carouselMaxDataSizeBytes",
        numberOf(session, "CarouselMaxDataSize", Number.MAX_SAFE_INTEGER),
      ),
    })),
  };
}

function organisation(parent: XmlElement, name: string): string {
  const element = firstNamed(parent, name);
  return element === undefined ? "" : textOf(element, "Name");
}

function listOffering(
  element: XmlElement,
  remarks: NipRemark[],
): ServiceListOffering | undefined {
  const serviceListName = textOf(element, "ServiceListName");
  const serviceListUris = childrenNamed(element, "ServiceListURI").map((location) => ({
    uri: textOf(location, "URI"),
    contentType: location.attributes.get("contentType") ?? "",
  })).filter(({ uri }) => uri !== "");
  if (serviceListUris.length === 0) return skip(remarks, "no_uri", serviceListName);
  const texts = (name: string) =>
    childrenNamed(element, name).map(({ text }) => text).filter((text) => text !== "");
  return {
    serviceListName,
    serviceListUris,
    languages: texts("Language"),
    targetCountries: texts("TargetCountry"),
    serviceListId: textOf(element, "ServiceListId"),
  };
}
