/**
 * Writes DVB-NIP documents in the namespaces of 2024, elements in the order that operators use.
 *
 * @module
 */

import { formatDuration } from "#mabr";
import { node, writeXml, type XmlNode } from "#xml";
import type {
  BroadcastMediaStream,
  BroadcastNetwork,
  ContentGuideManifest,
  GuideSchedule,
  NetworkInformationFile,
  NipStream,
  NipStreamIdentity,
  SatelliteDelivery,
  ServiceInformationFile,
  ServiceListEntryPoints,
  ServiceListOffering,
} from "./model.ts";

const nipAttributes = {
  xmlns: "urn:dvb:metadata:nativeip:2024",
  "xmlns:ext": "urn:dvb:metadata:Extensibility:2024",
  "ext:schemaVersion": 1,
};

/**
 * Returns the file as text to send in UTF-8.
 *
 * @throws {RangeError} when a number is out of its range or a string has characters that XML lacks.
 */
export function encodeNetworkInformationFile(file: NetworkInformationFile): string {
  return writeXml(node("NetworkInformationFile", nipAttributes, [
    time("VersionUpdate", file.versionUpdateMs),
    leaf("NIFType", file.nifType),
    network("ActualBroadcastNetwork", file.actualBroadcastNetwork),
    ...file.otherBroadcastNetworks.map((one) => network("OtherBroadcastNetwork", one)),
  ]));
}

/** As {@linkcode encodeNetworkInformationFile}, for the other file. */
export function encodeServiceInformationFile(file: ServiceInformationFile): string {
  return writeXml(node("ServiceInformationFile", nipAttributes, [
    time("VersionUpdate", file.versionUpdateMs),
    leaf("NIPNetworkProviderName", file.nipNetworkProviderName),
    ...file.broadcastMediaStreams.map(mediaStream),
  ]));
}

/** As {@linkcode encodeNetworkInformationFile}, for the manifest of a guide. */
export function encodeContentGuideManifest(manifest: ContentGuideManifest): string {
  return writeXml(node("NIPContentGuideManifest", nipAttributes, [
    time("VersionUpdate", manifest.versionUpdateMs),
    ...manifest.guideSchedules.map(guideSchedule),
  ]));
}

/** As {@linkcode encodeNetworkInformationFile}, for the entry points of DVB-I. */
export function encodeServiceListEntryPoints(entryPoints: ServiceListEntryPoints): string {
  const attributes = {
    xmlns: "urn:dvb:metadata:servicelistdiscovery:2024",
    "xmlns:dvbi-types": "urn:dvb:metadata:servicediscovery-types:2023",
    "xml:lang": entryPoints.language,
  };
  return writeXml(node("ServiceListEntryPoints", attributes, [
    organisation("ServiceListRegistryEntity", entryPoints.registryName),
    ...entryPoints.providerOfferings.map(({ providerName, serviceListOfferings }) =>
      node("ProviderOffering", {}, [
        organisation("Provider", providerName),
        ...serviceListOfferings.map(listOffering),
      ])
    ),
  ]));
}

function whole(what: string, value: number, least: number, most: number): string {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return String(value);
  throw new RangeError(
    `Cannot encode ${what}: a whole number from ${least} to ${most}: received ${value}`,
  );
}

/** An element with text; none where there is no value. */
function leaf(name: string, value: string | undefined): XmlNode | undefined {
  return value === undefined ? undefined : node(name, {}, value);
}

function time(name: string, ms: number | undefined): XmlNode | undefined {
  if (ms === undefined) return undefined;
  whole(name, ms, Date.UTC(1970), Date.UTC(9999));
  return leaf(name, new Date(ms).toISOString().replace(".000Z", "Z"));
}

function number(name: string, value: number | undefined, most = 65_535, least = 0) {
  return value === undefined ? undefined : leaf(name, whole(name, value, least, most));
}

const networkId = (id: number) => number("NIPNetworkID", id, 65_280, 1);

function network(name: string, one: BroadcastNetwork): XmlNode {
  return node(name, {}, [
    leaf("NetworkType", one.networkType),
    leaf("NetworkName", one.networkName),
    leaf("NIPNetworkProviderName", one.nipNetworkProviderName),
    satellitePosition(one.orbitalPositionDegrees),
    networkId(one.nipNetworkId),
    ...one.nipStreams.map(nipStream),
  ]);
}

function satellitePosition(degrees: number | undefined): XmlNode | undefined {
  if (degrees === undefined) return undefined;
  if (!(Math.abs(degrees) <= 180)) {
    throw new RangeError(
      `Cannot encode OrbitalPosition: -180 to 180 degrees: received ${degrees}`,
    );
  }
  return node("SatellitePosition", {}, [
    leaf("OrbitalPosition", Math.abs(degrees).toFixed(6).replace(/\.?0+$/, "")),
    leaf("West_East_flag", degrees < 0 ? "West" : "East"),
  ]);
}

function identity(stream: Omit<NipStreamIdentity, "nipNetworkId">) {
  return [
    number("NIPCarrierID", stream.nipCarrierId),
    number("NIPLinkID", stream.nipLinkId),
    number("NIPServiceID", stream.nipServiceId),
  ];
}

function nipStream(stream: NipStream): XmlNode {
  const { bootstrapStream, delivery } = stream;
  return node("NIPStream", {}, [
    leaf("LinkLayerFormat", stream.linkLayerFormat),
    leaf("NIPStreamProviderName", stream.nipStreamProviderName),
    ...identity(stream),
    bootstrapStream && node("BootstrapStream", {}, [
      leaf("BootstrapType", bootstrapStream.bootstrapType),
      leaf("Status", bootstrapStream.status),
    ]),
    delivery && deliveryParameters(delivery),
  ]);
}

function deliveryParameters(delivery: SatelliteDelivery): XmlNode {
  const name = delivery.kind === "dvbs2" ? "DVBS2" : "DVBS2X";
  return node(`${name}_NIPDeliveryParameters`, {}, [
    leaf("receiver_profiles", delivery.receiverProfiles),
    leaf("S2X_mode", delivery.s2xMode),
    number("Frequency", delivery.frequencyKhz / 10, 2 ** 32, 1),
    leaf("Polarization", delivery.polarization),
    leaf("Modulation_Type", delivery.modulationType),
    leaf("Roll_off", delivery.rollOff),
    number("SymbolRate", delivery.symbolRateKs, 2 ** 32, 1),
    leaf("FEC", delivery.fec),
    number("input_stream_identifier", delivery.inputStreamIdentifier, 255),
    number("scrambling_sequence_index", delivery.scramblingSequenceIndex, 0x3FFFF),
  ]);
}

function mediaStream(stream: BroadcastMediaStream): XmlNode {
  return node("BroadcastMediaStream", {}, [
    networkId(stream.nipNetworkId),
    ...identity(stream),
    node("BroadcastMedia", {}, [
      ...stream.uris.map((uri) => leaf("URI", uri)),
      ...stream.interactiveApplications.map((application) =>
        node("InteractiveApplications", {}, [
          leaf("ApplicationType", application.applicationType),
          leaf("ApplicationURI", application.applicationUri),
          leaf("ApplicationID", application.applicationId),
        ])
      ),
    ]),
  ]);
}

function guideSchedule(schedule: GuideSchedule): XmlNode {
  const { publishedStartTimeMs, publishedDurationMs, guideSessions } = schedule;
  return node("GuideSchedule", {}, [
    time("PublishedStartTime", publishedStartTimeMs),
    publishedDurationMs === undefined
      ? undefined
      : leaf("PublishedDuration", formatDuration(publishedDurationMs)),
    ...guideSessions.map(({ tagRefs, carouselMaxDataSizeBytes }) =>
      node("GuideSession", {}, [
        ...tagRefs.map((tag) => leaf("TagRef", tag)),
        number("CarouselMaxDataSize", carouselMaxDataSizeBytes, Number.MAX_SAFE_INTEGER),
      ])
    ),
  ]);
}

function organisation(name: string, text: string): XmlNode {
  return node(name, {}, [leaf("Name", text)]);
}

function listOffering(offering: ServiceListOffering): XmlNode {
  if (offering.serviceListUris.length === 0) {
    throw new RangeError("Cannot encode ServiceListOffering: a URI: received none");
  }
  return node("ServiceListOffering", {}, [
    node("dvbi-types:ServiceListName", {}, offering.serviceListName),
    ...offering.serviceListUris.map(({ uri, contentType }) =>
      node("dvbi-types:ServiceListURI", { contentType }, [node("dvbi-types:URI", {}, uri)])
    ),
    node("dvbi-types:Delivery", {}, [node("dvbi-types:DASHDelivery", { required: false })]),
    ...offering.languages.map((text) => node("dvbi-types:Language", {}, text)),
    ...offering.targetCountries.map((text) => node("dvbi-types:TargetCountry", {}, text)),
    node("dvbi-types:ServiceListId", {}, offering.serviceListId),
  ]);
}
