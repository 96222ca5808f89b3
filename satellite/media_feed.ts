/**
 * One HLS media playlist on the air: watches it, has its new segments sent, and repeats the newest
 * version whose segments receivers can have.
 *
 * @module
 */

import { type MediaPlaylist, parseMediaPlaylist } from "#hls";
import type { CarriedTicket } from "./broadcast.ts";
import type { SegmentState } from "./dash_versions.ts";
import { Delivery } from "./delivery.ts";
import { carriedObject, type FeedContext, fetchValid, sameBytes, verdictOf } from "./feed.ts";
import { LiveWindow, type NamedSegment, type PlaylistVersion } from "./live_window.ts";
import { referencedKey } from "./object_key.ts";
import type { FetchedObject } from "./origin.ts";
import { backOffMs, Poller } from "./poller.ts";

/** Which playlist. */
export interface MediaFeedOptions {
  /** Where the service list says that it is; its own references resolve against this. */
  readonly url: URL;
  readonly key: string;
  readonly tsi: number;
  /** A segment was sent or given up, or a version was read for the first time. */
  readonly onProgress?: () => void;
}

/** What the status page says of a playlist. */
export interface MediaFeedStatus {
  readonly tsi: number;
  readonly playlist: string;
  /** Key of the newest segment that the playlist names. */
  readonly newestSegment: string | undefined;
  /** Seconds of media named but not sent yet. */
  readonly lagSeconds: number;
  readonly targetDurationSeconds: number | undefined;
  /** Whether receivers can have a version of it. */
  readonly published: boolean;
}

interface Version extends PlaylistVersion {
  readonly object: FetchedObject;
  readonly targetDurationSeconds: number;
  readonly ended: boolean;
}

/** Segments sent at the start, and sent again when a purge hits them. */
const backlogSegments = 3;
/** Segments that may wait to be sent. */
const maxPendingSegments = 8;
const maxPlaylistBytes = 2 ** 20;
/** Receivers that tune in wait no longer for a playlist. */
const acquisitionMs = 1000;
const endedMaxAgeSeconds = 3600;
const retry = { firstMs: 250, lastMs: 2000 };

/** Feeds one media playlist and its segments into one FLUTE session. */
export class MediaFeed {
  readonly tsi: number;
  readonly key: string;
  readonly #context: FeedContext;
  readonly #options: MediaFeedOptions;
  readonly #window = new LiveWindow<Version>({
    backlog: backlogSegments,
    maxPending: maxPendingSegments,
  });
  readonly #delivery: Delivery;
  readonly #poller = new Poller((signal) => this.#poll(signal));
  #etag: string | undefined;
  #published: { readonly version: Version; readonly ticket: CarriedTicket } | undefined;
  #confirmedMs = 0;
  /** The newest version was purged: the same bytes count as a new one. */
  #purged = false;
  #failures = 0;

  constructor(context: FeedContext, options: MediaFeedOptions) {
    this.#context = context;
    this.#options = options;
    this.key = options.key;
    this.tsi = options.tsi;
    this.#delivery = new Delivery(context, {
      tsi: options.tsi,
      subject: options.key,
      onSettled: (key) => this.#settled(key),
    });
  }

  /** Begins to watch the playlist. */
  start(): void {
    this.#poller.start();
  }

  /** Stops watching and drops all that is on the air. */
  async stop(): Promise<void> {
    await this.#poller.stop();
    await this.#delivery.stop();
    this.#published?.ticket.withdraw();
    this.#context.complaints.forget(this.key);
  }

  /** Applies purges: what they hit is dropped, fetched again and sent again. */
  recheck(): void {
    this.#delivery.recheck((key) => this.#window.wantAgain(key));
    const newest = this.#window.newest;
    const verdict = newest ? verdictOf(this.#context, newest.object) : "valid";
    if (verdict === "valid") return;
    if (!this.#purged) this.#context.counters.purged.add(verdict);
    this.#purged = true;
    this.#window.withdrawVersions();
    if (verdict === "gone") {
      this.#published?.ticket.withdraw();
      this.#published = undefined;
    }
    this.#etag = undefined;
    this.#poller.kick();
  }

  /** Whether receivers can have a segment: `unknown` when this playlist does not name it. */
  stateOf(key: string): SegmentState {
    if (this.#window.isPending(key)) return "pending";
    return this.#window.newest?.segments.some((one) => one.key === key) ? "sent" : "unknown";
  }

  /** Whether it has initialization segments. */
  get hasInit(): boolean {
    return this.#window.newest?.segments.some(({ initKey }) => initKey !== undefined) ?? false;
  }

  get status(): MediaFeedStatus {
    const newest = this.#window.newest;
    return {
      tsi: this.tsi,
      playlist: this.key,
      newestSegment: newest?.segments.at(-1)?.key,
      lagSeconds: this.#window.lagSeconds,
      targetDurationSeconds: newest?.targetDurationSeconds,
      published: this.#published !== undefined,
    };
  }

  async #poll(signal: AbortSignal): Promise<number> {
    const options = { etag: this.#etag, maxBytes: maxPlaylistBytes, signal };
    const outcome = await fetchValid(this.#context, this.key, options);
    if (signal.aborted) return 0;
    if (outcome.kind === "purged") return retry.firstMs;
    if (outcome.kind === "failed") return this.#fail(outcome.reason, outcome.detail);
    if (outcome.kind === "object") {
      const version = readVersion(outcome.object, this.#options.url);
      if (typeof version === "string") {
        this.#context.counters.documentsRejected.add(version);
        return this.#fail(version, `a playlist that is ${version}`);
      }
      this.#etag = version.object.etag;
      this.#adopt(version);
    }
    this.#failures = 0;
    this.#context.complaints.settle(this.key);
    this.#confirm();
    return this.#pauseMs(outcome.kind === "object");
  }

  #fail(reason: string, detail: string): number {
    const sentence = `Cannot follow ${this.key}: need a media playlist: received ${detail}`;
    this.#context.complaints.raise(this.key, reason, sentence);
    return backOffMs(++this.#failures, retry);
  }

  /** Live playlists change once a target duration: look shortly before, then often. */
  #pauseMs(changed: boolean): number {
    const newest = this.#window.newest;
    const targetMs = (newest?.targetDurationSeconds ?? 2) * 1000;
    if (newest?.ended) return Math.max(10_000, targetMs);
    return changed ? targetMs * 0.6 : Math.min(1000, Math.max(200, targetMs * 0.15));
  }

  #adopt(version: Version): void {
    const newest = this.#window.newest;
    if (!this.#purged && newest && sameBytes(newest.object, version.object)) return;
    this.#purged = false;
    const { wanted, abandoned } = this.#window.observe(version, (key) => this.#delivery.begun(key));
    for (const key of abandoned) this.#delivery.abandon(key);
    const inits = new Set(version.segments.map(({ initKey }) => initKey));
    for (const key of wanted) this.#delivery.want(key, inits.has(key) ? "init" : "segment");
    this.#delivery.retain((key) => this.#window.isCurrent(key));
    this.#publish();
    this.#options.onProgress?.();
  }

  #settled(key: string): void {
    this.#window.settle(key);
    this.#publish();
    this.#options.onProgress?.();
  }

  #publish(): void {
    const version = this.#window.publishable();
    if (version === undefined) return;
    const { broadcast, counters, nowMs } = this.#context;
    const object = carriedObject(version.object, maxAgeSeconds(version));
    const ticket = broadcast.carry(this.tsi, object, nowMs(), {
      traffic: "playlist",
      acquisitionMs,
      replaces: this.#published?.ticket,
      onSent: () => counters.objectsSent.add("playlist"),
    });
    this.#published = { version, ticket };
    this.#confirmedMs = nowMs();
  }

  /** The origin still has what is on the air: receivers may use it for longer. */
  #confirm(): void {
    if (this.#published === undefined || this.#published.version !== this.#window.newest) return;
    const { version, ticket } = this.#published;
    const nowMs = this.#context.nowMs();
    if (nowMs - this.#confirmedMs < maxAgeSeconds(version) * 500) return;
    this.#confirmedMs = nowMs;
    ticket.refresh({ maxAgeSeconds: maxAgeSeconds(version) });
  }
}

/** A live playlist is fresh for two target durations after the origin was last seen to have it. */
function maxAgeSeconds({ ended, targetDurationSeconds }: Version): number {
  return ended ? endedMaxAgeSeconds : Math.max(2, Math.ceil(2 * targetDurationSeconds));
}

/** Reads a version, or says in a word why it cannot be carried. */
function readVersion(object: FetchedObject, url: URL): Version | string {
  const playlist = parseMediaPlaylist(object.body, url.href);
  if (typeof playlist === "string") return playlist;
  const segments = namedSegments(playlist, url);
  if (typeof segments === "string") return segments;
  const { mediaSequence, targetDurationSeconds, ended } = playlist;
  return { mediaSequence, targetDurationSeconds, ended, segments, object };
}

function namedSegments({ segments }: MediaPlaylist, url: URL): NamedSegment[] | string {
  const named: NamedSegment[] = [];
  for (const { uri, durationSeconds, byteRange, map } of segments) {
    if (byteRange !== undefined || map?.byteRange !== undefined) return "byte_range";
    const key = referencedKey(uri, url);
    const initKey = map && referencedKey(map.uri, url);
    if (key === undefined || (map && initKey === undefined)) return "foreign_uri";
    named.push({ key, durationSeconds, initKey });
  }
  return named;
}
