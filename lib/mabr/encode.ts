/**
 * Writes gateway configuration documents: schema 2, elements in the order of the tables of
 * ETSI TS 103 769 clause 10.2.
 *
 * @module
 */

import { node, writeXml, type XmlNode } from "#xml";
import type {
  EndpointAddress,
  ForwardErrorCorrectionParameters,
  GatewayConfiguration,
  MulticastGatewayConfigurationTransportSession,
  MulticastSession,
  MulticastTransportSession,
  ObjectCarousel,
  PresentationManifestLocator,
  ReportingLocator,
  ServiceComponentIdentifier,
  TransportSession,
  UnicastRepairParameters,
} from "./model.ts";
import { formatDuration, formatTimePoint } from "./time.ts";

/** How a document is written. */
export interface EncodeOptions {
  /**
   * `plain` writes `schemaVersion` as in Annex C of the specification; `extensibility` writes
   * `ext:schemaVersion`, as operators of DVB-NIP do.
   */
  readonly schemaVersionForm?: "plain" | "extensibility";
}

/**
 * Returns the document as text to send in UTF-8.
 *
 * @throws {RangeError} when a value cannot be written: a manifest locator without any road, a
 * transport session without an endpoint, a negative time, characters that XML cannot carry.
 */
export function encodeGatewayConfiguration(
  configuration: GatewayConfiguration,
  { schemaVersionForm = "plain" }: EncodeOptions = {},
): string {
  const version = schemaVersionForm === "plain"
    ? { schemaVersion: 2 }
    : { "xmlns:ext": "urn:dvb:metadata:Extensibility:2024", "ext:schemaVersion": 2 };
  const attributes = {
    xmlns: "urn:dvb:metadata:MulticastSessionConfiguration:2024",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    ...version,
    validityPeriod: given(configuration.validityPeriodMs, formatDuration),
    validUntil: given(configuration.validUntilMs, formatTimePoint),
  };
  return writeXml(node("MulticastGatewayConfiguration", attributes, [
    ...configuration.multicastGatewayConfigurationTransportSessions.map(configurationSession),
    ...configuration.multicastSessions.map(multicastSession),
    reporting(configuration.reportingLocators),
  ]));
}

function given<T, R>(value: T | undefined, write: (value: T) => R): R | undefined {
  return value === undefined ? undefined : write(value);
}

function configurationSession(session: MulticastGatewayConfigurationTransportSession): XmlNode {
  const { tags, multicastGatewayConfigurationMacros: macros = [] } = session;
  const attributes = { ...sharedAttributes(session), tags: tags?.join(" ") };
  return node("MulticastGatewayConfigurationTransportSession", attributes, [
    ...sharedElements(session),
    ...macros.map(({ key, value }) => node("MulticastGatewayConfigurationMacro", { key }, value)),
  ]);
}

function multicastSession(session: MulticastSession): XmlNode {
  const attributes = {
    serviceIdentifier: session.serviceIdentifier,
    contentPlaybackAvailabilityOffset: given(
      session.contentPlaybackAvailabilityOffsetMs,
      formatDuration,
    ),
  };
  return node("MulticastSession", attributes, [
    ...session.presentationManifestLocators.map(manifestLocator),
    reporting(session.reportingLocators),
    ...session.multicastTransportSessions.map(transportSession),
  ]);
}

function manifestLocator(locator: PresentationManifestLocator): XmlNode {
  const { manifestId, contentType, transportObjectURI, contentPlaybackPathPattern, url } = locator;
  if (url === "" && !contentPlaybackPathPattern) {
    throw new RangeError(
      "Cannot encode PresentationManifestLocator: a URL or a contentPlaybackPathPattern " +
        `(ETSI TS 103 769 clause 10.2.2.2): received neither for ${manifestId}`,
    );
  }
  return node(
    "PresentationManifestLocator",
    { manifestId, contentType, transportObjectURI, contentPlaybackPathPattern },
    url,
  );
}

function transportSession(session: MulticastTransportSession): XmlNode {
  const attributes = {
    id: session.id,
    ...sharedAttributes(session),
    start: given(session.startMs, formatTimePoint),
    duration: given(session.durationMs, formatDuration),
    transmissionMode: session.transmissionMode,
  };
  return node("MulticastTransportSession", attributes, [
    ...sharedElements(session),
    ...session.serviceComponentIdentifiers.map(componentIdentifier),
  ]);
}

function sharedAttributes(session: TransportSession): XmlNode["attributes"] {
  return {
    serviceClass: session.serviceClass,
    transportSecurity: session.transportSecurity,
    sessionIdleTimeout: session.sessionIdleTimeoutMs,
  };
}

function sharedElements(session: TransportSession): (XmlNode | undefined)[] {
  if (session.endpointAddresses.length === 0) {
    throw new RangeError("Cannot encode transport session: at least one endpoint: received none");
  }
  const { averageBitsPerSecond: average, maximumBitsPerSecond: maximum } = session.bitRate ?? {};
  return [
    node("TransportProtocol", { ...session.transportProtocol }),
    ...session.endpointAddresses.map(endpointAddress),
    session.bitRate && node("BitRate", { average, maximum }),
    ...(session.forwardErrorCorrectionParameters ?? []).map(forwardErrorCorrection),
    given(session.unicastRepairParameters, repairParameters),
    given(session.objectCarousel, objectCarousel),
  ];
}

function endpointAddress(address: EndpointAddress): XmlNode {
  const child = (name: string, value: string | number | undefined) =>
    given(value, (value) => node(name, {}, String(value)));
  return node("EndpointAddress", {}, [
    child("NetworkSourceAddress", address.networkSourceAddress),
    child("NetworkDestinationGroupAddress", address.networkDestinationGroupAddress),
    child("TransportDestinationPort", address.transportDestinationPort),
    child("MediaTransportSessionIdentifier", address.mediaTransportSessionIdentifier),
  ]);
}

function forwardErrorCorrection(parameters: ForwardErrorCorrectionParameters): XmlNode {
  return node("ForwardErrorCorrectionParameters", {}, [
    node("SchemeIdentifier", {}, parameters.schemeIdentifier),
    node("OverheadPercentage", {}, String(parameters.overheadPercentage)),
    ...parameters.endpointAddresses.map(endpointAddress),
  ]);
}

function repairParameters(parameters: UnicastRepairParameters): XmlNode {
  const attributes = {
    transportObjectBaseURI: parameters.transportObjectBaseURI,
    transportObjectReceptionTimeout: parameters.transportObjectReceptionTimeoutMs,
    fixedBackOffPeriod: parameters.fixedBackOffPeriodMs,
    randomBackOffPeriod: parameters.randomBackOffPeriodMs,
  };
  return node(
    "UnicastRepairParameters",
    attributes,
    parameters.baseURLs.map(({ url, relativeWeight }) => node("BaseURL", { relativeWeight }, url)),
  );
}

function objectCarousel(carousel: ObjectCarousel): XmlNode {
  const attributes = {
    aggregateTransportSize: carousel.aggregateTransportSizeBytes,
    aggregateContentSize: carousel.aggregateContentSizeBytes,
  };
  return node("ObjectCarousel", attributes, [
    ...carousel.presentationManifests.map((entry) => node("PresentationManifests", latency(entry))),
    ...carousel.initSegments.map((entry) => node("InitSegments", latency(entry))),
    ...carousel.resourceLocators.map((entry) => node("ResourceLocator", latency(entry), entry.uri)),
  ]);
}

function latency(
  entry: ObjectCarousel["presentationManifests"][number] & { revalidationPeriodMs?: number },
): XmlNode["attributes"] {
  return {
    targetAcquisitionLatency: given(entry.targetAcquisitionLatencyMs, formatDuration),
    compressionPreferred: entry.compressionPreferred,
    revalidationPeriod: given(entry.revalidationPeriodMs, formatDuration),
    serviceIdRef: entry.serviceIdRef,
    transportSessionIdRef: entry.transportSessionIdRef,
  };
}

const componentTypes = {
  dash: "DASHComponentIdentifierType",
  hls: "HLSComponentIdentifierType",
  generic: "GenericComponentIdentifierType",
} as const;

function componentIdentifier({ type, ...rest }: ServiceComponentIdentifier): XmlNode {
  return node("ServiceComponentIdentifier", { "xsi:type": componentTypes[type], ...rest });
}

function reporting(locators: readonly ReportingLocator[] = []): XmlNode | undefined {
  if (locators.length === 0) return undefined;
  return node(
    "MulticastGatewaySessionReporting",
    {},
    locators.map(({ url, proportion, periodMs, randomDelayMs, reportSessionRunningEvents }) => {
      const attributes = {
        proportion,
        period: formatDuration(periodMs),
        randomDelay: randomDelayMs,
        reportSessionRunningEvents,
      };
      return node("ReportingLocator", attributes, url);
    }),
  );
}
