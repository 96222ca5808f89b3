/**
 * The DVB-I service list of the demo: one channel, three ways to play it.
 *
 * @module
 */

import { encodeServiceList, manifestMediaTypes, serviceTypes } from "#dvbi";

/** The channel's DVB-I identifier; its last part names it in a set-top box's `/live/one.ts`. */
export const serviceIdentifier = "tag:downlink.example,2026:one";

/** The host that receivers of a broadcast resolve to their own gateway (ETSI TS 103 876). */
const gateway = "http://dvb.gw";

/** Writes the list. */
export function serviceList(): string {
  const { dash, hls } = manifestMediaTypes;
  const providerName = "Downlink";
  return encodeServiceList({
    id: "tag:downlink.example,2026:services",
    version: 1,
    language: "en",
    name: "Downlink demo",
    providerName,
    relatedMaterials: [],
    lcnTables: [{
      targetRegions: [],
      lcns: [{
        channelNumber: 1,
        serviceRef: serviceIdentifier,
        selectable: true,
        visible: true,
      }],
    }],
    services: [{
      uniqueIdentifier: serviceIdentifier,
      version: 1,
      serviceName: "Downlink One",
      providerName,
      relatedMaterials: [],
      serviceType: serviceTypes.linear,
      serviceInstances: [
        instance(0, "HLS, MPEG-TS", "identifier", "/one/index.m3u8", hls),
        instance(1, "HLS, CMAF", "identifier", "/one/cmaf/master.m3u8", hls),
        instance(2, "DASH, CMAF", "dash", "/one/cmaf/manifest.mpd", dash),
      ],
    }],
  });
}

function instance(
  priority: number,
  displayName: string,
  kind: "dash" | "identifier",
  path: string,
  contentType: string,
) {
  return { priority, displayName, delivery: { kind, uri: gateway + path, contentType } };
}
