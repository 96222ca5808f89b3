/**
 * From FLUTE events to cached objects: which are wanted, which are on their way, which never came.
 *
 * @module
 */

import type { Fill, OpenFillOptions, Purges, Store } from "#cache";
import type { FdtFile, FdtInstance, FluteEvent, ReceivingObject } from "#flute";
import { Arrival, type ArrivalHome, type ArrivalOutcome } from "./arrival.ts";
import { type Channel, channelId } from "./channels.ts";
import { matchesFile } from "./digests.ts";
import type { Forecast } from "./forecast.ts";
import type { AnnouncedVersion, InBandVersions } from "./in_band.ts";
import type { Ledger } from "./ledger.ts";
import { MissingObjects } from "./missing_objects.ts";
import { objectKey } from "./object_uri.ts";
import type { Repairer, RepairPlace, RepairTiming } from "./repairer.ts";
import { formatRoads, noBytes, type RoadBytes } from "./road.ts";
import { entityTagOf, isPlaylist, storedFields } from "./stored_head.ts";
import { StoredVersions } from "./stored_versions.ts";
import { Waiters } from "./waiters.ts";

/** Takes a document that steers the box, and where it came from. */
export type SteeringHandler = (
  document: Uint8Array,
  from: { readonly source: string; readonly channel: Channel },
) => void;

/** What arrivals work with. */
export interface ArrivalsOptions {
  readonly openFill: (options: OpenFillOptions) => Fill;
  readonly store: Pick<Store, "find" | "update">;
  readonly purges: Purges;
  readonly repairer: Repairer;
  readonly ledger: Ledger;
  readonly forecast: Forecast;
  readonly versions: InBandVersions;
  /** Servers to repair from, by the terms of a channel. */
  readonly tiersFor: (channel: Channel) => readonly (readonly RepairPlace[])[];
  /** Documents that steer the box and are no objects of its cache, by URI, and who takes them. */
  readonly steering: ReadonlyMap<string, SteeringHandler>;
  /** An object is in the cache, whole. */
  readonly onStored: (key: string, file: FdtFile, content: Uint8Array) => void;
  readonly onOutcome: (outcome: ArrivalOutcome | "refused", uri: string) => void;
  /** Whether a key is a media segment of a service. */
  readonly isMedia: (key: string) => boolean;
  /** Whether holes of this channel are mended although nobody reads. */
  readonly mendsUnread: (channel: Channel) => boolean;
  /** Longest object that is fetched whole from the internet, in bytes. */
  readonly mostBytes: number;
  readonly nowMs: () => number;
}

/** Files of the carousel up to this size are mended at once; larger ones get a second pass first. */
const smallFileBytes = 2 ** 20;

/** Back-off where the configuration says nothing. */
const defaultTiming: RepairTiming = { fixedMs: 10, randomMs: 100 };

interface OnItsWay {
  readonly arrival: Arrival;
  readonly channel: Channel;
  /** Passes that ended with holes. */
  ends: number;
}

/** All objects on their way into one home. */
export class Arrivals {
  readonly #options: ArrivalsOptions;
  readonly #stored: StoredVersions;
  /** In the order they began. */
  readonly #onTheirWay = new Map<ReceivingObject, OnItsWay>();
  readonly #readable = new Waiters();
  readonly #whole = new Waiters();
  readonly #missing = new MissingObjects<Channel>();
  /** Keys of missing objects that are being fetched. */
  readonly #fetching = new Set<string>();

  constructor(options: ArrivalsOptions) {
    this.#options = options;
    this.#stored = new StoredVersions(options.store, options.purges);
  }

  /** Objects being received or mended. */
  get count(): number {
    return this.#onTheirWay.size;
  }

  /**
   * Whether `key` is on its way: `readable` once its first bytes are there, `coming` before, or while
   * it is mended; `undefined` when it is not, or was given up.
   */
  stateOf(key: string): "readable" | "coming" | undefined {
    let state: "coming" | undefined = this.#fetching.has(key) ? "coming" : undefined;
    for (const { arrival } of this.#onTheirWay.values()) {
      if (arrival.key !== key || arrival.gaveUp) continue;
      if (arrival.readable) return "readable";
      state = "coming";
    }
    return state;
  }

  /** Resolves when `key` can be read or is not coming any more, or after `ms`. */
  whenReadable(key: string, ms: number, signal?: AbortSignal): Promise<boolean> {
    return this.#readable.wait(key, ms, signal);
  }

  /** Resolves with true when `key` was stored anew, with false after `ms`. */
  whenStored(key: string, ms: number, signal?: AbortSignal): Promise<boolean> {
    return this.#whole.wait(key, ms, signal);
  }

  /** Whether a file that an FDT names is worth collecting. */
  wants(file: FdtFile): boolean {
    if (this.#isSteering(file)) return true;
    const key = objectKey(file.contentLocation);
    if (key === undefined || !this.#stored.admits(key, file)) return false;
    const entry = this.#stored.find(key, file);
    if (entry === undefined) return true;
    this.#stored.refresh(entry, file, this.#options.nowMs());
    return false;
  }

  /** Takes what a receiver tells of a channel. */
  handle(event: FluteEvent, channel: Channel): void {
    if (event.kind === "fdt") return this.#named(event.instance, channel);
    if (event.kind === "refused") {
      return this.#options.onOutcome("refused", event.file.contentLocation);
    }
    const { object } = event;
    if (event.kind === "object_started") return this.#started(object, channel);
    const found = this.#onTheirWay.get(object);
    if (found === undefined) return;
    if (event.kind === "complete") this.#completed(found);
    else if (event.kind === "dropped") this.#dropped(found);
    else if (this.#isSteering(object.file)) return;
    else if (event.kind === "progress") found.arrival.progress();
    else this.#ended(found);
  }

  /** Looks for objects that were announced and never came. Call it a few times a second. */
  tick(nowMs: number): void {
    for (const { file, where: channel } of this.#missing.due(nowMs)) {
      const key = objectKey(file.contentLocation);
      if (key === undefined || !this.wants(file)) continue;
      this.#countLoss(file, nowMs);
      // A playlist is asked for when somebody wants it: the internet may have a newer one by then.
      if (isPlaylist(key, file.contentType) || !this.#options.mendsUnread(channel)) continue;
      this.#fetching.add(key);
      void this.#fetchMissing(key, file, channel).finally(() => {
        this.#fetching.delete(key);
        this.#readable.wake(key);
      });
    }
  }

  /** Forgets what a channel that is no longer received has announced. */
  left(channel: Channel): void {
    this.#missing.forget(channelId(channel));
    this.#options.versions.keep(channelId(channel), new Set());
  }

  #named({ files, full }: FdtInstance, channel: Channel): void {
    const { versions, forecast, nowMs } = this.#options;
    const id = channelId(channel);
    const lives = channel.service !== undefined;
    const keys = new Set<string>();
    for (const file of files) {
      const key = objectKey(file.contentLocation);
      if (key === undefined) continue;
      keys.add(key);
      if (isPlaylist(key, file.contentType)) {
        versions.announce(key, this.#announcedVersion(file, id));
      }
      if (lives) forecast.seen(key, nowMs());
    }
    if (full) versions.keep(id, keys);
    if (lives) this.#missing.named(id, files, channel, nowMs());
  }

  #announcedVersion(file: FdtFile, channel: string): AnnouncedVersion | undefined {
    const tag = entityTagOf(file);
    if (tag === undefined) return undefined;
    return { tag, tags: file.tags, fillSeq: this.#stored.fillSeq(file), channel };
  }

  #started(object: ReceivingObject, channel: Channel): void {
    const { file } = object;
    this.#missing.started(channelId(channel), file, this.#options.nowMs());
    const key = this.#isSteering(file) ? file.contentLocation : objectKey(file.contentLocation);
    if (key === undefined || !this.wants(file)) return object.release();
    const arrival = new Arrival(key, object, this.#homeOf(channel));
    this.#onTheirWay.set(object, { arrival, channel, ends: 0 });
  }

  #completed(found: OnItsWay): void {
    const { object } = found.arrival;
    if (found.ends === 0) this.#countPackets(object);
    if (this.#isSteering(object.file)) void this.#steer(found);
    else void found.arrival.complete();
  }

  #ended(found: OnItsWay): void {
    if (found.ends++ === 0) this.#countPackets(found.arrival.object);
    if (this.#worthMending(found)) void found.arrival.mend();
  }

  #dropped({ arrival }: OnItsWay): void {
    this.#onTheirWay.delete(arrival.object);
    if (!this.#isSteering(arrival.object.file)) arrival.drop();
  }

  /** A carousel mends for free what nobody waits for; live does not come again. */
  #worthMending({ arrival, channel, ends }: OnItsWay): boolean {
    if (arrival.readers > 0) return true;
    const lives = channel.service !== undefined;
    // Where nobody can be asked, those who watch live are told soon; files wait for the next pass.
    const places = this.#options.tiersFor(channel).flat();
    if (places.length === 0) return lives;
    if (!this.#options.mendsUnread(channel)) return false;
    const small = arrival.object.transferLength <= smallFileBytes;
    return lives || small || ends > 1;
  }

  #isSteering({ contentLocation }: FdtFile): boolean {
    return this.#options.steering.has(contentLocation);
  }

  async #steer({ arrival: { object }, channel }: OnItsWay): Promise<void> {
    const { steering, onOutcome } = this.#options;
    this.#onTheirWay.delete(object);
    const document = await object.content();
    if (typeof document === "string") return onOutcome("corrupt", object.file.contentLocation);
    onOutcome("complete", object.file.contentLocation);
    steering.get(object.file.contentLocation)?.(document, { source: object.source, channel });
  }

  #homeOf(channel: Channel): ArrivalHome {
    const { ledger, isMedia, repairer, mostBytes, tiersFor } = this.#options;
    return {
      openFill: (key, file, expectedBytes) => this.#openFill(key, file, expectedBytes),
      admits: (key, file) => this.#stored.admits(key, file),
      repairer,
      mostBytes,
      repairTerms: () => ({ ...(channel.repair ?? defaultTiming), tiers: tiersFor(channel) }),
      came: ({ key }, bytes) => {
        const media = isMedia(key);
        ledger.came("satellite", bytes.satellite, { media });
        ledger.came("repair", bytes.repair, { media });
      },
      ended: (arrival, outcome, options) => this.#arrivalEnded(arrival, outcome, options),
    };
  }

  #openFill(key: string, file: FdtFile, expectedBytes: number | undefined): Fill {
    const fill = this.#options.openFill({
      key,
      status: 200,
      fields: storedFields(key, file, this.#options.nowMs()),
      tags: file.tags,
      fillSeq: this.#stored.fillSeq(file),
      expectedBytes,
    });
    this.#readable.wake(key);
    return fill;
  }

  #arrivalEnded(
    arrival: Arrival,
    outcome: ArrivalOutcome,
    { again = false, content }: { readonly again?: boolean; readonly content?: Uint8Array },
  ): void {
    const { key, object, roads } = arrival;
    this.#options.onOutcome(outcome, key);
    this.#options.forecast.over(key); // whatever it is now, waiting for it is over
    this.#readable.wake(key);
    if (outcome === "complete" || outcome === "repaired") {
      this.#supersedeOlder(key, object);
      this.#options.ledger.objects[outcome]++;
      const nowMs = this.#options.nowMs();
      const tookMs = nowMs - object.firstPacketMs;
      this.#finished(key, object.file, content ?? object.body, { ...noBytes, ...roads }, tookMs);
    } else if (outcome !== "superseded" && outcome !== "purged" && !again) {
      this.#options.ledger.objects.failed++;
    }
    if (outcome !== "unrepaired") this.#onTheirWay.delete(object);
  }

  /** Versions of the same name that began earlier must not replace this one. */
  #supersedeOlder(key: string, object: ReceivingObject): void {
    for (const { arrival } of this.#onTheirWay.values()) {
      if (arrival.object === object) break;
      if (arrival.key === key) arrival.superseded = true;
    }
  }

  #finished(key: string, file: FdtFile, content: Uint8Array, roads: RoadBytes, tookMs: number) {
    const { ledger, onStored, nowMs } = this.#options;
    ledger.finished({ path: key, bytes: content.length, ...roads, tookMs, atMs: nowMs() });
    this.#whole.wake(key);
    onStored(key, file, content);
  }

  #countPackets({ packetsExpected: expected, packetsReceived }: ReceivingObject): void {
    const received = Math.min(expected, packetsReceived);
    this.#options.ledger.ended({ expected, received }, this.#options.nowMs());
  }

  #countLoss({ oti, transferLength = 0 }: FdtFile, nowMs: number): void {
    const expected = Math.ceil(transferLength / (oti.symbolBytes ?? 1400));
    this.#options.ledger.ended({ expected, received: 0 }, nowMs);
  }

  /** Fetches an object of which not one packet came. */
  async #fetchMissing(key: string, file: FdtFile, channel: Channel): Promise<void> {
    const { repairer, ledger, isMedia, mostBytes, nowMs, onOutcome, tiersFor } = this.#options;
    const startedMs = nowMs();
    await repairer.backOff(channel.repair ?? defaultTiming);
    if (!this.wants(file)) return; // somebody fetched it meanwhile
    const bytes = await repairer.fetchWhole({
      key,
      expected: { bytes: file.contentLength ?? file.transferLength, etag: file.etag },
      tiers: tiersFor(channel),
      mostBytes,
      verify: (bytes) => Promise.resolve(matchesFile(file, bytes)),
    });
    if (bytes === undefined) {
      ledger.objects.failed++;
      return onOutcome("unrepaired", key);
    }
    ledger.came("repair", bytes.length, { media: isMedia(key) });
    if (!this.wants(file)) return onOutcome("superseded", key);
    const fill = this.#openFill(key, file, bytes.length);
    fill.write(bytes);
    const roads = { ...noBytes, repair: bytes.length };
    const stored = await fill.commit({ source: formatRoads(roads) });
    onOutcome(stored ? "repaired" : "not_admitted", key);
    if (!stored) return;
    ledger.objects.repaired++;
    this.#finished(key, file, bytes, roads, nowMs() - startedMs);
  }
}
