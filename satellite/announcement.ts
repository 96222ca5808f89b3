/**
 * The documents of the DVB-NIP announcement session (ETSI TS 103 876): what a box that knows nothing
 * needs to find the rest. Pure.
 *
 * @module
 */

import { serviceListMediaType } from "#dvbi";
import { configurationMediaType, encodeGatewayConfiguration, transportProtocols } from "#mabr";
import {
  announcementEndpoint,
  encodeNetworkInformationFile,
  encodeServiceInformationFile,
  encodeServiceListEntryPoints,
  type NetworkInformationFile,
  nipMediaTypes,
  nipUris,
  type ServiceInformationFile,
  type ServiceListEntryPoints,
} from "#nip";
import { acquisitionMs, bootstrapConfiguration, type Carriage } from "./gateway_configuration.ts";
import { type Installation, streamIdentity } from "./installation.ts";
import { transportUri } from "./object_key.ts";

/** Where the announcement session is sent. */
export interface AnnouncementGroup {
  readonly hostname: string;
  readonly port: number;
}

/** One document, and how it is written with the time of its last change. */
export interface AnnouncedDocument {
  readonly uri: string;
  readonly contentType: string;
  readonly write: (versionUpdateMs: number) => string;
}

/** The documents for what is carried now. */
export function announcedDocuments(
  installation: Installation,
  { carriage, group }: { readonly carriage: Carriage; readonly group: AnnouncementGroup },
): AnnouncedDocument[] {
  return [
    {
      uri: nipUris.bootstrap,
      contentType: configurationMediaType,
      write: () => bootstrap(carriage, group),
    },
    {
      uri: nipUris.networkInformationFile,
      contentType: nipMediaTypes.networkInformationFile,
      write: (versionUpdateMs) =>
        encodeNetworkInformationFile(networkInformation(installation, versionUpdateMs)),
    },
    {
      uri: nipUris.serviceInformationFile,
      contentType: nipMediaTypes.serviceInformationFile,
      write: (versionUpdateMs) =>
        encodeServiceInformationFile(serviceInformation(installation, carriage, versionUpdateMs)),
    },
    {
      uri: nipUris.serviceListEntryPoints,
      contentType: nipMediaTypes.serviceListEntryPoints,
      write: () => encodeServiceListEntryPoints(entryPoints(installation, carriage)),
    },
  ];
}

/** The bootstrap of the media group, with the announcement session itself. */
function bootstrap(carriage: Carriage, { hostname, port }: AnnouncementGroup): string {
  const { multicastGatewayConfigurationTransportSessions: sessions } = bootstrapConfiguration(
    carriage,
  );
  const locators = Object.values(nipUris).map((uri) => {
    return { uri, targetAcquisitionLatencyMs: acquisitionMs };
  });
  return encodeGatewayConfiguration({
    multicastGatewayConfigurationTransportSessions: [
      ...sessions,
      {
        transportSecurity: "integrity",
        transportProtocol: { protocolIdentifier: transportProtocols.flute, protocolVersion: 1 },
        endpointAddresses: [{
          networkDestinationGroupAddress: hostname,
          transportDestinationPort: port,
          mediaTransportSessionIdentifier: announcementEndpoint.tsi,
        }],
        bitRate: { maximumBitsPerSecond: Math.floor(carriage.bitsPerSecond) },
        objectCarousel: {
          presentationManifests: [],
          initSegments: [],
          resourceLocators: locators,
        },
      },
    ],
    multicastSessions: [],
  }, { schemaVersionForm: "extensibility" });
}

function networkInformation(
  { network, stream, carrier }: Installation,
  versionUpdateMs: number,
): NetworkInformationFile {
  const { carrierId, linkId, serviceId, linkLayerFormat, provider = network.provider } = stream;
  return {
    versionUpdateMs,
    nifType: "Physical Network",
    actualBroadcastNetwork: {
      networkType: "Satellite",
      networkName: network.name,
      nipNetworkProviderName: network.provider,
      orbitalPositionDegrees: carrier.orbitalPositionDegrees,
      nipNetworkId: network.id,
      nipStreams: [{
        linkLayerFormat,
        nipStreamProviderName: provider,
        nipCarrierId: carrierId,
        nipLinkId: linkId,
        nipServiceId: serviceId,
        bootstrapStream: { bootstrapType: "Physical Network", status: "Active" },
        delivery: {
          kind: "dvbs2",
          receiverProfiles: "Broadcast services",
          frequencyKhz: Math.round(carrier.frequencyMhz * 100) * 10,
          polarization: carrier.polarization,
          modulationType: carrier.modulation,
          rollOff: carrier.rollOff,
          symbolRateKs: Math.round(carrier.symbolRateMbaud * 1000),
          fec: carrier.fec,
          inputStreamIdentifier: 0,
        },
      }],
    },
    otherBroadcastNetworks: [],
  };
}

function serviceInformation(
  installation: Installation,
  { serviceListKey, services, files }: Carriage,
  versionUpdateMs: number,
): ServiceInformationFile {
  const manifests = services.flatMap(({ manifests }) => manifests);
  const keys = [serviceListKey, ...[...manifests, ...files].map(({ key }) => key)];
  return {
    versionUpdateMs,
    nipNetworkProviderName: installation.network.provider,
    broadcastMediaStreams: [{
      ...streamIdentity(installation),
      uris: [...new Set(keys)].map(transportUri),
      interactiveApplications: [],
    }],
  };
}

function entryPoints(
  { network, language, countries }: Installation,
  { serviceListKey }: Carriage,
): ServiceListEntryPoints {
  const uri = transportUri(serviceListKey);
  return {
    language,
    registryName: network.name,
    providerOfferings: [{
      providerName: network.provider,
      serviceListOfferings: [{
        serviceListName: network.name,
        serviceListUris: [{ uri, contentType: serviceListMediaType }],
        languages: [language],
        targetCountries: countries,
        serviceListId: uri,
      }],
    }],
  };
}
