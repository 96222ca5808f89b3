/**
 * A set-top box put together: reception, repair, cache, players. It opens no port for players and
 * reads no flags, so that a test can run a whole home.
 *
 * @module
 */

import type { Hono } from "hono";
import { CacheEngine, type NextHop, type Purges, type Store } from "#cache";
import { serviceListMediaType } from "#dvbi";
import type { FdtFile } from "#flute";
import type { ExchangeEnv } from "#http1";
import type { Logger } from "#log";
import { gatewayConfigurationUri } from "#mabr";
import { type NoticeKeeper, noticeUri, type Withdrawals } from "#notice";
import { openReceiver } from "#multicast";
import { homeApp } from "./app.ts";
import { Announcement, announcementName } from "./nip_announcement.ts";
import { Arrivals, type SteeringHandler } from "./arrivals.ts";
import { type Channel, channelId } from "./channels.ts";
import { Forecast } from "./forecast.ts";
import type { HomeMetrics } from "./home_metrics.ts";
import { InBandVersions } from "./in_band.ts";
import { Ledger } from "./ledger.ts";
import type { GetObject } from "./live_playlist.ts";
import { pause } from "./pause.ts";
import { PlaceHealth } from "./place_health.ts";
import { PlayerAnswers } from "./player_answers.ts";
import { Reception } from "./reception.ts";
import { RepairPlaces } from "./repair_places.ts";
import { Repairer } from "./repairer.ts";
import { Notices } from "./notices.ts";
import { ReturnPath } from "./return_path.ts";
import { ServiceDirectory } from "./service_directory.ts";
import { SessionKeeper, type SessionKeeperOptions } from "./session_keeper.ts";
import type { ReadFile } from "#program";
import { type Status, statusOf } from "./status.ts";

/** What a home is made of. */
export interface HomeOptions {
  /** This box's name, also in `Cache-Status`. */
  readonly name: string;
  readonly interfaceAddress: string;
  readonly receiveBufferBytes: number;
  /** FEC encoding IDs in use; all that are built in when absent. */
  readonly schemes?: ReadonlySet<number>;
  /** Without `load` the configuration is found by `announcement`. */
  readonly session:
    & Pick<SessionKeeperOptions, "kept">
    & Partial<Pick<SessionKeeperOptions, "load">>;
  /** The announcement session of DVB-NIP. */
  readonly announcement?: { readonly group: string; readonly port: number };
  readonly store: Store & { readonly evictedCount?: number };
  readonly purges: Purges;
  /** Edges by flag. */
  readonly repair: readonly URL[];
  readonly connect: (url: URL) => NextHop;
  /** Edges that control knows, best first. */
  readonly edges: () => readonly { readonly url: string }[];
  readonly repairFor: "all" | "watched";
  readonly repairBitsPerSecond: number;
  readonly repairParallel: number;
  /** Path of the DVB-I service list. */
  readonly serviceList: string;
  readonly page: ReadFile;
  readonly metrics: HomeMetrics;
  readonly log: Logger;
  /** Ready now to play: a configuration is in force. */
  readonly onReady?: () => void;
  /** When the box was given a key: what checks notices, and where their withdrawals go. */
  readonly trust?: {
    readonly keeper: NoticeKeeper;
    readonly onWithdrawals: (withdrawals: Withdrawals) => void;
  };
}

/** Objects up to this size are fetched whole into memory. */
const mostWholeBytes = 256 * 2 ** 20;
const tickMs = 20;
/** What need not be looked at every tick is looked at every so many. */
const slowTicks = 25;
const retryServicesMs = 5000;
/** A service counts as watched for so long after a request. */
const watchedMs = 30_000;

/** A running set-top box. */
export class Home {
  readonly app: Hono<{ Bindings: Partial<ExchangeEnv> }>;
  readonly #options: HomeOptions;
  readonly #abort = new AbortController();
  readonly #startedMs = Date.now();
  readonly #ledger: Ledger;
  readonly #services = new ServiceDirectory();
  readonly #versions = new InBandVersions();
  readonly #health = new PlaceHealth();
  readonly #places: RepairPlaces;
  readonly #engine: CacheEngine;
  readonly #arrivals: Arrivals;
  readonly #reception: Reception;
  readonly #keeper: SessionKeeper;
  readonly #announcement: Announcement | undefined;
  readonly #players: PlayerAnswers;
  /** When a player last asked for anything of a service. */
  readonly #watchedMs = new Map<string, number>();
  #channels: readonly Channel[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  #ticks = 0;
  #lookedMs = -Infinity;
  #looking = false;

  constructor(options: HomeOptions) {
    this.#options = options;
    const { metrics, store, purges, name } = options;
    this.#ledger = new Ledger(metrics);
    this.#places = new RepairPlaces({
      given: options.repair,
      connect: options.connect,
      edges: options.edges,
    });
    this.#engine = new CacheEngine({
      name,
      store,
      purges,
      nextHop: this.#returnPath(),
      nowMs: Date.now,
      // A player's reload must not send a million homes past their caches.
      policy: { honourRequestDirectives: false, hideFields: ["surrogate-key", "cache-tag"] },
      onOutcome: (outcome) => metrics.cache(outcome),
    });
    this.#announcement = this.#makeAnnouncement();
    const forecast = new Forecast();
    const isMedia = (key: string) => this.#services.isMedia(key);
    this.#arrivals = this.#makeArrivals(forecast, isMedia);
    this.#reception = this.#makeReception();
    this.#keeper = this.#makeKeeper();
    this.#players = new PlayerAnswers({
      engine: this.#engine,
      store,
      arrivals: this.#arrivals,
      forecast,
      ledger: this.#ledger,
      isMedia,
      hasReturnPath: () => this.#edges().length > 0,
      nowMs: Date.now,
    });
    this.app = homeApp({
      answer: (request, signal) => {
        this.#noteWatched(request.target);
        return this.#players.answer(request, signal);
      },
      services: this.#services,
      status: () => this.status(),
      page: options.page,
      signal: this.#abort.signal,
      live: {
        whenStored: (key, ms, signal) => this.#arrivals.whenStored(key, ms, signal),
        onBegin: () => void this.#ledger.live.streams++,
        onEnd: () => void this.#ledger.live.streams--,
        onSkip: (uri) => this.#skipped(uri),
        nowMs: Date.now,
      },
    });
    metrics.watch(() => this.status());
  }

  /**
   * Starts to receive.
   *
   * @returns Why no configuration is in force yet; it goes on trying.
   */
  async start(): Promise<undefined | { readonly error: unknown }> {
    this.#timer = setInterval(() => this.#tick(), tickMs);
    await this.#readServices(this.#options.store);
    if (this.#announcement !== undefined) await this.#tune([]);
    return await this.#keeper.start();
  }

  /** What the box says of itself. */
  status(): Status {
    const { name, store, purges } = this.#options;
    return statusOf({
      name,
      startedMs: this.#startedMs,
      ledger: this.#ledger,
      store,
      appliedSeq: purges.appliedSeq,
      road: this.#reception.road,
      channels: this.#reception.channels,
      nip: this.#announcement?.view,
      services: this.#services.views,
      arriving: this.#arrivals.count,
    }, Date.now());
  }

  /** Frees what purges took. */
  sweep(): void {
    this.#engine.sweep();
  }

  /** Ends endless answers; the others may finish. */
  hangUp(): void {
    this.#abort.abort();
  }

  /** Leaves the groups and stops all that waits. */
  close(): void {
    this.#abort.abort();
    clearInterval(this.#timer);
    this.#reception.close();
  }

  #returnPath(): ReturnPath {
    const { purges, metrics } = this.#options;
    return new ReturnPath({
      places: () => this.#edges(),
      isCurrent: (key, tag) => {
        const version = this.#versions.find(key, tag);
        return version !== undefined && this.#reception.isHeard(version.channel) &&
          purges.verdict({ key, ...version }) === "valid";
      },
      onBytes: (key, bytes) => {
        this.#ledger.came("internet", bytes, { media: this.#services.isMedia(key) });
      },
      onFailure: (place, reason) => metrics.edgeFailure(place, reason),
      health: this.#health,
      nowMs: Date.now,
    });
  }

  #edges() {
    return this.#places.inOrder(this.#channels.map(({ repair }) => repair));
  }

  #makeArrivals(forecast: Forecast, isMedia: (key: string) => boolean): Arrivals {
    const { store, purges, metrics, repairFor, log } = this.#options;
    const { repairBitsPerSecond, repairParallel } = this.#options;
    const repairer = new Repairer({
      appliedSeq: () => purges.appliedSeq,
      onRequest: (report) => {
        this.#ledger.repairs.requests++;
        this.#ledger.repairs.bytes += report.fetchedBytes;
        if (report.outcome !== "ok") this.#ledger.repairs.failures++;
        metrics.repair(report);
      },
      parallel: repairParallel,
      bytesPerSecond: repairBitsPerSecond / 8,
      health: this.#health,
      nowMs: Date.now,
      random: Math.random,
      delay: pause,
      signal: this.#abort.signal,
    });
    return new Arrivals({
      openFill: (fill) => this.#engine.openFill(fill),
      store,
      purges,
      repairer,
      ledger: this.#ledger,
      forecast,
      versions: this.#versions,
      tiersFor: ({ repair }) => this.#places.tiers(repair),
      steering: this.#steering(),
      onStored: (key, file, content) => this.#stored(key, file, content),
      onOutcome: (outcome, uri) => {
        metrics.object(outcome);
        const good = outcome === "complete" || outcome === "repaired";
        log[good ? "debug" : "info"]("object", { outcome, uri });
      },
      isMedia,
      mendsUnread: ({ service }) => repairFor === "all" || this.#isWatched(service),
      mostBytes: mostWholeBytes,
      nowMs: Date.now,
    });
  }

  /** Who takes the documents from the air that steer the box. */
  #steering(): Map<string, SteeringHandler> {
    const { trust, metrics, log } = this.#options;
    const configure = (document: Uint8Array) => void this.#keeper.inBand(document);
    const announced = Announcement.uris.map((uri) => this.#announced(uri));
    if (trust === undefined) return new Map([[gatewayConfigurationUri, configure], ...announced]);
    const notices = new Notices({
      ...trust,
      onConfiguration: configure,
      onOutcome: (outcome) => {
        metrics.notice(outcome);
        const good = outcome === "applied" || outcome === "repeated";
        log[good ? "debug" : "warn"]("notice", { outcome });
      },
      onUnapproved: () => metrics.session("in_band", "unapproved"),
      nowMs: Date.now,
    });
    return new Map([
      [gatewayConfigurationUri, (document) => notices.configure(document)],
      [noticeUri, (document) => void notices.hear(document)],
      ...announced,
    ]);
  }

  #announced(uri: string): [uri: string, handler: SteeringHandler] {
    return [uri, (document, { source, channel }) => {
      if (channel.name === announcementName) this.#announcement?.take(uri, document, source);
    }];
  }

  #makeAnnouncement(): Announcement | undefined {
    const { announcement, metrics } = this.#options;
    return announcement && new Announcement({
      ...announcement,
      onBootstrap: () => this.#keeper.given(),
      onOutcome: (outcome) => metrics.announcement(outcome),
      nowMs: Date.now,
    });
  }

  /** Listens to the announcement session, whatever the configuration says, and to these channels. */
  async #tune(channels: readonly Channel[]): Promise<void> {
    const own = this.#announcement?.channel;
    if (own === undefined) return await this.#reception.tune(channels);
    const others = channels.filter((channel) => channelId(channel) !== channelId(own));
    await this.#reception.tune([own, ...others]);
  }

  #noteWatched(target: string): void {
    const service = this.#services.of(target);
    if (service !== undefined) this.#watchedMs.set(service.uniqueIdentifier, Date.now());
  }

  /** Files are nobody's service: they are mended for those who read them. */
  #isWatched(service: string | undefined): boolean {
    const atMs = service === undefined ? undefined : this.#watchedMs.get(service);
    return atMs !== undefined && Date.now() - atMs < watchedMs;
  }

  #makeReception(): Reception {
    const { interfaceAddress, receiveBufferBytes, schemes, metrics, log } = this.#options;
    return new Reception({
      interfaceAddress,
      receiveBufferBytes,
      schemes,
      openReceiver,
      onEvent: (event, channel) => this.#arrivals.handle(event, channel),
      wantFile: (file) => this.#arrivals.wants(file),
      onPacket: (channel, source, naci) => {
        if (channel.name === announcementName) this.#announcement?.heard(source, naci);
      },
      onLeft: (channel) => this.#arrivals.left(channel),
      onDatagram: (outcome) => metrics.datagram(outcome),
      onNote: (level, sentence) => log[level](sentence),
      nowMs: Date.now,
    });
  }

  #bootstrap(): Promise<Uint8Array> {
    return this.#announcement?.bootstrap() ??
      Promise.reject(new Error("need a gateway configuration: received nothing"));
  }

  #makeKeeper(): SessionKeeper {
    const { session, metrics, log } = this.#options;
    const { kept, load = () => this.#bootstrap() } = session;
    return new SessionKeeper({
      load,
      kept,
      apply: async (channels) => {
        this.#channels = channels;
        await this.#tune(channels);
      },
      onApplied: (origin, { channels, refused }) => {
        metrics.session(origin, "applied");
        log.info("configuration", { origin, channels: channels.length });
        for (const { name, why } of refused) log.warn("channel left alone", { name, why });
        this.#options.onReady?.();
      },
      onRejected: (origin, why) => {
        metrics.session(origin, why);
        log.warn("configuration not used", { origin, why });
      },
      nowMs: Date.now,
    });
  }

  #tick(): void {
    const nowMs = Date.now();
    this.#reception.tick(nowMs);
    if (this.#ticks++ % slowTicks !== 0) return;
    this.#arrivals.tick(nowMs);
    const heard = this.#reception.channels.some(({ state, channel }) => {
      return state === "receiving" && channel.name !== announcementName;
    });
    this.#keeper.tick(nowMs, { heard });
    if (nowMs - this.#lookedMs >= retryServicesMs) void this.#lookForServices(nowMs);
  }

  /** Asks for the service list while there is none, and looks at playlists that nobody looked at. */
  async #lookForServices(nowMs: number): Promise<void> {
    if (this.#looking || (this.#services.services.length > 0 && this.#services.sorted)) return;
    this.#looking = true;
    this.#lookedMs = nowMs;
    const { signal } = this.#abort;
    if (this.#services.services.length === 0 && this.#edges().length > 0) {
      const answer = await this.#get(this.#options.serviceList, { signal });
      const body = answer.status === 200 && answer.body !== null
        ? await new Response(answer.body as BodyInit).bytes().catch(() => undefined)
        : undefined;
      if (body !== undefined) this.#services.update(body);
    }
    if (!this.#services.sorted) {
      await this.#services.sortPlaylists((target, o) => this.#get(target, o), signal);
    }
    this.#looking = false;
  }

  /** For the box itself: no player asks, so none is counted. */
  readonly #get: GetObject = (target, { signal }) =>
    this.#engine.respond({ method: "GET", target, fields: [] }, { signal });

  /** After a restart the list is in the cache. */
  async #readServices(store: Store): Promise<void> {
    const [entry] = store.find(this.#options.serviceList);
    if (entry === undefined) return;
    try {
      this.#services.update(await new Response(entry.read(0, entry.bodyBytes)).bytes());
    } catch {
      // a damaged file: the satellite or the internet brings the list again
    }
  }

  #stored(key: string, { contentType = "" }: FdtFile, content: Uint8Array): void {
    const { serviceList, log } = this.#options;
    const isList = key === serviceList || contentType.startsWith(serviceListMediaType);
    const why = isList ? this.#services.update(content) : undefined;
    if (why !== undefined) log.warn("service list not used", { key, why });
    if (isList) this.#lookedMs = -Infinity;
  }

  #skipped(uri: string): void {
    this.#ledger.live.skipped++;
    this.#options.metrics.liveSkipped();
    this.#options.log.warn("live stream goes on without a segment", { uri });
  }
}
