/**
 * The headend without its process: from a shield's URL to packets in a socket.
 *
 * @module
 */

import { encodeExtNaci } from "#lct";
import type { Logger } from "#log";
import type { Metrics } from "#metrics";
import { type DatagramSender, Pacer } from "#multicast";
import type { PurgeIndex } from "#purge";
import { AnnouncementFeed, type AnnouncementFeedOptions } from "./announcement_feed.ts";
import { Broadcast, type Protection } from "./broadcast.ts";
import { Catalogue } from "./catalogue.ts";
import { Complaints } from "./complaints.ts";
import { type ConfigurationDocuments, ConfigurationFeed } from "./configuration_feed.ts";
import { HeadendCounters } from "./counters.ts";
import type { FeedContext } from "./feed.ts";
import type { Carriage } from "./gateway_configuration.ts";
import { FileCarousel, type PlannedFile } from "./file_carousel.ts";
import { streamIdentity } from "./installation.ts";
import { NoticeFeed, type NoticeFeedOptions } from "./notice_feed.ts";
import { Origin } from "./origin.ts";
import { type Admission, CarouselPlanner } from "./planner.ts";
import { RateMeter } from "./rate_meter.ts";
import type { ServiceStatus } from "./service_feed.ts";
import { planCarousel } from "./square_root_rule.ts";
import { burstBytes, Transmitter } from "./transmitter.ts";

/** What a headend is made of. */
export interface HeadendOptions {
  /** The shield, or any HTTP server with the same paths. */
  readonly origin: URL;
  readonly serviceListKey: string;
  /** Files in the carousel, whatever control plans. */
  readonly files: readonly PlannedFile[];
  readonly refillMs: number;
  readonly protection: Protection;
  /** Where receivers listen: it is written into the configuration. */
  readonly group: { readonly hostname: string; readonly port: number };
  readonly bitsPerSecond: number;
  readonly repair: readonly URL[];
  readonly maxObjectBytes: number;
  readonly fetchTimeoutMs: number;
  readonly parallelFetches: number;
  readonly socket: DatagramSender;
  /** The announcement session of DVB-NIP: where receivers listen, and the socket that sends there. */
  readonly announcement?: Pick<AnnouncementFeedOptions, "installation" | "group"> & {
    readonly socket: DatagramSender;
  };
  readonly purges: PurgeIndex;
  /** Whether there is a purge log: requests then carry the fence. */
  readonly fenced: boolean;
  /** What signs notices; without it there are none. */
  readonly notice?: Omit<NoticeFeedOptions, "wallMs">;
  /** Writes the configuration to files. Must not reject. */
  readonly writeConfiguration: (documents: ConfigurationDocuments) => Promise<void>;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** A file of the carousel, by the plan for what live and repeating objects leave now. */
export interface FileStatus {
  readonly path: string;
  readonly bytes: number;
  readonly periodSeconds: number;
  /** From tuning in to the last packet, on average. */
  readonly meanWaitSeconds: number;
}

/** What the status page shows. */
export interface HeadendStatus {
  readonly rateBitsPerSecond: number;
  /** Share of the rate used in the last seconds, 0 to 1. */
  readonly utilisation: number;
  readonly packets: number;
  /** Bytes on the wire by what they are for. */
  readonly bytes: Readonly<Record<string, number>>;
  readonly queue: { readonly items: number; readonly wireBytes: number };
  readonly objectsSent: Readonly<Record<string, number>>;
  /** Of the stream that is furthest behind. */
  readonly lagSeconds: number;
  readonly admission: Admission;
  readonly services: readonly ServiceStatus[];
  readonly protection: Protection;
  readonly files: readonly FileStatus[];
  /** Paths of files that are off the air because the rate is short. */
  readonly filesLeftOut: readonly string[];
  readonly purge: { readonly appliedSeq: number; readonly hit: number };
  readonly failures: {
    readonly fetch: Readonly<Record<string, number>>;
    readonly givenUp: Readonly<Record<string, number>>;
    readonly documents: Readonly<Record<string, number>>;
    readonly send: number;
    /** Things that something is wrong with now. */
    readonly open: number;
  };
}

const fdtAcquisitionMs = 1000;
/** Leaves room for the longest extension. */
const announcementSymbolBytes = 1024;
/** Long enough for a receiver to catch one of several FDTs under heavy loss. */
const listedAfterMs = 6000;
const admissionCheckMs = 1000;

/** One headend: one multicast rate. */
export class Headend {
  readonly #options: HeadendOptions;
  readonly #planner: CarouselPlanner;
  readonly #transmitter: Transmitter;
  readonly #counters: HeadendCounters;
  readonly #complaints: Complaints;
  readonly #meter = new RateMeter(performance.now());
  readonly #catalogue: Catalogue;
  readonly #files: FileCarousel;
  readonly #configuration: ConfigurationFeed;
  readonly #notice: NoticeFeed | undefined;
  readonly #announcement: AnnouncementFeed | undefined;
  #admissionTimer: ReturnType<typeof setInterval> | undefined;

  constructor(options: HeadendOptions) {
    this.#options = options;
    const { bitsPerSecond, log, metrics, purges } = options;
    this.#counters = new HeadendCounters(metrics);
    this.#complaints = new Complaints(log);
    this.#planner = new CarouselPlanner({ bitsPerSecond });
    this.#transmitter = this.#makeTransmitter();
    const nowMs = () => performance.now();
    const broadcast = new Broadcast({
      planner: this.#planner,
      wallMs: Date.now,
      fdtAcquisitionMs,
      listedAfterMs,
      protection: options.protection,
    });
    const context: FeedContext = {
      origin: this.#makeOrigin(),
      broadcast,
      purges,
      counters: this.#counters,
      complaints: this.#complaints,
      nowMs,
    };
    const onChange = () => {
      this.#configuration.changed();
      this.#announcement?.changed();
    };
    const { serviceListKey, writeConfiguration: write } = options;
    this.#catalogue = new Catalogue(context, { serviceListKey, onChange });
    const { refillMs } = options;
    this.#files = new FileCarousel(context, { refillMs, wallMs: Date.now, onChange });
    this.#files.plan(options.files);
    this.#notice = options.notice &&
      new NoticeFeed(context, { ...options.notice, wallMs: Date.now });
    this.#configuration = new ConfigurationFeed(context, {
      carriage: () => this.#carriage(),
      write: (documents) => {
        this.#notice?.configured(documents.full);
        return write(documents);
      },
    });
    this.#announcement = this.#makeAnnouncement(context);
    this.#publishGauges(metrics);
  }

  /** The configuration documents, once all that they name is known. */
  get documents(): ConfigurationDocuments | undefined {
    return this.#configuration.documents;
  }

  /** Begins to fetch and to send. */
  start(): void {
    this.#transmitter.start();
    this.#catalogue.start();
    this.#files.start();
    this.#admissionTimer = setInterval(() => this.#checkAdmission(), admissionCheckMs);
  }

  /** Stops sending after the packet in hand, then everything else. */
  async stop(): Promise<void> {
    clearInterval(this.#admissionTimer);
    await this.#transmitter.stop();
    await this.#catalogue.stop();
    await this.#files.stop();
    await this.#configuration.stop();
    await this.#notice?.stop();
    this.#announcement?.stop();
  }

  /** Applies the purges that the index has learnt: what they hit is dropped, fetched and sent again. */
  recheck(): void {
    this.#notice?.changed();
    this.#catalogue.recheck();
    this.#files.recheck();
  }

  /** Follows control's carousel plan; files of the flags stay, and count as named first. */
  planFiles(files: readonly PlannedFile[]): void {
    this.#files.plan([...this.#options.files, ...files]);
  }

  get status(): HeadendStatus {
    const nowMs = performance.now();
    const { bitsPerSecond, purges } = this.#options;
    const { packets, wireBytes, objectsSent, purged } = this.#counters;
    const { fetchFailures, givenUp, documentsRejected, sendFailures } = this.#counters;
    return {
      rateBitsPerSecond: bitsPerSecond,
      utilisation: this.#utilisation(nowMs),
      packets: packets.total,
      bytes: wireBytes.toJSON(),
      queue: this.#planner.depth,
      objectsSent: objectsSent.toJSON(),
      lagSeconds: this.#lagSeconds(),
      admission: this.#planner.admission(nowMs),
      services: this.#catalogue.status,
      protection: this.#options.protection,
      files: this.#plannedFiles(),
      filesLeftOut: this.#files.leftOut,
      purge: { appliedSeq: purges.appliedSeq, hit: purged.total },
      failures: {
        fetch: fetchFailures.toJSON(),
        givenUp: givenUp.toJSON(),
        documents: documentsRejected.toJSON(),
        send: sendFailures.total,
        open: this.#complaints.open,
      },
    };
  }

  #plannedFiles(): FileStatus[] {
    const { rateBitsPerSecond, liveBitsPerSecond, repeatBitsPerSecond } = this.#planner
      .admission(performance.now());
    const files = this.#files.files;
    const left = Math.max(1, rateBitsPerSecond - liveBitsPerSecond - repeatBitsPerSecond);
    const { periods } = planCarousel(files, left);
    return files.map(({ key, bytes }, at) => ({
      path: key,
      bytes,
      periodSeconds: periods[at].periodMs / 1000,
      meanWaitSeconds: periods[at].meanWaitMs / 1000,
    }));
  }

  /** A FLUTE session on a group of its own, in the same rate; its packets say which stream this is. */
  #makeAnnouncement(context: FeedContext): AnnouncementFeed | undefined {
    const { announcement } = this.#options;
    if (announcement === undefined) return undefined;
    const { installation, group } = announcement;
    const { network, stream } = installation;
    const nipStreamProviderName = stream.provider ?? network.provider;
    const broadcast = new Broadcast({
      planner: this.#planner,
      wallMs: Date.now,
      fdtAcquisitionMs,
      listedAfterMs,
      destination: "announcement",
      extensions: [encodeExtNaci({ ...streamIdentity(installation), nipStreamProviderName })],
      symbolBytes: announcementSymbolBytes,
    });
    return new AnnouncementFeed({ ...context, broadcast }, {
      installation,
      group,
      carriage: () => this.#carriage(),
      wallMs: Date.now,
    });
  }

  #makeOrigin(): Origin {
    const { origin, purges, fenced, maxObjectBytes, fetchTimeoutMs, parallelFetches } =
      this.#options;
    return new Origin({
      url: origin,
      appliedSeq: () => fenced ? purges.appliedSeq : undefined,
      maxObjectBytes,
      timeoutMs: fetchTimeoutMs,
      parallel: parallelFetches,
    });
  }

  #makeTransmitter(): Transmitter {
    const { bitsPerSecond, socket, announcement } = this.#options;
    const nowMs = () => performance.now();
    const burst = burstBytes(bitsPerSecond);
    return new Transmitter({
      planner: this.#planner,
      pacer: new Pacer({ bitsPerSecond, burstBytes: burst, nowMs: nowMs() }),
      socket,
      announcementSocket: announcement?.socket,
      nowMs,
      onPacket: (traffic, wire) => {
        this.#counters.packets.add(traffic);
        this.#counters.wireBytes.add(traffic, wire);
        this.#meter.add(wire, nowMs());
        this.#complaints.settle("the network");
      },
      onSendFailed: () => {
        this.#counters.sendFailures.add("send_failed");
        const sentence = "Cannot send a packet: need a network that takes it: received an error";
        this.#complaints.raise("the network", "send_failed", sentence);
      },
    });
  }

  #carriage(): Carriage | undefined {
    const services = this.#catalogue.describe();
    if (services === undefined) return undefined;
    const { group, bitsPerSecond, repair, serviceListKey, protection } = this.#options;
    const files = this.#files.files.map(({ key, acquisitionMs }) => ({
      key,
      cycleMs: acquisitionMs,
    }));
    return { group, bitsPerSecond, repair, serviceListKey, services, files, protection };
  }

  #utilisation(nowMs: number): number {
    return this.#meter.bitsPerSecond(nowMs) / this.#options.bitsPerSecond;
  }

  #lagSeconds(): number {
    const streams = this.#catalogue.status.flatMap(({ streams }) => streams);
    return streams.reduce((most, { lagSeconds }) => Math.max(most, lagSeconds), 0);
  }

  #checkAdmission(): void {
    const admission = this.#planner.admission(performance.now());
    const { rateBitsPerSecond, liveBitsPerSecond, repeatBitsPerSecond } = admission;
    const left = rateBitsPerSecond - liveBitsPerSecond - repeatBitsPerSecond;
    const fileBitsPerSecond = this.#files.admit(Math.max(0, left));
    const leftOut = this.#files.leftOut.length;
    if (admission.holds && leftOut === 0) return this.#complaints.settle("the rate");
    const { repeatsFit } = admission;
    const [live, repeats, files, rate] = [
      liveBitsPerSecond,
      repeatBitsPerSecond,
      Math.max(fileBitsPerSecond, admission.fileBitsPerSecond),
      rateBitsPerSecond,
    ].map((bits) => Math.ceil(bits / 1000));
    const sentence = `Cannot keep ${repeatsFit ? "the file cycle" : "the acquisition latency"}: ` +
      `need ${
        live + repeats + files
      } kbit/s (live ${live}, repeated ${repeats}, files ${files}): ` +
      `received ${rate} kbit/s` + (leftOut > 0 ? `, and left out files: ${leftOut}` : "");
    this.#complaints.raise("the rate", repeatsFit ? "files" : "repeats", sentence);
  }

  #publishGauges(metrics: Metrics): void {
    const admission = () => this.#planner.admission(performance.now());
    const gauges: readonly [name: string, help: string, value: () => number][] = [
      ["queue_objects", "Objects in the live queue.", () => this.#planner.depth.items],
      ["queue_bytes", "Bytes on the wire in the live queue.", () => this.#planner.depth.wireBytes],
      [
        "lag_seconds",
        "Media named by a playlist and not sent yet, of the stream furthest behind.",
        () => this.#lagSeconds(),
      ],
      ["rate_bits_per_second", "Rate on the wire.", () => this.#options.bitsPerSecond],
      [
        "rate_utilisation_ratio",
        "Share of the rate used in the last five seconds.",
        () => this.#utilisation(performance.now()),
      ],
      [
        "admission_demand_bits_per_second",
        "Rate that live, repeating objects and files need.",
        () => {
          const { liveBitsPerSecond, repeatBitsPerSecond, fileBitsPerSecond } = admission();
          return liveBitsPerSecond + repeatBitsPerSecond + fileBitsPerSecond;
        },
      ],
      ["admission_holds", "1 while everything fits in the rate.", () => Number(admission().holds)],
      ["complaints", "Things that something is wrong with now.", () => this.#complaints.open],
    ];
    for (const [name, help, value] of gauges) {
      metrics.gauge(`headend_${name}`, help, [], (gauge) => gauge.set(value()));
    }
  }
}
