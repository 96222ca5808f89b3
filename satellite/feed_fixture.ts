/**
 * What a feed works with, for tests: an origin in memory, a planner that the test empties when it likes,
 * a receiver behind it, and a clock that the test moves.
 *
 * @module
 */

import { type FdtFile, FluteReceiver } from "#flute";
import { createLogger } from "#log";
import { createMetrics } from "#metrics";
import { PurgeIndex, type PurgeKind } from "#purge";
import { Broadcast } from "./broadcast.ts";
import { Complaints } from "./complaints.ts";
import { HeadendCounters } from "./counters.ts";
import type { FeedContext } from "./feed.ts";
import type { FetchedObject, FetchFailure, FetchOptions, FetchOutcome } from "./origin.ts";
import { CarouselPlanner, type Outgoing } from "./planner.ts";

/** An object that came out at the other end. */
export interface Arrival {
  readonly tsi: number;
  readonly toi: number | bigint;
  readonly path: string;
  readonly text: string;
  readonly purgeSeq: number | undefined;
}

/** A wall clock to start from, in milliseconds since the Unix epoch. */
export const startWallMs = Date.UTC(2026, 0, 1);

/** The world around a feed. */
export class FeedFixture {
  /** What the origin has: text, or why there is none. */
  readonly objects = new Map<string, string | FetchFailure>();
  /** Keys in the order asked, each with the entity tag sent. */
  readonly asked: { readonly key: string; readonly etag: string | undefined }[] = [];
  readonly planner: CarouselPlanner;
  readonly index = new PurgeIndex();
  readonly counters = new HeadendCounters(createMetrics("headend", "0.0.0", 0));
  readonly lines: string[] = [];
  readonly context: FeedContext;
  readonly arrivals: Arrival[] = [];
  readonly #files = new Map<number, readonly FdtFile[]>();
  nowMs = 0;
  #seq = 0;
  readonly #receiver: FluteReceiver;

  constructor(bitsPerSecond = 1e9) {
    this.planner = new CarouselPlanner({ bitsPerSecond });
    const write = (line: string) => void this.lines.push(line);
    const nowMs = () => this.nowMs;
    const log = createLogger({ program: "headend", format: "json", level: "info", write, nowMs });
    this.context = {
      origin: { fetch: (key, options) => this.#fetch(key, options) },
      broadcast: new Broadcast({
        planner: this.planner,
        wallMs: () => startWallMs + this.nowMs,
        fdtAcquisitionMs: 1000,
        listedAfterMs: 6000,
      }),
      purges: this.index,
      counters: this.counters,
      complaints: new Complaints(log),
      nowMs,
    };
    this.#receiver = new FluteReceiver({
      onEvent: (event) => {
        if (event.kind === "fdt") this.#files.set(event.tsi, event.instance.files);
        if (event.kind !== "complete") return;
        const { tsi, toi, file, body } = event.object;
        const { contentLocation, purgeSeq } = file;
        const text = new TextDecoder().decode(body);
        const path = pathOf(contentLocation);
        this.arrivals.push({ tsi, toi, path, text, purgeSeq });
      },
    });
  }

  /** Appends to the purge log, as control would. */
  purge(kind: PurgeKind, value: string, { soft = false } = {}): void {
    const seq = ++this.#seq;
    this.index.apply({ seq, id: `p${seq}`, kind, value, soft, issuedMs: 0, issuer: "test" });
  }

  /** Sends at most `packets` of what is due, moves on by a microsecond a packet, and returns them. */
  send(packets = 1000): Outgoing[] {
    const sent: Outgoing[] = [];
    for (let next; sent.length < packets && (next = this.planner.next(this.nowMs));) {
      sent.push(next);
      this.nowMs += 0.001;
      this.#receiver.receive(next.packet, "192.0.2.1", startWallMs + this.nowMs);
      next.sent?.();
    }
    return sent;
  }

  /** Sends until something holds. */
  async until(what: string, holds: () => boolean): Promise<void> {
    for (const lastMs = performance.now() + 5000; !holds();) {
      if (performance.now() > lastMs) throw new Error(`Cannot go on: need ${what}: received none`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      this.send();
    }
  }

  /** The newest arrival of a path. */
  find(path: string): Arrival | undefined {
    return this.arrivals.findLast((arrival) => arrival.path === path);
  }

  /** Paths that the newest FDT of a session lists. */
  listed(tsi: number): readonly string[] {
    return this.#files.get(tsi)?.map(({ contentLocation }) => pathOf(contentLocation)) ?? [];
  }

  /** When receivers stop using a listed object without asking, in milliseconds since the Unix epoch. */
  expiresMs(path: string): number | undefined {
    const files = [...this.#files.values()].flat();
    const { cacheControl } = files.find((file) => pathOf(file.contentLocation) === path) ?? {};
    return cacheControl?.kind === "expires" ? cacheControl.expiresMs : undefined;
  }

  #fetch(key: string, { etag, signal }: FetchOptions = {}): Promise<FetchOutcome> {
    this.asked.push({ key, etag });
    return Promise.resolve(this.#answer(key, etag, signal?.aborted ?? false));
  }

  #answer(key: string, etag: string | undefined, aborted: boolean): FetchOutcome {
    const held = this.objects.get(key) ?? "not_found";
    const failed = (reason: FetchFailure): FetchOutcome => {
      return { kind: "failed", reason, detail: `a test's ${reason}` };
    };
    if (aborted) return failed("aborted");
    if (/^[a-z_]+$/.test(held)) return failed(held as FetchFailure);
    if (etag === `"${held}"`) return { kind: "not_modified" };
    const object: FetchedObject = {
      key,
      body: new TextEncoder().encode(held),
      etag: `"${held}"`,
      tags: ["one"],
      purgeSeq: this.index.appliedSeq,
    };
    return { kind: "object", object };
  }
}

function pathOf(uri: string): string {
  return uri.replace("http://dvb.gw", "");
}
