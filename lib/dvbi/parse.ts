/**
 * Reads service lists of any release: elements count by local name, whatever year their namespace has.
 *
 * What cannot be used is left out with a remark and never costs the rest of the list.
 *
 * @module
 */

import {
  childrenNamed,
  firstNamed,
  parseUnsigned,
  readXml,
  type XmlElement,
  type XmlRejection,
} from "#xml";
import {
  type Delivery,
  type DvbsCarrier,
  type DvbsDelivery,
  type DvbsModulation,
  type Lcn,
  type LcnTable,
  manifestMediaTypes,
  polarizations,
  type RelatedMaterial,
  type Service,
  type ServiceInstance,
  type ServiceList,
} from "./model.ts";

/** Why a list was refused as a whole. */
export type DvbiRejection = XmlRejection | "wrong_root";

/** Why a part of a list was left out. */
export type DvbiSkipReason = "no_identifier" | "unknown_delivery";

/** A part that was left out. */
export interface DvbiRemark {
  readonly reason: DvbiSkipReason;
  /** Which one it was in the list's own words, at most 128 characters. */
  readonly subject: string;
}

/** A list and what the reader left out of it. */
export interface ParsedServiceList extends ServiceList {
  readonly remarks: readonly DvbiRemark[];
}

/** National lists of some hundred services with guides and regions stay below this. */
const limits = { maxLength: 4 * 2 ** 20, maxDepth: 32 };

/**
 * Reads a `ServiceList`.
 *
 * @param document Text, or bytes in UTF-8.
 * @returns The reason in one word when nothing of it can be used. Never throws.
 */
export function parseServiceList(document: string | Uint8Array): ParsedServiceList | DvbiRejection {
  const root = readXml(document, limits);
  if (typeof root === "string") return root;
  if (root.name !== "ServiceList") return "wrong_root";
  const remarks: DvbiRemark[] = [];
  return {
    id: root.attributes.get("id") ?? "",
    version: parseUnsigned(root.attributes.get("version")) || 1,
    language: root.attributes.get("lang") ?? "",
    name: childText(root, "Name"),
    providerName: childText(root, "ProviderName"),
    relatedMaterials: relatedMaterials(root),
    lcnTables: childrenNamed(root, "LCNTableList").flatMap((list) =>
      childrenNamed(list, "LCNTable")
    ).map(lcnTable),
    services: childrenNamed(root, "Service", "TestService")
      .map((element) => service(element, remarks))
      .filter((value) => value !== undefined),
    remarks,
  };
}

function childText(parent: XmlElement, name: string): string {
  return firstNamed(parent, name)?.text ?? "";
}

/** Says that a part was left out, in a form that fits where the part was asked for. */
function skip(remarks: DvbiRemark[], reason: DvbiSkipReason, subject: string): undefined {
  remarks.push({ reason, subject: subject.slice(0, 128) });
}

function relatedMaterials(parent: XmlElement): RelatedMaterial[] {
  return childrenNamed(parent, "RelatedMaterial").map((element) => {
    const media = childrenNamed(element, "MediaLocator").map((locator) =>
      firstNamed(locator, "MediaUri")
    )[0];
    const contentType = media?.attributes.get("contentType");
    return {
      howRelated: firstNamed(element, "HowRelated")?.attributes.get("href") ?? "",
      mediaUri: media?.text ?? "",
      ...(contentType === undefined ? {} : { contentType }),
    };
  }).filter(({ howRelated, mediaUri }) => howRelated !== "" && mediaUri !== "");
}

function lcnTable(element: XmlElement): LcnTable {
  return {
    targetRegions: childrenNamed(element, "TargetRegion").map(({ text }) => text),
    lcns: childrenNamed(element, "LCN").map(lcn).filter((value) => value !== undefined),
  };
}

function lcn({ attributes }: XmlElement): Lcn | undefined {
  const channelNumber = parseUnsigned(attributes.get("channelNumber"));
  const serviceRef = attributes.get("serviceRef");
  if (!channelNumber || !serviceRef) return undefined;
  const unless = (name: string) => !["false", "0"].includes(attributes.get(name) ?? "true");
  return {
    channelNumber,
    serviceRef,
    selectable: unless("selectable"),
    visible: unless("visible"),
  };
}

function service(element: XmlElement, remarks: DvbiRemark[]): Service | undefined {
  const uniqueIdentifier = childText(element, "UniqueIdentifier");
  const serviceName = childText(element, "ServiceName");
  if (uniqueIdentifier === "") return skip(remarks, "no_identifier", serviceName);
  const serviceType = firstNamed(element, "ServiceType")?.attributes.get("href");
  return {
    uniqueIdentifier,
    version: parseUnsigned(element.attributes.get("version")) || 1,
    serviceName,
    providerName: childText(element, "ProviderName"),
    relatedMaterials: relatedMaterials(element),
    ...(serviceType === undefined ? {} : { serviceType }),
    serviceInstances: childrenNamed(element, "ServiceInstance")
      .map((instance) =>
        serviceInstance(instance) ?? skip(remarks, "unknown_delivery", uniqueIdentifier)
      )
      .filter((value) => value !== undefined),
  };
}

function serviceInstance(element: XmlElement): ServiceInstance | undefined {
  const delivery = element.children.map(deliveryOf).find((value) => value !== undefined);
  if (delivery === undefined) return undefined;
  const displayName = firstNamed(element, "DisplayName")?.text;
  return {
    priority: parseUnsigned(element.attributes.get("priority")) ?? 0,
    ...(displayName === undefined ? {} : { displayName }),
    delivery,
  };
}

/** Reads one child of an instance; `undefined` for what is no delivery that we know. */
function deliveryOf(element: XmlElement): Delivery | undefined {
  switch (element.name) {
    case "DASHDeliveryParameters":
      return manifest("dash", firstNamed(element, "UriBasedLocation"), manifestMediaTypes.dash);
    case "IdentifierBasedDeliveryParameters":
      return manifest("identifier", element, "");
    case "OtherDeliveryParameters":
      // Lists before IdentifierBasedDeliveryParameters came write HLS as an extension.
      return element.attributes.get("extensionName") === "vnd.apple.mpegurl"
        ? manifest("identifier", element, manifestMediaTypes.hls)
        : undefined;
    case "DVBSDeliveryParameters":
      return dvbs(element);
  }
}

function manifest(
  kind: "dash" | "identifier",
  location: XmlElement | undefined,
  contentType: string,
): Delivery | undefined {
  const uri = location && uriIn(location);
  if (!uri) return undefined;
  return { kind, uri, contentType: location.attributes.get("contentType") ?? contentType };
}

/** The first text at or below an element: old and new lists wrap the URI differently. */
function uriIn(element: XmlElement): string | undefined {
  if (element.text !== "") return element.text;
  return element.children.map(uriIn).find((text) => text !== undefined);
}

function dvbs(element: XmlElement): DvbsDelivery | undefined {
  const triplet = firstNamed(element, "DVBTriplet");
  const serviceId = parseUnsigned(triplet?.attributes.get("serviceId"));
  if (triplet === undefined || serviceId === undefined) return undefined;
  const origNetId = parseUnsigned(triplet.attributes.get("origNetId"));
  const tsId = parseUnsigned(triplet.attributes.get("tsId"));
  const position = firstNamed(element, "OrbitalPosition")?.text;
  const orbitalPositionDegrees = Number(position ?? NaN);
  const carrier = dvbsCarrier(element);
  return {
    kind: "dvbs",
    dvbTriplet: {
      ...(origNetId === undefined ? {} : { origNetId }),
      ...(tsId === undefined ? {} : { tsId }),
      serviceId,
    },
    ...(Math.abs(orbitalPositionDegrees) <= 180 ? { orbitalPositionDegrees } : {}),
    ...(carrier === undefined ? {} : { carrier }),
  };
}

function dvbsCarrier(element: XmlElement): DvbsCarrier | undefined {
  const frequency = parseUnsigned(childText(element, "Frequency"));
  const polarization = polarizations.find((value) => value === childText(element, "Polarization"));
  if (!frequency || polarization === undefined) return undefined;
  const symbolRate = parseUnsigned(childText(element, "SymbolRate"));
  if (!symbolRate) return { frequency, polarization };
  const modulation: DvbsModulation = {
    rollOff: childText(element, "RollOff"),
    modulationSystem: childText(element, "ModulationSystem"),
    modulationType: childText(element, "ModulationType"),
    fec: childText(element, "FEC"),
  };
  const whole = Object.values(modulation).every((value) => value !== "");
  return { frequency, polarization, symbolRate, ...(whole ? { modulation } : {}) };
}
