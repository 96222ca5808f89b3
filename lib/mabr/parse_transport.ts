/**
 * Reads what all transport sessions of a configuration document have in common.
 *
 * @module
 */

import { childrenNamed, firstNamed, parseUnsigned, type XmlElement } from "#xml";
import {
  type BitRate,
  type CarouselReference,
  type EndpointAddress,
  type ForwardErrorCorrectionParameters,
  type ObjectCarousel,
  type RepairBaseURL,
  type ResourceLocator,
  type TransportProtocol,
  transportProtocols,
  type TransportSecurity,
  type TransportSession,
  type UnicastRepairParameters,
} from "./model.ts";
import { parseDuration } from "./time.ts";
import { boolean, isIpAddress, optional } from "./values.ts";

/** Why a transport session cannot be used. */
export type TransportSkipReason = "no_protocol" | "unknown_protocol" | "no_endpoint";

const knownProtocols: ReadonlySet<string> = new Set(Object.values(transportProtocols));

/** Reads transport sessions and says which it could not use. */
export class TransportSessionReader {
  readonly #skipped: (reason: TransportSkipReason, subject: string) => void;

  constructor(skipped: (reason: TransportSkipReason, subject: string) => void) {
    this.#skipped = skipped;
  }

  /** Returns the common part, or `undefined` when no receiver could join by it. */
  read(element: XmlElement, subject: string): TransportSession | undefined {
    const transportProtocol = protocol(firstNamed(element, "TransportProtocol"));
    if (transportProtocol === undefined) return this.#skip("no_protocol", subject);
    if (!knownProtocols.has(transportProtocol.protocolIdentifier)) {
      return this.#skip("unknown_protocol", subject);
    }
    const endpointAddresses = endpoints(element);
    if (endpointAddresses.length === 0) return this.#skip("no_endpoint", subject);
    return { transportProtocol, endpointAddresses, ...details(element) };
  }

  #skip(reason: TransportSkipReason, subject: string): undefined {
    this.#skipped(reason, subject);
  }
}

function details(element: XmlElement): Partial<TransportSession> {
  const { attributes } = element;
  return optional({
    serviceClass: attributes.get("serviceClass"),
    transportSecurity: security(attributes.get("transportSecurity")),
    sessionIdleTimeoutMs: parseUnsigned(attributes.get("sessionIdleTimeout")),
    bitRate: bitRate(firstNamed(element, "BitRate")),
    forwardErrorCorrectionParameters: forwardErrorCorrection(element),
    unicastRepairParameters: repair(firstNamed(element, "UnicastRepairParameters")),
    objectCarousel: carousel(firstNamed(element, "ObjectCarousel")),
  });
}

function protocol(element: XmlElement | undefined): TransportProtocol | undefined {
  const protocolIdentifier = element?.attributes.get("protocolIdentifier")?.trim();
  if (element === undefined || !protocolIdentifier) return undefined;
  return {
    protocolIdentifier,
    protocolVersion: parseUnsigned(element.attributes.get("protocolVersion")) ?? 1,
  };
}

function security(text: string | undefined): TransportSecurity | undefined {
  return text === "none" || text === "integrity" || text === "integrityAndAuthenticity"
    ? text
    : undefined;
}

function endpoints(parent: XmlElement): EndpointAddress[] {
  return childrenNamed(parent, "EndpointAddress").map(endpoint).filter((address) =>
    address !== undefined
  );
}

function endpoint(element: XmlElement): EndpointAddress | undefined {
  const value = (name: string) => firstNamed(element, name)?.text;
  const networkSourceAddress = value("NetworkSourceAddress") || undefined;
  const networkDestinationGroupAddress = value("NetworkDestinationGroupAddress") ?? "";
  const transportDestinationPort = parseUnsigned(value("TransportDestinationPort")) ?? 0;
  if (!isIpAddress(networkDestinationGroupAddress)) return undefined;
  if (networkSourceAddress !== undefined && !isIpAddress(networkSourceAddress)) return undefined;
  if (transportDestinationPort < 1 || transportDestinationPort > 65_535) return undefined;
  return {
    ...optional({ networkSourceAddress }),
    networkDestinationGroupAddress,
    transportDestinationPort,
    ...optional({
      mediaTransportSessionIdentifier: parseUnsigned(value("MediaTransportSessionIdentifier")),
    }),
  };
}

function bitRate(element: XmlElement | undefined): BitRate | undefined {
  const maximumBitsPerSecond = parseUnsigned(element?.attributes.get("maximum"));
  if (element === undefined || maximumBitsPerSecond === undefined) return undefined;
  return {
    ...optional({ averageBitsPerSecond: parseUnsigned(element.attributes.get("average")) }),
    maximumBitsPerSecond,
  };
}

function forwardErrorCorrection(
  parent: XmlElement,
): ForwardErrorCorrectionParameters[] | undefined {
  const found = childrenNamed(parent, "ForwardErrorCorrectionParameters")
    .map((element) => ({
      schemeIdentifier: firstNamed(element, "SchemeIdentifier")?.text ?? "",
      overheadPercentage: parseUnsigned(firstNamed(element, "OverheadPercentage")?.text) ?? 0,
      endpointAddresses: endpoints(element),
    }))
    .filter(({ schemeIdentifier }) => schemeIdentifier !== "");
  return found.length === 0 ? undefined : found;
}

function repair(element: XmlElement | undefined): UnicastRepairParameters | undefined {
  if (element === undefined) return undefined;
  const { attributes } = element;
  return {
    ...optional({
      transportObjectBaseURI: attributes.get("transportObjectBaseURI") || undefined,
      transportObjectReceptionTimeoutMs: parseUnsigned(
        attributes.get("transportObjectReceptionTimeout"),
      ),
    }),
    fixedBackOffPeriodMs: parseUnsigned(attributes.get("fixedBackOffPeriod")) ?? 0,
    randomBackOffPeriodMs: parseUnsigned(attributes.get("randomBackOffPeriod")) ?? 0,
    baseURLs: childrenNamed(element, "BaseURL").map(baseUrl).filter(({ url }) => url !== ""),
  };
}

function baseUrl({ attributes, text }: XmlElement): RepairBaseURL {
  return { url: text, relativeWeight: parseUnsigned(attributes.get("relativeWeight")) ?? 1 };
}

function carousel(element: XmlElement | undefined): ObjectCarousel | undefined {
  if (element === undefined) return undefined;
  const { attributes } = element;
  return {
    ...optional({
      aggregateTransportSizeBytes: parseUnsigned(attributes.get("aggregateTransportSize")),
      aggregateContentSizeBytes: parseUnsigned(attributes.get("aggregateContentSize")),
    }),
    presentationManifests: childrenNamed(element, "PresentationManifests").map(carouselReference),
    initSegments: childrenNamed(element, "InitSegments").map(carouselReference),
    resourceLocators: childrenNamed(element, "ResourceLocator").map(resourceLocator)
      .filter(({ uri }) => uri !== ""),
  };
}

function carouselReference({ attributes }: XmlElement): CarouselReference {
  return optional({
    targetAcquisitionLatencyMs: parseDuration(attributes.get("targetAcquisitionLatency") ?? ""),
    compressionPreferred: boolean(attributes.get("compressionPreferred")),
    serviceIdRef: attributes.get("serviceIdRef"),
    transportSessionIdRef: attributes.get("transportSessionIdRef"),
  });
}

function resourceLocator({ attributes, text }: XmlElement): ResourceLocator {
  return {
    uri: text,
    ...optional({
      targetAcquisitionLatencyMs: parseDuration(attributes.get("targetAcquisitionLatency") ?? ""),
      compressionPreferred: boolean(attributes.get("compressionPreferred")),
      revalidationPeriodMs: parseDuration(attributes.get("revalidationPeriod") ?? ""),
    }),
  };
}
