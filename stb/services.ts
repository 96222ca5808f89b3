/**
 * The services that a home can watch, from the DVB-I list (ETSI TS 103 770), in the paths of the
 * set-top box itself.
 *
 * @module
 */

import { manifestMediaTypes, type Service as ListedService, type ServiceList } from "#dvbi";
import { objectKey } from "./object_uri.ts";
import { isPlaylist } from "./stored_head.ts";

/** One service. */
export interface Service {
  /** Short name for paths: `one` in `/live/one.ts`. */
  readonly id: string;
  /** As the list and the multicast sessions name it. */
  readonly uniqueIdentifier: string;
  readonly name: string;
  /** Logical channel number. */
  readonly lcn: number | undefined;
  /** Paths of HLS playlists, best first. */
  readonly hls: readonly string[];
  /** Paths of DASH manifests, best first. */
  readonly dash: readonly string[];
}

/** Returns the services of a list that have a manifest; short names are unique. */
export function servicesOf(list: ServiceList): Service[] {
  const taken = new Set<string>();
  const services: Service[] = [];
  for (const listed of list.services) {
    const hls = manifests(listed, manifestMediaTypes.hls);
    const dash = manifests(listed, manifestMediaTypes.dash);
    if (hls.length + dash.length === 0) continue;
    const id = shortName(listed.uniqueIdentifier, taken);
    taken.add(id);
    services.push({
      id,
      uniqueIdentifier: listed.uniqueIdentifier,
      name: listed.serviceName,
      lcn: numberOf(list, listed.uniqueIdentifier),
      hls,
      dash,
    });
  }
  return services;
}

function manifests({ serviceInstances }: ListedService, type: string): string[] {
  const sorted = [...serviceInstances].sort((a, b) => a.priority - b.priority);
  const keys = sorted.flatMap(({ delivery }) => {
    if (delivery.kind === "dvbs" || delivery.contentType.toLowerCase() !== type) return [];
    return objectKey(delivery.uri) ?? [];
  });
  return [...new Set(keys)];
}

/** The last word of a tag URI, made fit for a path. */
function shortName(identifier: string, taken: ReadonlySet<string>): string {
  const last = identifier.split(/[:/,#]/).findLast((part) => part !== "") ?? "";
  const name = last.replace(/[^A-Za-z0-9_-]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 64);
  const base = name || "service";
  for (let i = 1;; i++) {
    const id = i === 1 ? base : `${base}-${i}`;
    if (!taken.has(id)) return id;
  }
}

function numberOf({ lcnTables }: ServiceList, identifier: string): number | undefined {
  for (const { lcns } of lcnTables) {
    const found = lcns.find(({ serviceRef, visible }) => visible && serviceRef === identifier);
    if (found !== undefined) return found.channelNumber;
  }
  return undefined;
}

const mediaName = /\.(ts|m4s|mp4|m4a|m4v|aac|cmf[atv]|vtt)$/i;

/** Returns the service that an object belongs to: it lies below the folder of a manifest. */
export function serviceOf(services: readonly Service[], key: string): Service | undefined {
  const [path] = key.split("?", 1);
  return services.find(({ hls, dash }) =>
    [...hls, ...dash].some((manifest) => path.startsWith(folderOf(manifest)))
  );
}

/**
 * Whether a key is a media segment of a service, not a playlist. While no list has come, names
 * decide.
 */
export function isMediaOf(services: readonly Service[], key: string): boolean {
  const [path] = key.split("?", 1);
  if (isPlaylist(path)) return false;
  return services.length === 0 ? mediaName.test(path) : serviceOf(services, key) !== undefined;
}

/** The folder of a path, with its slash at the end. */
function folderOf(path: string): string {
  return path.slice(0, path.split("?", 1)[0].lastIndexOf("/") + 1);
}
