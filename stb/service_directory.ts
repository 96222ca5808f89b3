/**
 * The services as the home knows them now: from the newest list in the cache, their playlists sorted
 * by what they are.
 *
 * @module
 */

import { type DvbiRejection, parseServiceList } from "#dvbi";
import { findTsPlaylist, type GetObject } from "./live_playlist.ts";
import { isMediaOf, type Service, serviceOf, servicesOf } from "./services.ts";
import type { ServiceView } from "./status.ts";

/** Holds the services. */
export class ServiceDirectory {
  #services: readonly Service[] = [];
  /** Playlists by kind, as far as they were looked at. */
  readonly #kinds = new Map<string, "ts" | "other">();

  /** All services, by logical channel number. */
  get services(): readonly Service[] {
    return this.#services;
  }

  /** Takes a new list; a bad one changes nothing. */
  update(document: Uint8Array): DvbiRejection | undefined {
    const list = parseServiceList(document);
    if (typeof list === "string") return list;
    const number = ({ lcn }: Service) => lcn ?? Infinity;
    this.#services = servicesOf(list).sort((a, b) => number(a) - number(b));
    return undefined;
  }

  /** Finds a service by its short name. */
  find(id: string): Service | undefined {
    return this.#services.find((service) => service.id === id);
  }

  /** Finds the service that an object belongs to. */
  of(key: string): Service | undefined {
    return serviceOf(this.#services, key);
  }

  /** Whether a key is a media segment of a service. */
  isMedia(key: string): boolean {
    return isMediaOf(this.#services, key);
  }

  /** Looks at playlists that nobody has looked at: which ones lead to MPEG-TS? */
  async sortPlaylists(get: GetObject, signal: AbortSignal): Promise<void> {
    const keys = new Set(this.#services.flatMap(({ hls }) => hls));
    for (const key of this.#kinds.keys()) if (!keys.has(key)) this.#kinds.delete(key);
    for (const key of keys) {
      if (this.#kinds.has(key)) continue;
      const found = await findTsPlaylist([key], get, signal);
      if (found === "unavailable") continue;
      this.#kinds.set(key, found === "not_ts" ? "other" : "ts");
    }
  }

  /** Whether every playlist was looked at. */
  get sorted(): boolean {
    return this.#services.every(({ hls }) => hls.every((key) => this.#kinds.has(key)));
  }

  /** The services with their playlists by kind; before they were looked at, the order decides. */
  get views(): readonly ServiceView[] {
    return this.#services.map((service) => {
      const of = (kind: "ts" | "other") => service.hls.find((key) => this.#kinds.get(key) === kind);
      const unknown = service.hls.filter((key) => !this.#kinds.has(key));
      const hls = of("ts") ?? unknown.at(0);
      return { service, hls, hlsCmaf: of("other") ?? unknown.find((key) => key !== hls) };
    });
  }
}
