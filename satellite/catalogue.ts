/**
 * Which services are on the air: follows the DVB-I service list, carries it, and keeps a feed for each
 * service that it names.
 *
 * @module
 */

import { manifestMediaTypes, parseServiceList, type Service } from "#dvbi";
import type { FeedContext } from "./feed.ts";
import { acquisitionMs, type CarriedService, configurationTsi } from "./gateway_configuration.ts";
import { ObjectFeed } from "./object_feed.ts";
import { keyOf, resolve, transportUri } from "./object_key.ts";
import type { FetchedObject } from "./origin.ts";
import {
  type ServiceDescription,
  ServiceFeed,
  type ServiceManifest,
  type ServiceStatus,
} from "./service_feed.ts";

/** Which list, and who hears of changes. */
export interface CatalogueOptions {
  readonly serviceListKey: string;
  /** What is carried may have changed. */
  readonly onChange: () => void;
}

const revalidateMs = 10_000;
const minMaxAgeSeconds = 60;
const maxListBytes = 4 * 2 ** 20;
const firstMediaTsi = 10;

/** The services on the air. */
export class Catalogue {
  readonly #context: FeedContext;
  readonly #options: CatalogueOptions;
  readonly #list: ObjectFeed;
  readonly #services = new Map<string, { readonly text: string; readonly feed: ServiceFeed }>();
  /** Sessions by service and key: the same as long as the program runs. */
  readonly #tsis = new Map<string, number>();
  readonly #leaving = new Set<Promise<void>>();
  #read = false;

  constructor(context: FeedContext, options: CatalogueOptions) {
    this.#context = context;
    this.#options = options;
    this.#list = new ObjectFeed(context, {
      key: options.serviceListKey,
      tsi: configurationTsi,
      traffic: "configuration",
      acquisitionMs,
      revalidateMs,
      minMaxAgeSeconds,
      maxBytes: maxListBytes,
      read: (object) => this.#readList(object),
    });
  }

  /** Begins to follow the list. */
  start(): void {
    this.#list.start();
  }

  /** Takes everything off the air. */
  async stop(): Promise<void> {
    await this.#list.stop();
    await Promise.all([...this.#services.values()].map(({ feed }) => feed.stop()));
    await Promise.all(this.#leaving);
  }

  /** Applies purges to all that is carried. */
  recheck(): void {
    this.#list.recheck();
    for (const { feed } of this.#services.values()) feed.recheck();
  }

  /** What is carried; `undefined` before the list and each manifest were tried once. */
  describe(): readonly CarriedService[] | undefined {
    if (!this.#read) return undefined;
    const services: CarriedService[] = [];
    for (const { feed } of this.#services.values()) {
      const service = feed.describe();
      if (service === undefined) return undefined;
      if (service.manifests.length > 0) services.push(service);
    }
    return services;
  }

  get status(): readonly ServiceStatus[] {
    return [...this.#services.values()].map(({ feed }) => feed.status);
  }

  #readList(object: FetchedObject): string | undefined {
    const list = parseServiceList(object.body);
    if (typeof list === "string") return list;
    const base = new URL(transportUri(this.#options.serviceListKey));
    const described = list.services.map((service) => describe(service, base));
    this.#sync(described.filter(({ manifests }) => manifests.length > 0));
    this.#read = true;
    this.#options.onChange();
    return undefined;
  }

  /** Stops what the list no longer names or names otherwise, and starts what is new. */
  #sync(services: readonly ServiceDescription[]): void {
    const wanted = new Map(services.map((service) => [service.identifier, service]));
    for (const [identifier, { text, feed }] of this.#services) {
      const service = wanted.get(identifier);
      if (service && JSON.stringify(service) === text) continue;
      this.#services.delete(identifier);
      const left = feed.stop().then(() => void this.#leaving.delete(left));
      this.#leaving.add(left);
    }
    for (const [identifier, service] of wanted) {
      if (this.#services.has(identifier)) continue;
      const feed = new ServiceFeed(this.#context, {
        service,
        tsiOf: (key) => this.#tsiOf(`${identifier} ${key}`),
        onChange: this.#options.onChange,
      });
      this.#services.set(identifier, { text: JSON.stringify(service), feed });
      feed.start();
    }
  }

  #tsiOf(name: string): number {
    const known = this.#tsis.get(name);
    if (known !== undefined) return known;
    const tsi = firstMediaTsi + this.#tsis.size;
    this.#tsis.set(name, tsi);
    return tsi;
  }
}

function describe(service: Service, base: URL): ServiceDescription {
  const manifests = new Map<string, ServiceManifest>();
  const byPriority = service.serviceInstances.toSorted((a, b) => a.priority - b.priority);
  for (const { delivery } of byPriority) {
    if (delivery.kind === "dvbs") continue;
    const kind = manifestKind(delivery.contentType);
    const url = resolve(delivery.uri, base);
    const key = url && keyOf(url);
    if (kind === undefined || url === undefined || key === undefined || manifests.has(key)) {
      continue;
    }
    manifests.set(key, { kind, contentType: delivery.contentType, url, key });
  }
  const { uniqueIdentifier: identifier, serviceName: name } = service;
  return { identifier, name, manifests: [...manifests.values()] };
}

function manifestKind(contentType: string): "hls" | "dash" | undefined {
  const type = contentType.split(";", 1)[0].trim().toLowerCase();
  if (type === manifestMediaTypes.dash) return "dash";
  const hls = [manifestMediaTypes.hls, "application/x-mpegurl", "audio/mpegurl"];
  return hls.includes(type) ? "hls" : undefined;
}
