/**
 * One service on the air: finds out what its manifests name and keeps a feed for each.
 *
 * HLS comes first, because its media playlists say which segments there are; a DASH manifest of the
 * same segments is then carried as an object, in the session of the first stream.
 *
 * @module
 */

import type { ServiceComponentIdentifier } from "#mabr";
import { DashVersions, type SegmentState } from "./dash_versions.ts";
import { type FeedContext, fetchValid } from "./feed.ts";
import { acquisitionMs, type CarriedService, type CarriedStream } from "./gateway_configuration.ts";
import { MediaFeed, type MediaFeedStatus } from "./media_feed.ts";
import { type NamedStream, namedStreams } from "./named_streams.ts";
import { ObjectFeed } from "./object_feed.ts";
import { transportUri } from "./object_key.ts";
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
  /** Whether it was tried once. */
  tried: boolean;
  /** Carries a master playlist or an MPD; a media playlist is carried by its stream. */
  feed?: ObjectFeed;
  readonly versions: DashVersions;
  /** Keys of the media playlists that it names, or its own when it is one. */
  streams: readonly string[];
}

interface Stream {
  readonly feed: MediaFeed;
  averageBitsPerSecond?: number;
}

/** The configuration of other services waits no longer for a manifest that does not come. */
const firstTryMs = 2000;
const resolveAgainMs = 1000;
const resolvedMs = 60_000;
const maxManifestBytes = 2 ** 20;
const master = { revalidateMs: 10_000, minMaxAgeSeconds: 30 };
const mpd = { revalidateMs: 500, minMaxAgeSeconds: 4 };

/** Feeds one service. */
export class ServiceFeed {
  readonly #context: FeedContext;
  readonly #options: ServiceFeedOptions;
  readonly #manifests: readonly Manifest[];
  readonly #streams = new Map<string, Stream>();
  readonly #poller = new Poller((signal) => this.#resolve(signal));
  #startedMs = 0;

  constructor(context: FeedContext, options: ServiceFeedOptions) {
    this.#context = context;
    this.#options = options;
    const inOrder = options.service.manifests.toSorted((a, b) => rank(a) - rank(b));
    this.#manifests = inOrder.map((manifest, at) => {
      return {
        ...manifest,
        id: `${manifest.kind}-${at + 1}`,
        tried: false,
        streams: [],
        versions: new DashVersions(),
      };
    });
  }

  /** Begins to look for what the manifests name. */
  start(): void {
    this.#startedMs = this.#context.nowMs();
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

  /** What is carried; `undefined` at the start, until each manifest was tried once or had its time. */
  describe(): CarriedService | undefined {
    const early = this.#context.nowMs() - this.#startedMs < firstTryMs;
    if (early && !this.#manifests.every(({ tried }) => tried)) return undefined;
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
    const { key } = manifest;
    const options = { maxBytes: maxManifestBytes, signal };
    const outcome = await fetchValid(this.#context, key, options);
    if (signal.aborted) return;
    if (outcome.kind !== "object") {
      const [reason, detail] = outcome.kind === "failed"
        ? [outcome.reason, outcome.detail]
        : ["purged", "one that was purged meanwhile"];
      return this.#complain(key, reason, detail);
    }
    const named = namedStreams(outcome.object.body, manifest);
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
        const now = namedStreams(object.body, manifest);
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
      read: (object) => {
        this.#options.onChange();
        return manifest.versions.read(object, manifest.url, this.#context.nowMs());
      },
      isReady: (object) =>
        manifest.versions.isReady(object, (key) => this.#stateOf(key), this.#context.nowMs()),
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

  #stateOf(key: string): SegmentState {
    const states = [...this.#streams.values()].map(({ feed }) => feed.stateOf(key));
    return states.find((state) => state !== "unknown") ?? "unknown";
  }

  #mediaSessions(): CarriedStream[] {
    return [...this.#streams].map(([key, { feed, averageBitsPerSecond }]) => {
      const hls = this.#manifests.filter(({ streams }) => streams.includes(key));
      const components: ServiceComponentIdentifier[] = hls.map(({ id }) => {
        return { type: "hls", manifestIdRef: id, mediaPlaylistLocator: transportUri(key) };
      });
      components.push(...this.#dashComponents(feed.status.newestSegment));
      return { tsi: feed.tsi, components, hasInit: feed.hasInit, averageBitsPerSecond };
    });
  }

  #dashComponents(segmentKey: string | undefined): ServiceComponentIdentifier[] {
    if (segmentKey === undefined) return [];
    const dash = this.#manifests.filter(({ kind, feed }) => kind === "dash" && feed);
    return dash.flatMap(({ id, versions }) => versions.components(id, segmentKey));
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
