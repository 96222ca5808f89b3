/**
 * Writes service lists of release 6 (ETSI TS 103 770 V1.2.1, namespaces of 2024).
 *
 * @module
 */

import { node, writeXml, type XmlNode } from "#xml";
import type {
  Delivery,
  DvbsCarrier,
  DvbsDelivery,
  LcnTable,
  RelatedMaterial,
  Service,
  ServiceInstance,
  ServiceList,
} from "./model.ts";

/**
 * Returns the list as text to send in UTF-8. It is valid against the schema of release 6 as long as
 * the strings are: URIs, media types and terms are written as given.
 *
 * @throws {RangeError} when a number is outside the schema's range, the list has no `id`, a modulation
 * comes without a symbol rate, or a string has characters that XML cannot carry.
 */
export function encodeServiceList(list: ServiceList): string {
  if (list.id === "") throw new RangeError("Cannot encode ServiceList: an id: received none");
  const attributes = {
    xmlns: "urn:dvb:metadata:servicediscovery:2024",
    "xmlns:dvbi-types": "urn:dvb:metadata:servicediscovery-types:2023",
    "xmlns:tva": "urn:tva:metadata:2024",
    id: list.id,
    version: whole("ServiceList version", list.version, 1),
    "xml:lang": list.language,
  };
  const tables = list.lcnTables.map(lcnTable);
  return writeXml(node("ServiceList", attributes, [
    node("Name", {}, list.name),
    node("ProviderName", {}, list.providerName),
    ...list.relatedMaterials.map(relatedMaterial),
    tables.length === 0 ? undefined : node("LCNTableList", {}, tables),
    ...list.services.map(service),
  ]));
}

function whole(what: string, value: number, min: number, max = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(
    `Cannot encode ${what}: a whole number from ${min} to ${max}: received ${value}`,
  );
}

function relatedMaterial({ howRelated, mediaUri, contentType }: RelatedMaterial): XmlNode {
  return node("RelatedMaterial", {}, [
    node("tva:HowRelated", { href: howRelated }),
    node("tva:MediaLocator", {}, [node("tva:MediaUri", { contentType }, mediaUri)]),
  ]);
}

function lcnTable({ targetRegions, lcns }: LcnTable): XmlNode {
  return node("LCNTable", {}, [
    ...targetRegions.map((region) => node("TargetRegion", {}, region)),
    ...lcns.map((lcn) =>
      node("LCN", {
        channelNumber: whole("LCN", lcn.channelNumber, 1),
        serviceRef: lcn.serviceRef,
        selectable: lcn.selectable,
        visible: lcn.visible,
      })
    ),
  ]);
}

function service(service: Service): XmlNode {
  const version = whole("Service version", service.version, 1);
  return node("Service", { version }, [
    node("UniqueIdentifier", {}, service.uniqueIdentifier),
    ...service.serviceInstances.map(serviceInstance),
    node("ServiceName", {}, service.serviceName),
    node("ProviderName", {}, service.providerName),
    ...service.relatedMaterials.map(relatedMaterial),
    service.serviceType === undefined
      ? undefined
      : node("ServiceType", { href: service.serviceType }),
  ]);
}

function serviceInstance({ priority, displayName, delivery }: ServiceInstance): XmlNode {
  return node("ServiceInstance", { priority: whole("priority", priority, 0) }, [
    displayName === undefined ? undefined : node("DisplayName", {}, displayName),
    deliveryParameters(delivery),
  ]);
}

function deliveryParameters(delivery: Delivery): XmlNode {
  switch (delivery.kind) {
    case "dash":
      return node("DASHDeliveryParameters", {}, [
        node("UriBasedLocation", { contentType: delivery.contentType }, [
          node("dvbi-types:URI", {}, delivery.uri),
        ]),
      ]);
    case "identifier":
      return node(
        "IdentifierBasedDeliveryParameters",
        { contentType: delivery.contentType },
        delivery.uri,
      );
    case "dvbs":
      return dvbsParameters(delivery);
  }
}

function dvbsParameters({ dvbTriplet, orbitalPositionDegrees, carrier }: DvbsDelivery): XmlNode {
  const { origNetId, tsId, serviceId } = dvbTriplet;
  for (const part of [origNetId ?? 0, tsId ?? 0, serviceId]) whole("DVBTriplet", part, 0, 65_535);
  return node("DVBSDeliveryParameters", {}, [
    node("DVBTriplet", { origNetId, tsId, serviceId }),
    orbitalPositionDegrees === undefined ? undefined : orbitalPosition(orbitalPositionDegrees),
    ...(carrier === undefined ? [] : carrierElements(carrier)),
  ]);
}

function orbitalPosition(degrees: number): XmlNode {
  if (!(degrees >= -180 && degrees <= 180)) {
    throw new RangeError(
      `Cannot encode OrbitalPosition: -180 to 180 degrees: received ${degrees}`,
    );
  }
  return node("OrbitalPosition", {}, String(degrees));
}

function carrierElements({ frequency, polarization, symbolRate, modulation }: DvbsCarrier) {
  if (modulation !== undefined && symbolRate === undefined) {
    throw new RangeError("Cannot encode modulation: a symbol rate with it: received none");
  }
  return [
    node("Frequency", {}, String(whole("Frequency", frequency, 1))),
    node("Polarization", {}, polarization),
    symbolRate === undefined
      ? undefined
      : node("SymbolRate", {}, String(whole("SymbolRate", symbolRate, 1))),
    ...(modulation === undefined ? [] : [
      node("RollOff", {}, modulation.rollOff),
      node("ModulationSystem", {}, modulation.modulationSystem),
      node("ModulationType", {}, modulation.modulationType),
      node("FEC", {}, modulation.fec),
    ]),
  ];
}
