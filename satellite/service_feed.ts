/**
 * One service on the air: finds out what its manifests name and keeps a feed for each.
 *
 * HLS comes first, because its media playlists say which segments there are; a DASH manifest of the
 * same segments is then carried as an object, in the session of the first stream.
 *
 * @module
 */

import { type MasterPlaylist, parseMasterPlaylist } from "#hls";
import type { ServiceComponentIdentifier } from "#mabr";
import { type FeedContext, fetchValid } from "./feed.ts";
import { acquisitionMs, type CarriedService, type CarriedStream } from "./gateway_configuration.ts";
import { MediaFeed, type MediaFeedStatus } from "./media_feed.ts";
import { readMpd, type Representation } from "./mpd.ts";
import { ObjectFeed } from "./object_feed.ts";
import { referencedKey, resolve, transportUri } from "./object_key.ts";
import type { FetchedObject } from "./origin.ts";
import { Poller } from "./poller.ts";

/** One way to a service, as its list says. */
export interface ServiceManifest {
  readonly kind: "hls" | "dash";
  readonly contentType: string;
  readonly url: URL;
  readonly key: string;
}

/** A service that a list names. */
export interface ServiceDescription {
  readonly identifier: string;
  readonly name: string;
  readonly manifests: readonly ServiceManifest[];
}

/** What the status page says of a service. */
export interface ServiceStatus {
  readonly id: string;
  readonly name: string;
  readonly streams: readonly MediaFeedStatus[];
}

/** How a service gets its sessions, and who hears of changes. */
export interface ServiceFeedOptions {
  readonly service: ServiceDescription;
  /** The FLUTE session of a playlist or manifest, by its key. */
  readonly tsiOf: (key: string) => number;
  /** What is carried may have changed. */
  readonly onChange: () => void;
}

/** A manifest on its way to the air. */
interface Manifest extends ServiceManifest {
  readonly id: string;
  /** Whether it was tried: the configuration waits no longer for it. */
  tried: boolean;
  /** Carries a master playlist or an MPD; a media playlist is carried by its stream. */
  feed?: ObjectFeed;
  /** Keys of the media playlists that it names, or its own when it is one. */
  streams: readonly string[];
}

interface Stream {
  readonly feed: MediaFeed;
  averageBitsPerSecond?: number;
}

/** A media playlist that a master playlist names. */
interface NamedStream {
  readonly url: URL;
  readonly key: string;
  readonly averageBitsPerSecond?: number;
}

const resolveAgainMs = 1000;
const resolvedMs = 60_000;
const maxManifestBytes = 2 ** 20;
const master = { revalidateMs: 10_000, minMaxAgeSeconds: 30 };
const mpd = { revalidateMs: 500, minMaxAgeSeconds: 4 };
/** A DASH manifest waits no longer for segments that no playlist names. */
const unknownSegmentMs = 4000;

/** Feeds one service. */
export class ServiceFeed {
  readonly #context: FeedContext;
  readonly #options: ServiceFeedOptions;
  readonly #manifests: readonly Manifest[];
  readonly #streams = new Map<string, Stream>();
  readonly #poller = new Poller((signal) => this.#resolve(signal));
  readonly #representations = new WeakMap<FetchedObject, readonly Representation[]>();
  readonly #seenMs = new WeakMap<FetchedObject, number>();
  #newestMpd: FetchedObject | undefined;

  constructor(context: FeedContext, options: ServiceFeedOptions) {
    this.#context = context;
    this.#options = options;
    const inOrder = options.service.manifests.toSorted((a, b) => rank(a) - rank(b));
    this.#manifests = inOrder.map((manifest, at) => {
      return { ...manifest, id: `${manifest.kind}-${at + 1}`, tried: false, streams: [] };
    });
  }

  /** Begins to look for what the manifests name. */
  start(): void {
    this.#poller.start();
  }

  /** Takes the service off the air. */
  async stop(): Promise<void> {
    await this.#poller.stop();
    await Promise.all([...this.#feeds()].map((feed) => feed.stop()));
  }

  /** Applies purges to all that is carried. */
  recheck(): void {
    for (const feed of this.#feeds()) feed.recheck();
  }

  /** What is carried; `undefined` before each manifest was tried once. */
  describe(): CarriedService | undefined {
    if (!this.#manifests.every(({ tried }) => tried)) return undefined;
    const carried = this.#manifests.filter(({ feed, streams }) => feed || streams.length > 0);
    return {
      identifier: this.#options.service.identifier,
      manifests: carried.map(({ id, contentType, key }) => ({ id, contentType, key })),
      streams: [...this.#mediaSessions(), ...this.#manifestSessions()],
    };
  }

  get status(): ServiceStatus {
    const { identifier, name } = this.#options.service;
    const streams = [...this.#streams.values()].map(({ feed }) => feed.status);
    return { id: identifier, name, streams };
  }

  *#feeds(): Iterable<MediaFeed | ObjectFeed> {
    for (const { feed } of this.#streams.values()) yield feed;
    for (const { feed } of this.#manifests) if (feed) yield feed;
  }

  /** Tries the manifests that have no feed yet. */
  async #resolve(signal: AbortSignal): Promise<number> {
    for (const manifest of this.#manifests) {
      if (manifest.feed || manifest.streams.length > 0) continue;
      if (manifest.kind === "hls") await this.#resolveHls(manifest, signal);
      else this.#resolveDash(manifest);
      if (signal.aborted) return 0;
      manifest.tried = true;
    }
    this.#options.onChange();
    const resolved = this.#manifests.every(({ feed, streams }) => feed || streams.length > 0);
    return resolved ? resolvedMs : resolveAgainMs;
  }

  async #resolveHls(manifest: Manifest, signal: AbortSignal): Promise<void> {
    const { key, url } = manifest;
    const options = { maxBytes: maxManifestBytes, signal };
    const outcome = await fetchValid(this.#context, key, options);
    if (signal.aborted) return;
    if (outcome.kind !== "object") {
      const [reason, detail] = outcome.kind === "failed"
        ? [outcome.reason, outcome.detail]
        : ["purged", "one that was purged meanwhile"];
      return this.#complain(key, reason, detail);
    }
    const named = namedStreams(outcome.object, url);
    if (typeof named === "string") {
      this.#context.counters.documentsRejected.add(named);
      return this.#complain(key, named, `a playlist that is ${named}`);
    }
    this.#context.complaints.settle(key);
    this.#carryHls(manifest, named);
  }

  #carryHls(manifest: Manifest, named: readonly NamedStream[]): void {
    const isMedia = named.length === 1 && named[0].key === manifest.key;
    this.#takeStreams(manifest, named);
    if (isMedia) return;
    manifest.feed = new ObjectFeed(this.#context, {
      ...master,
      key: manifest.key,
      tsi: this.#options.tsiOf(named[0].key),
      traffic: "playlist",
      acquisitionMs,
      maxBytes: maxManifestBytes,
      read: (object) => {
        const now = namedStreams(object, manifest.url);
        if (typeof now !== "string") this.#takeStreams(manifest, now);
        return typeof now === "string" ? now : undefined;
      },
    });
    manifest.feed.start();
  }

  #resolveDash(manifest: Manifest): void {
    const first = this.#streams.values().next().value;
    manifest.feed = new ObjectFeed(this.#context, {
      ...mpd,
      key: manifest.key,
      tsi: first?.feed.tsi ?? this.#options.tsiOf(manifest.key),
      traffic: "playlist",
      acquisitionMs,
      maxBytes: maxManifestBytes,
      read: (object) => this.#readMpd(object, manifest.url),
      isReady: (object) => this.#mayPublish(object),
    });
    manifest.feed.start();
  }

  #complain(key: string, reason: string, detail: string): void {
    const sentence = `Cannot carry ${key}: need a playlist: received ${detail}`;
    this.#context.complaints.raise(key, reason, sentence);
  }

  /** Keeps a feed for each media playlist that some manifest names, and no other. */
  #takeStreams(manifest: Manifest, named: readonly NamedStream[]): void {
    manifest.streams = named.map(({ key }) => key);
    for (const { url, key, averageBitsPerSecond } of named) {
      const known = this.#streams.get(key);
      if (known) known.averageBitsPerSecond ??= averageBitsPerSecond;
      else this.#addStream({ url, key, averageBitsPerSecond });
    }
    const needed = new Set(this.#manifests.flatMap(({ streams }) => streams));
    for (const [key, { feed }] of this.#streams) {
      if (needed.has(key)) continue;
      this.#streams.delete(key);
      void feed.stop();
    }
    this.#options.onChange();
  }

  #addStream({ url, key, averageBitsPerSecond }: NamedStream): void {
    const tsi = this.#options.tsiOf(key);
    const onProgress = () => {
      for (const { feed } of this.#manifests) feed?.release();
      this.#options.onChange();
    };
    const feed = new MediaFeed(this.#context, { url, key, tsi, onProgress });
    this.#streams.set(key, { feed, averageBitsPerSecond });
    feed.start();
  }

  #readMpd(object: FetchedObject, url: URL): string | undefined {
    const representations = readMpd(object.body, url);
    if (typeof representations === "string") return representations;
    this.#representations.set(object, representations);
    this.#seenMs.set(object, this.#context.nowMs());
    this.#newestMpd = object;
    this.#options.onChange();
    return undefined;
  }

  /** Whether receivers can have the newest segments that a DASH manifest names. */
  #mayPublish(object: FetchedObject): boolean {
    const ageMs = this.#context.nowMs() - (this.#seenMs.get(object) ?? 0);
    const streams = [...this.#streams.values()];
    return (this.#representations.get(object) ?? []).every(({ newestKey }) => {
      if (newestKey === undefined) return true;
      const states = streams.map(({ feed }) => feed.stateOf(newestKey));
      if (states.includes("pending")) return false;
      return states.includes("sent") || ageMs >= unknownSegmentMs;
    });
  }

  #mediaSessions(): CarriedStream[] {
    return [...this.#streams].map(([key, { feed, averageBitsPerSecond }]) => {
      const hls = this.#manifests.filter(({ streams }) => streams.includes(key));
      const components: ServiceComponentIdentifier[] = hls.map(({ id }) => {
        return { type: "hls", manifestIdRef: id, mediaPlaylistLocator: transportUri(key) };
      });
      components.push(...this.#dashComponents(feed.segmentKeys));
      return { tsi: feed.tsi, components, hasInit: feed.hasInit, averageBitsPerSecond };
    });
  }

  #dashComponents(segmentKeys: readonly string[]): ServiceComponentIdentifier[] {
    const dash = this.#manifests.find(({ kind, feed }) => kind === "dash" && feed);
    const newest = segmentKeys.at(-1);
    if (!dash || !this.#newestMpd || newest === undefined) return [];
    const representations = this.#representations.get(this.#newestMpd) ?? [];
    return representations.filter((one) => one.holds(newest)).map((one) => ({
      type: "dash",
      manifestIdRef: dash.id,
      periodIdentifier: one.periodId,
      adaptationSetIdentifier: one.adaptationSetId,
      representationIdentifier: one.representationId,
    }));
  }

  /** Sessions that carry a manifest and no stream. */
  #manifestSessions(): CarriedStream[] {
    const streamTsis = new Set([...this.#streams.values()].map(({ feed }) => feed.tsi));
    return this.#manifests.flatMap(({ id, feed }) => {
      if (feed === undefined || streamTsis.has(feed.tsi)) return [];
      const component = { type: "generic", manifestIdRef: id, componentIdentifier: id } as const;
      return [{ tsi: feed.tsi, components: [component], hasInit: false }];
    });
  }
}

function rank({ kind }: ServiceManifest): number {
  return kind === "hls" ? 0 : 1;
}

/** The media playlists of a master playlist, or the playlist itself when it is one. */
function namedStreams(object: FetchedObject, url: URL): readonly NamedStream[] | string {
  const parsed = parseMasterPlaylist(object.body, url.href);
  if (parsed === "wrong_kind") return [{ url, key: object.key }];
  if (typeof parsed === "string") return parsed;
  const named = new Map<string, NamedStream>();
  for (const { uri, averageBitsPerSecond } of references(parsed)) {
    const key = referencedKey(uri, url);
    const streamUrl = resolve(uri, url);
    if (key === undefined || streamUrl === undefined) return "foreign_uri";
    if (!named.has(key)) named.set(key, { url: streamUrl, key, averageBitsPerSecond });
  }
  return named.size === 0 ? "without_streams" : [...named.values()];
}

interface Reference {
  readonly uri: string;
  readonly averageBitsPerSecond?: number;
}

/** Variants, then renditions; I-frame playlists are parts of files. */
function references({ variants, renditions }: MasterPlaylist): Reference[] {
  return [
    ...variants.filter(({ iFramesOnly }) => !iFramesOnly).map((one) => {
      return { uri: one.uri, averageBitsPerSecond: one.bandwidthBitsPerSecond };
    }),
    ...renditions.flatMap(({ uri }) => uri === undefined ? [] : [{ uri }]),
  ];
}
