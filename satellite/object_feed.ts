/**
 * One object on the air that changes now and then: a file, a service list, a manifest. Asked for at the
 * origin again and again, repeated in its newest version.
 *
 * @module
 */

import type { CarriedTicket } from "./broadcast.ts";
import { carriedObject, type FeedContext, fetchValid, sameBytes, verdictOf } from "./feed.ts";
import type { FetchedObject } from "./origin.ts";
import type { Traffic } from "./planner.ts";
import { backOffMs, Poller } from "./poller.ts";

/** Which object and how it is repeated. */
export interface ObjectFeedOptions {
  readonly key: string;
  readonly tsi: number;
  readonly traffic: Traffic;
  readonly acquisitionMs: number;
  /** Makes it a file. */
  readonly refillMs?: number;
  /** How often a file is asked for, relative to other files. */
  readonly popularity?: number;
  /** How often the origin is asked. */
  readonly revalidateMs: number;
  /** How long receivers may use it at least after the origin was last seen to have it. */
  readonly minMaxAgeSeconds: number;
  /** How it is encoded on the air. */
  readonly contentEncoding?: "gzip";
  readonly maxBytes?: number;
  /** Looks at a new version; a word back is the reason why it is not carried. */
  readonly read?: (object: FetchedObject) => string | undefined;
  /** Whether receivers can have all that a version names. `release()` asks again. */
  readonly isReady?: (object: FetchedObject) => boolean;
}

/** New versions that may wait for what they name. */
const maxWaiting = 8;
const retry = { firstMs: 250, lastMs: 2000 };
/** A file that is not found this often in a row is taken off the air. */
const notFoundTries = 3;

/** Feeds one object into one FLUTE session. */
export class ObjectFeed {
  readonly key: string;
  readonly tsi: number;
  readonly #context: FeedContext;
  readonly #options: ObjectFeedOptions;
  readonly #poller = new Poller((signal) => this.#poll(signal));
  #newest: FetchedObject | undefined;
  #waiting: FetchedObject[] = [];
  #published: { readonly object: FetchedObject; readonly ticket: CarriedTicket } | undefined;
  #confirmedMs = 0;
  /** The newest version was purged: the same bytes count as a new one. */
  #purged = false;
  #failures = 0;

  constructor(context: FeedContext, options: ObjectFeedOptions) {
    this.#context = context;
    this.#options = options;
    this.key = options.key;
    this.tsi = options.tsi;
  }

  /** Bytes of the version on the air; 0 without one. */
  get bytes(): number {
    return this.#published?.ticket.bytes ?? 0;
  }

  /** What one pass of the version on the air takes on the wire; 0 without one. */
  get wireBytes(): number {
    return this.#published?.ticket.wireBytes() ?? 0;
  }

  /** Begins to ask for the object. */
  start(): void {
    this.#poller.start();
  }

  /** Stops asking and drops it. */
  async stop(): Promise<void> {
    await this.#poller.stop();
    this.#withdraw();
    this.#context.complaints.forget(this.key);
  }

  /** Applies purges: a hit object is dropped, fetched again and sent again. */
  recheck(): void {
    const verdict = this.#newest ? verdictOf(this.#context, this.#newest) : "valid";
    if (verdict === "valid") return;
    this.#context.counters.purged.add(verdict);
    this.#purged = true;
    this.#waiting = [];
    if (verdict === "gone") this.#withdraw();
    this.#poller.kick();
  }

  /** Carries the newest version whose time has come. */
  release(): void {
    const { isReady = () => true } = this.#options;
    const at = this.#waiting.findLastIndex((object) => isReady(object));
    if (at < 0) return;
    const object = this.#waiting[at];
    this.#waiting.splice(0, at + 1);
    this.#carry(object);
  }

  async #poll(signal: AbortSignal): Promise<number> {
    const { maxBytes, revalidateMs, traffic } = this.#options;
    const etag = this.#purged ? undefined : this.#newest?.etag;
    const options = { etag, maxBytes, signal, large: traffic === "file" };
    const outcome = await fetchValid(this.#context, this.key, options);
    if (signal.aborted) return 0;
    if (outcome.kind === "purged") return retry.firstMs;
    if (outcome.kind === "failed") return this.#fail(outcome.reason, outcome.detail);
    if (outcome.kind === "object") {
      const rejection = this.#adopt(outcome.object);
      if (rejection !== undefined) {
        this.#context.counters.documentsRejected.add(rejection);
        return this.#fail(rejection, `a document that is ${rejection}`);
      }
    }
    this.#failures = 0;
    this.#context.complaints.settle(this.key);
    this.release();
    this.#confirm();
    return revalidateMs;
  }

  #fail(reason: string, detail: string): number {
    const sentence = `Cannot carry ${this.key}: need the object: received ${detail}`;
    this.#context.complaints.raise(this.key, reason, sentence);
    this.#failures++;
    const gone = reason === "not_found" && this.#failures >= notFoundTries;
    if (gone && this.#options.traffic === "file") this.#withdraw();
    return backOffMs(this.#failures, retry);
  }

  #adopt(object: FetchedObject): string | undefined {
    if (!this.#purged && this.#newest && sameBytes(this.#newest, object)) return undefined;
    const rejection = this.#options.read?.(object);
    if (rejection !== undefined) return rejection;
    this.#purged = false;
    this.#newest = object;
    this.#waiting = [...this.#waiting, object].slice(-maxWaiting);
    return undefined;
  }

  #carry(object: FetchedObject): void {
    const { tsi, traffic, acquisitionMs, refillMs, popularity, contentEncoding } = this.#options;
    const { broadcast, counters, nowMs } = this.#context;
    const ticket = broadcast.carry(
      tsi,
      { ...carriedObject(object, this.#maxAgeSeconds(object)), contentEncoding },
      nowMs(),
      {
        traffic,
        acquisitionMs,
        refillMs,
        popularity,
        replaces: this.#published?.ticket,
        onSent: () => counters.objectsSent.add(traffic),
      },
    );
    this.#published = { object, ticket };
    this.#confirmedMs = nowMs();
  }

  /** The origin still has what is on the air: receivers may use it for longer. */
  #confirm(): void {
    if (this.#published === undefined || this.#published.object !== this.#newest) return;
    const { object, ticket } = this.#published;
    const nowMs = this.#context.nowMs();
    const maxAgeSeconds = this.#maxAgeSeconds(object);
    if (nowMs - this.#confirmedMs < maxAgeSeconds * 500) return;
    this.#confirmedMs = nowMs;
    ticket.refresh({ maxAgeSeconds });
  }

  #maxAgeSeconds({ maxAgeSeconds = 0 }: FetchedObject): number {
    return Math.max(this.#options.minMaxAgeSeconds, maxAgeSeconds);
  }

  #withdraw(): void {
    this.#published?.ticket.withdraw();
    this.#published = undefined;
    this.#newest = undefined;
    this.#waiting = [];
  }
}
