/**
 * The files that the headend repeats: those of its flags and those of control's carousel plan. They come
 * and go with the plan, leave when they expire, and what does not fit in the rate stays off the air,
 * the last priority first.
 *
 * @module
 */

import type { FeedContext } from "./feed.ts";
import { configurationTsi } from "./gateway_configuration.ts";
import { ObjectFeed } from "./object_feed.ts";

/** A file that somebody wants on the air. */
export interface PlannedFile {
  readonly key: string;
  /** 0 is carried first, 9 goes first when the rate is short. */
  readonly priority: number;
  /** How often it is asked for, relative to the others. */
  readonly popularity: number;
  /** The longest time from the start of one pass to the start of the next. */
  readonly acquisitionMs: number;
  /** When it leaves, in milliseconds since the Unix epoch. */
  readonly expiresMs?: number;
  /** How long receivers may use it at least; five minutes when absent. */
  readonly maxAgeSeconds?: number;
  /** How it is encoded on the air. */
  readonly contentEncoding?: "gzip";
}

/** How files are carried. */
export interface FileCarouselOptions {
  readonly refillMs: number;
  /** Wall clock in milliseconds since the Unix epoch. */
  readonly wallMs: () => number;
  /** Which files are carried has changed. */
  readonly onChange: () => void;
}

/** How often a file is compared with the origin. */
const revalidateMs = 60_000;
const minMaxAgeSeconds = 300;
/** A file that was left out comes back only when this share of the rate would do. */
const comeBackShare = 0.9;

interface Carried {
  readonly file: PlannedFile;
  readonly feed: ObjectFeed;
}

/** The files on the air. */
export class FileCarousel {
  readonly #context: FeedContext;
  readonly #options: FileCarouselOptions;
  readonly #carried = new Map<string, Carried>();
  readonly #leaving = new Set<Promise<void>>();
  /** What is off the air because the rate is short, with the wire bytes of a pass. */
  readonly #leftOut = new Map<string, number>();
  #planned: readonly PlannedFile[] = [];
  #running = false;

  constructor(context: FeedContext, options: FileCarouselOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Files now carried or fetched to be, in the order of the plan. */
  get files(): readonly (PlannedFile & { readonly bytes: number; readonly wireBytes: number })[] {
    return [...this.#carried.values()].map(({ file, feed }) => {
      return { ...file, bytes: feed.bytes, wireBytes: feed.wireBytes };
    });
  }

  /** Planned files that are off the air because the rate is short. */
  get leftOut(): readonly string[] {
    return this.#planned.map(({ key }) => key).filter((key) => this.#leftOut.has(key));
  }

  /** Begins to fetch. */
  start(): void {
    this.#running = true;
    this.#sync();
  }

  /** Takes all off the air. */
  async stop(): Promise<void> {
    this.#running = false;
    for (const { feed } of this.#carried.values()) this.#leave(feed);
    this.#carried.clear();
    await Promise.all(this.#leaving);
  }

  /** Follows a new plan; a key that is named twice counts as first named. */
  plan(files: readonly PlannedFile[]): void {
    const unique = new Map<string, PlannedFile>();
    for (const file of files) if (!unique.has(file.key)) unique.set(file.key, file);
    this.#planned = [...unique.values()].sort((a, b) => a.priority - b.priority);
    for (const key of this.#leftOut.keys()) if (!unique.has(key)) this.#leftOut.delete(key);
    this.#sync();
  }

  /**
   * Leaves out what has expired or does not fit, the last priority first, and takes back what fits again.
   *
   * @param bitsPerSecond What is left for files.
   * @returns The rate at which every planned file would keep its acquisition time.
   */
  admit(bitsPerSecond: number): number {
    let [needed, granted] = [0, 0];
    for (const { key, acquisitionMs } of this.#planned) {
      const wireBytes = this.#leftOut.get(key) ?? this.#carried.get(key)?.feed.wireBytes ?? 0;
      const rate = wireBytes * 8000 / acquisitionMs;
      needed += rate;
      const share = this.#leftOut.has(key) ? comeBackShare : 1;
      if (granted + rate <= bitsPerSecond * share) {
        granted += rate;
        this.#leftOut.delete(key);
      } else this.#leftOut.set(key, wireBytes);
    }
    this.#sync();
    return needed;
  }

  /** Applies purges. */
  recheck(): void {
    for (const { feed } of this.#carried.values()) feed.recheck();
  }

  #sync(): void {
    if (!this.#running) return;
    const nowMs = this.#options.wallMs();
    const wanted = this.#planned.filter(({ key, expiresMs = Infinity }) => {
      return expiresMs > nowMs && !this.#leftOut.has(key);
    });
    const text = (file: PlannedFile) => JSON.stringify(file);
    const kept = new Map(wanted.map((file) => [file.key, text(file)]));
    let changed = false;
    for (const [key, { file, feed }] of this.#carried) {
      if (kept.get(key) === text(file)) continue;
      this.#carried.delete(key);
      this.#leave(feed);
      changed = true;
    }
    for (const file of wanted) {
      if (this.#carried.has(file.key)) continue;
      const feed = this.#feedOf(file);
      this.#carried.set(file.key, { file, feed });
      feed.start();
      changed = true;
    }
    if (changed) this.#options.onChange();
  }

  #feedOf(file: PlannedFile): ObjectFeed {
    const { key, acquisitionMs, popularity, maxAgeSeconds, contentEncoding } = file;
    return new ObjectFeed(this.#context, {
      key,
      tsi: configurationTsi,
      traffic: "file",
      acquisitionMs,
      refillMs: Math.min(this.#options.refillMs, acquisitionMs),
      popularity,
      revalidateMs,
      minMaxAgeSeconds: maxAgeSeconds ?? minMaxAgeSeconds,
      contentEncoding,
    });
  }

  #leave(feed: ObjectFeed): void {
    const left = feed.stop().then(() => void this.#leaving.delete(left));
    this.#leaving.add(left);
  }
}
