/**
 * The books of a set-top box: what came by which road, what was lost, what players got. Pure; every
 * number but the cache's counts from the start and never falls.
 *
 * @module
 */

import { noBytes, type Road, type RoadBytes, roads } from "./road.ts";

/** How a player's request was answered. */
export type RequestResult = "hit" | "arriving" | "miss" | "error";

/** An object that is through, as the status page lists it. */
export interface RecentObject extends RoadBytes {
  readonly path: string;
  readonly bytes: number;
  readonly tookMs: number;
  /** When it was whole, in milliseconds since the Unix epoch. */
  readonly atMs: number;
}

/** Packets of objects that ended. */
export interface PacketCount {
  readonly expected: number;
  readonly received: number;
}

const recentObjects = 16;
/** The window of the loss share, in milliseconds. */
const lossWindowMs = 10_000;

/** Told of bytes as they are counted. */
export interface LedgerObserver {
  came(road: Road, bytes: number): void;
  gave(road: Road, bytes: number): void;
}

/** Counts. */
export class Ledger {
  readonly #observer: LedgerObserver | undefined;
  /** Object bytes by road. */
  readonly bytes: Record<Road, number> = { ...noBytes };
  /** Of these, of media segments of services. */
  readonly media: Record<Road, number> = { ...noBytes };
  /** Body bytes given to players, by the road they had come by. */
  readonly served: Record<Road, number> = { ...noBytes };
  readonly servedMedia: Record<Road, number> = { ...noBytes };
  readonly requests: Record<RequestResult, number> = { hit: 0, arriving: 0, miss: 0, error: 0 };
  readonly packets = { received: 0, expected: 0, lost: 0 };
  readonly objects = { complete: 0, repaired: 0, failed: 0 };
  readonly repairs = { requests: 0, bytes: 0, failures: 0 };
  readonly live = { skipped: 0, streams: 0 };
  readonly #recent: RecentObject[] = [];
  /** Ended objects of the last seconds, oldest first. */
  #ended: (PacketCount & { readonly atMs: number })[] = [];

  constructor(observer?: LedgerObserver) {
    this.#observer = observer;
  }

  /** Counts object bytes that came by a road. */
  came(road: Road, bytes: number, { media }: { readonly media: boolean }): void {
    if (bytes > 0) this.#observer?.came(road, bytes);
    this.bytes[road] += bytes;
    if (media) this.media[road] += bytes;
  }

  /** Counts bytes that a player got. */
  gave(shares: RoadBytes, { media }: { readonly media: boolean }): void {
    for (const road of roads) {
      if (shares[road] > 0) this.#observer?.gave(road, shares[road]);
      this.served[road] += shares[road];
      if (media) this.servedMedia[road] += shares[road];
    }
  }

  /** Counts the packets of an object whose transmission has ended. */
  ended(count: PacketCount, nowMs: number): void {
    this.packets.expected += count.expected;
    this.packets.received += count.received;
    this.packets.lost += count.expected - count.received;
    this.#ended.push({ ...count, atMs: nowMs });
    this.#forget(nowMs);
  }

  /** Share of packets lost lately, 0 to 1; 0 when nothing ended lately. */
  lossShare(nowMs: number): number {
    this.#forget(nowMs);
    let expected = 0;
    let received = 0;
    for (const count of this.#ended) {
      expected += count.expected;
      received += count.received;
    }
    return expected === 0 ? 0 : (expected - received) / expected;
  }

  /** Lists an object that is whole now. */
  finished(object: RecentObject): void {
    this.#recent.push(object);
    if (this.#recent.length > recentObjects) this.#recent.shift();
  }

  /** The objects that were whole last, newest last. */
  get recent(): readonly RecentObject[] {
    return [...this.#recent];
  }

  #forget(nowMs: number): void {
    const from = this.#ended.findIndex(({ atMs }) => atMs > nowMs - lossWindowMs);
    if (from !== 0) this.#ended = from === -1 ? [] : this.#ended.slice(from);
  }
}
