/**
 * From the keys that a playlist names to objects on the air: fetched side by side, sent in order,
 * fetched again when a purge hits them.
 *
 * @module
 */

import type { Ticket } from "./broadcast.ts";
import type { GiveUpReason } from "./counters.ts";
import { carriedObject, type FeedContext, fetchValid, verdictOf } from "./feed.ts";
import type { FetchedObject, FetchFailure } from "./origin.ts";
import { backOffMs } from "./poller.ts";

/** Segments are sent once; initialization segments are repeated. */
export type DeliveryKind = "segment" | "init";

/** One stream of objects. */
export interface DeliveryOptions {
  readonly tsi: number;
  /** Names the stream in the log: the key of its playlist. */
  readonly subject: string;
  /** An object was sent, or is given up. */
  readonly onSettled: (key: string) => void;
}

interface Item {
  readonly key: string;
  readonly kind: DeliveryKind;
  state: "fetching" | "fetched" | "handed" | "sent";
  abort: AbortController;
  object?: FetchedObject;
  ticket?: Ticket;
  /** What the present fetch will replace, after a soft purge. */
  previous?: { readonly object: FetchedObject; readonly ticket: Ticket };
}

/** Without a `max-age` of the origin: media that never changes under its name. */
const segmentMaxAgeSeconds = 86_400;
/** Receivers that tune in wait no longer for an initialization segment. */
const initAcquisitionMs = 1000;
const notFoundTries = 3;
const retry = { firstMs: 200, lastMs: 2000 };

/** Trying again cannot help. */
const final: ReadonlySet<FetchFailure> = new Set(["oversize", "private", "bad_tags", "aborted"]);

/** The objects of one media playlist. */
export class Delivery {
  readonly #context: FeedContext;
  readonly #options: DeliveryOptions;
  /** In the order of sending. */
  readonly #items = new Map<string, Item>();
  readonly #fetches = new Set<Promise<void>>();

  constructor(context: FeedContext, options: DeliveryOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Whether the first packet of an object has left. */
  begun(key: string): boolean {
    return this.#items.get(key)?.ticket?.begun === true;
  }

  /** Fetches an object, and sends it after those that were wanted before it. */
  want(key: string, kind: DeliveryKind): void {
    const known = this.#items.get(key);
    if (known !== undefined) this.#drop(known);
    this.#fetch({ key, kind, state: "fetching", abort: new AbortController() });
  }

  /** Gives up an object that is too late. */
  abandon(key: string): void {
    const item = this.#items.get(key);
    if (item !== undefined) this.#giveUp(item, "late", "newer ones before its turn came");
  }

  /** Forgets what was sent and is not needed again. */
  retain(isNeeded: (key: string) => boolean): void {
    for (const item of this.#items.values()) {
      if (item.state !== "sent" || isNeeded(item.key)) continue;
      if (item.kind === "init") item.ticket?.withdraw();
      this.#items.delete(item.key);
    }
  }

  /**
   * Looks for objects that a purge hit: a hard one drops them at once. Those still worth sending are
   * fetched again.
   *
   * @param wantAgain Tells whether a key is still worth sending, and notes that it will be.
   */
  recheck(wantAgain: (key: string) => boolean): void {
    for (const item of [...this.#items.values()]) {
      if (item.previous && verdictOf(this.#context, item.previous.object) === "gone") {
        item.previous.ticket.withdraw();
        item.previous = undefined;
      }
      if (item.object === undefined) continue; // its answer is checked when it comes
      const verdict = verdictOf(this.#context, item.object);
      if (verdict === "valid") continue;
      this.#context.counters.purged.add(verdict);
      if (verdict === "gone") item.ticket?.withdraw();
      if (wantAgain(item.key)) this.#fetchAgain(item);
      else this.#drop(item);
    }
  }

  /** Drops everything and ends all fetches. */
  async stop(): Promise<void> {
    for (const item of [...this.#items.values()]) this.#drop(item);
    await Promise.all(this.#fetches);
    this.#context.complaints.forget(this.#subject);
  }

  get #subject(): string {
    return `${this.#options.subject} objects`;
  }

  #fetch(item: Item): void {
    this.#items.set(item.key, item);
    const done = this.#fetchUntilDone(item).then(() => {
      this.#fetches.delete(done);
      this.#handOver();
    });
    this.#fetches.add(done);
  }

  #fetchAgain(item: Item): void {
    item.abort.abort();
    const { key, kind, object, ticket } = item;
    const previous = object && ticket ? { object, ticket } : item.previous;
    this.#fetch({ key, kind, state: "fetching", abort: new AbortController(), previous });
  }

  /** Tries until there is an object, or no use in trying. The window gives up what gets too old. */
  async #fetchUntilDone(item: Item): Promise<void> {
    const { signal } = item.abort;
    for (let tries = 1; !signal.aborted; tries++) {
      const outcome = await fetchValid(this.#context, item.key, { large: true, signal });
      if (signal.aborted) return;
      if (outcome.kind === "object") {
        item.object = outcome.object;
        item.state = "fetched";
        this.#context.complaints.settle(this.#subject);
        return;
      }
      if (outcome.kind === "failed") {
        const { reason, detail } = outcome;
        this.#complain(item, reason, detail);
        const hopeless = final.has(reason) || (reason === "not_found" && tries >= notFoundTries);
        if (hopeless) return this.#giveUp(item, reason, detail);
      }
      await pause(backOffMs(tries, retry), signal);
    }
  }

  #complain(item: Item, reason: string, detail: string): void {
    const sentence = `Cannot send ${item.key}: need the object: received ${detail}`;
    this.#context.complaints.raise(this.#subject, reason, sentence);
  }

  #giveUp(item: Item, reason: GiveUpReason, detail: string): void {
    this.#context.counters.givenUp.add(reason);
    this.#complain(item, reason, detail);
    this.#drop(item);
    this.#options.onSettled(item.key);
    this.#handOver();
  }

  #drop(item: Item): void {
    item.abort.abort();
    item.ticket?.withdraw();
    item.previous?.ticket.withdraw();
    if (this.#items.get(item.key) === item) this.#items.delete(item.key);
  }

  /** Hands over what was fetched, up to the first that is still being fetched. */
  #handOver(): void {
    for (const item of this.#items.values()) {
      if (item.state === "fetching") return;
      if (item.state === "fetched") this.#hand(item);
    }
  }

  #hand(item: Item): void {
    const { broadcast, nowMs } = this.#context;
    const { key, kind, object, previous } = item;
    if (object === undefined) return;
    const carried = carriedObject(object, object.maxAgeSeconds ?? segmentMaxAgeSeconds);
    const onSent = () => {
      item.state = "sent";
      this.#context.counters.objectsSent.add(kind === "init" ? "init" : "live");
      this.#options.onSettled(key);
    };
    item.state = "handed";
    item.previous = undefined;
    if (kind === "init") {
      const options = { traffic: "init", acquisitionMs: initAcquisitionMs, onSent } as const;
      item.ticket = broadcast.carry(this.#options.tsi, carried, nowMs(), {
        ...options,
        replaces: previous?.ticket,
      });
    } else {
      previous?.ticket.withdraw();
      item.ticket = broadcast.send(this.#options.tsi, carried, { onSent, nowMs: nowMs() });
    }
  }
}

/** Waits, but not past an abort. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
