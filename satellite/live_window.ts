/**
 * What of one live media playlist has to be sent, and which version of the playlist receivers may
 * see: never one that names a segment which they cannot have yet.
 *
 * Objects go by their key, the canonical path and query.
 *
 * @module
 */

/** A segment as a playlist names it. */
export interface NamedSegment {
  readonly key: string;
  readonly durationSeconds: number;
  /** Key of its initialization segment (`EXT-X-MAP`). */
  readonly initKey?: string;
}

/** One version of a media playlist. */
export interface PlaylistVersion {
  readonly mediaSequence: number;
  readonly segments: readonly NamedSegment[];
}

/** What a new version changed; all in the order to be sent. */
export interface WindowChange {
  /** Initialization segments and segments to fetch and send. */
  readonly wanted: readonly string[];
  /** Segments that are not worth sending any more: too old, or too many wait. */
  readonly abandoned: readonly string[];
}

/** How much of a window is sent. */
export interface WindowOptions {
  /** Newest segments that are sent when a playlist is first seen, and kept sendable after a purge. */
  readonly backlog: number;
  /** Segments that may wait; the oldest are given up beyond that. */
  readonly maxPending: number;
}

/** The state of one media playlist. `Version` lets the caller keep bytes with each version. */
export class LiveWindow<Version extends PlaylistVersion> {
  readonly #options: WindowOptions;
  /** Keys that were met and are still named; `true` while they have not been sent. */
  readonly #pending = new Map<string, boolean>();
  /** Versions that were not published yet, oldest first. */
  #versions: Version[] = [];
  #newest: Version | undefined;

  constructor(options: WindowOptions) {
    this.#options = options;
  }

  /** The newest version seen. */
  get newest(): Version | undefined {
    return this.#newest;
  }

  /** Seconds of media that the newest version names and that have not been sent. */
  get lagSeconds(): number {
    const waiting = this.#newest?.segments.filter(({ key }) => this.#pending.get(key)) ?? [];
    return waiting.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0);
  }

  /** Whether `key` waits to be sent. */
  isPending(key: string): boolean {
    return this.#pending.get(key) === true;
  }

  /**
   * Takes a version that was just fetched.
   *
   * @param begun Whether the first packet of a segment has left: such a one is finished, however old.
   */
  observe(version: Version, begun: (key: string) => boolean): WindowChange {
    const restarted = this.#newest !== undefined &&
      version.mediaSequence < this.#newest.mediaSequence;
    const first = this.#newest === undefined || restarted;
    if (restarted) this.#forgetSent();
    this.#newest = version;
    this.#versions.push(version);
    const wanted = this.#want(version, first);
    const abandoned = this.#abandon(version, begun);
    this.#prune();
    return { wanted: wanted.filter((key) => this.isPending(key)), abandoned };
  }

  /** Notes that an object was sent, or given up: it holds no version back any more. */
  settle(key: string): void {
    if (this.#pending.has(key)) this.#pending.set(key, false);
  }

  /**
   * Asks for an object again after a purge. Returns whether it is still worth sending: it waits
   * anyway, is one of the newest segments, or initializes one.
   */
  wantAgain(key: string): boolean {
    if (!this.isPending(key) && !this.#current().has(key)) return false;
    this.#pending.set(key, true);
    return true;
  }

  /** Whether the newest segments or their initialization need `key`. */
  isCurrent(key: string): boolean {
    return this.#current().has(key);
  }

  /** Forgets the versions that wait: the playlist itself was purged. */
  withdrawVersions(): void {
    this.#versions = [];
  }

  /** Returns the newest version whose objects were all sent, once, and forgets the older ones. */
  publishable(): Version | undefined {
    for (let at = this.#versions.length - 1; at >= 0; at--) {
      const version = this.#versions[at];
      if (!this.#isReady(version)) continue;
      this.#versions.splice(0, at + 1);
      return version;
    }
    return undefined;
  }

  #isReady({ segments }: Version): boolean {
    return segments.every(({ key, initKey }) =>
      !this.isPending(key) && !(initKey !== undefined && this.isPending(initKey))
    );
  }

  /** Keys of the newest segments and what initializes them. */
  #current(): Set<string> {
    const newest = this.#newest?.segments.slice(-this.#options.backlog) ?? [];
    const keys = newest.flatMap(({ key, initKey }) => initKey === undefined ? key : [initKey, key]);
    return new Set(keys);
  }

  /** Marks what a version newly names; of a first version only the newest segments. */
  #want({ segments }: Version, first: boolean): string[] {
    const wanted: string[] = [];
    const from = first ? segments.length - this.#options.backlog : 0;
    for (const [at, { key, initKey }] of segments.entries()) {
      if (initKey !== undefined && at >= from && !this.#pending.has(initKey)) {
        this.#pending.set(initKey, true);
        wanted.push(initKey);
      }
      if (this.#pending.has(key)) continue;
      this.#pending.set(key, at >= from);
      if (at >= from) wanted.push(key);
    }
    return wanted;
  }

  #abandon({ segments }: Version, begun: (key: string) => boolean): string[] {
    const named = namesOf(segments);
    const inits = new Set(segments.map(({ initKey }) => initKey));
    const waiting = [...this.#pending].filter(([key, is]) => is && !inits.has(key) && !begun(key))
      .map(([key]) => key);
    const surplus = Math.max(0, waiting.length - this.#options.maxPending);
    const abandoned = waiting.filter((key, at) => at < surplus || !named.has(key));
    for (const key of abandoned) this.#pending.set(key, false);
    return abandoned;
  }

  /** Forgets settled keys that no version names, so that memory stays bounded and keys can return. */
  #prune(): void {
    this.#versions.splice(0, this.#versions.length - this.#options.maxPending);
    const named = namesOf(this.#newest?.segments ?? []);
    for (const [key, pending] of this.#pending) {
      if (!pending && !named.has(key)) this.#pending.delete(key);
    }
  }

  #forgetSent(): void {
    this.#versions = [];
    for (const [key, pending] of this.#pending) if (!pending) this.#pending.delete(key);
  }
}

function namesOf(segments: readonly NamedSegment[]): Set<string> {
  return new Set(
    segments.flatMap(({ key, initKey }) => initKey === undefined ? key : [key, initKey]),
  );
}
