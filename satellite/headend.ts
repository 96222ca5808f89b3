/**
 * The headend without its process: from a shield's URL to packets in a socket.
 *
 * @module
 */

import type { Logger } from "#log";
import type { Metrics } from "#metrics";
import { type DatagramSender, Pacer } from "#multicast";
import type { PurgeIndex } from "#purge";
import { Broadcast } from "./broadcast.ts";
import { Catalogue } from "./catalogue.ts";
import { Complaints } from "./complaints.ts";
import { type ConfigurationDocuments, ConfigurationFeed } from "./configuration_feed.ts";
import { HeadendCounters } from "./counters.ts";
import type { FeedContext } from "./feed.ts";
import { type Carriage, configurationTsi } from "./gateway_configuration.ts";
import { ObjectFeed } from "./object_feed.ts";
import { Origin } from "./origin.ts";
import { type Admission, CarouselPlanner } from "./planner.ts";
import { RateMeter } from "./rate_meter.ts";
import type { ServiceStatus } from "./service_feed.ts";
import { burstBytes, Transmitter } from "./transmitter.ts";

/** What a headend is made of. */
export interface HeadendOptions {
  /** The shield, or any HTTP server with the same paths. */
  readonly origin: URL;
  readonly serviceListKey: string;
  /** Keys of the files in the carousel. */
  readonly fileKeys: readonly string[];
  readonly cycleMs: number;
  readonly refillMs: number;
  /** Where receivers listen: it is written into the configuration. */
  readonly group: { readonly hostname: string; readonly port: number };
  readonly bitsPerSecond: number;
  readonly repair: readonly URL[];
  readonly maxObjectBytes: number;
  readonly fetchTimeoutMs: number;
  readonly parallelFetches: number;
  readonly socket: DatagramSender;
  readonly purges: PurgeIndex;
  /** Whether there is a purge log: requests then carry the fence. */
  readonly fenced: boolean;
  /** Writes the configuration to files. Must not reject. */
  readonly writeConfiguration: (documents: ConfigurationDocuments) => Promise<void>;
  readonly log: Logger;
  readonly metrics: Metrics;
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
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
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

/** How often a file of the carousel is compared with the origin. */
const fileRevalidateMs = 60_000;
const fileMinMaxAgeSeconds = 300;
const fdtAcquisitionMs = 1000;
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
  readonly #files: readonly ObjectFeed[];
  readonly #configuration: ConfigurationFeed;
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
    });
    const context: FeedContext = {
      origin: this.#makeOrigin(),
      broadcast,
      purges,
      counters: this.#counters,
      complaints: this.#complaints,
      nowMs,
    };
    const onChange = () => this.#configuration.changed();
    const { serviceListKey, writeConfiguration: write } = options;
    this.#catalogue = new Catalogue(context, { serviceListKey, onChange });
    this.#files = options.fileKeys.map((key) => this.#makeFile(context, key));
    this.#configuration = new ConfigurationFeed(context, {
      carriage: () => this.#carriage(),
      write,
    });
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
    for (const file of this.#files) file.start();
    this.#admissionTimer = setInterval(() => this.#checkAdmission(), admissionCheckMs);
  }

  /** Stops sending after the packet in hand, then everything else. */
  async stop(): Promise<void> {
    clearInterval(this.#admissionTimer);
    await this.#transmitter.stop();
    await this.#catalogue.stop();
    await Promise.all(this.#files.map((file) => file.stop()));
    await this.#configuration.stop();
  }

  /** Applies the purges that the index has learnt: what they hit is dropped, fetched and sent again. */
  recheck(): void {
    this.#catalogue.recheck();
    for (const file of this.#files) file.recheck();
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
      files: this.#files.map(({ key, bytes }) => ({ path: key, bytes })),
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
    const { bitsPerSecond, socket } = this.#options;
    const nowMs = () => performance.now();
    const burst = burstBytes(bitsPerSecond);
    return new Transmitter({
      planner: this.#planner,
      pacer: new Pacer({ bitsPerSecond, burstBytes: burst, nowMs: nowMs() }),
      socket,
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

  #makeFile(context: FeedContext, key: string): ObjectFeed {
    const { cycleMs, refillMs } = this.#options;
    return new ObjectFeed(context, {
      key,
      tsi: configurationTsi,
      traffic: "file",
      acquisitionMs: cycleMs,
      refillMs,
      revalidateMs: fileRevalidateMs,
      minMaxAgeSeconds: fileMinMaxAgeSeconds,
    });
  }

  #carriage(): Carriage | undefined {
    const services = this.#catalogue.describe();
    if (services === undefined) return undefined;
    const { group, bitsPerSecond, repair, serviceListKey, fileKeys, cycleMs } = this.#options;
    const files = fileKeys.map((key) => ({ key, cycleMs }));
    return { group, bitsPerSecond, repair, serviceListKey, services, files };
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
    if (admission.holds) return this.#complaints.settle("the rate");
    const { liveBitsPerSecond, repeatBitsPerSecond, fileBitsPerSecond, repeatsFit } = admission;
    const need = liveBitsPerSecond + repeatBitsPerSecond + fileBitsPerSecond;
    const sentence = `Cannot keep ${repeatsFit ? "the file cycle" : "the acquisition latency"}: ` +
      `need ${Math.ceil(need / 1000)} kbit/s: received ${
        admission.rateBitsPerSecond / 1000
      } kbit/s`;
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
