/**
 * Fetches one object from the next hop into a {@link SharedFill}: revalidates, decides on the head
 * who may have it, stores the body.
 *
 * @module
 */

import { endToEnd, type Fields } from "#http";
import { refusalOf } from "./admission.ts";
import { bodyBytesOf } from "./body_bytes.ts";
import type { LogBudget } from "./byte_log.ts";
import { freshen, revalidationFields, withDate } from "./conditional.ts";
import { type Exchange, hasCredentials } from "./exchange.ts";
import { factsOf } from "./facts.ts";
import { SharedFill } from "./fill.ts";
import type { Fills } from "./fills.ts";
import { lifeAtHead, manifestReader } from "./life.ts";
import { type NextHop, NextHopError, type NextHopResponse } from "./next_hop.ts";
import { asNextHopError } from "./next_hop_failure.ts";
import type { CacheOutcome } from "./outcome.ts";
import type { CachePolicy } from "./policy.ts";
import { beginningFor, combined, keepPart, restFields, type StoredPart } from "./parts.ts";
import type { Purges } from "./purges.ts";
import { isErrorStatus, isGatewayFailure, mayServeOnError, speaksOfResource } from "./reuse.ts";
import { SliceFetcher } from "./slice_fetcher.ts";
import { isSliced, type SlicedObject } from "./slices.ts";
import { forbidsStoring, isShareable, type NotStorable, notStorable } from "./storable.ts";
import type { Store, StoredEntry, StoredResponse } from "./store.ts";
import { tagsOf } from "./tags.ts";
import type { RememberedKeys } from "./remembered_keys.ts";
import { variantKey } from "./vary.ts";
import { vouchedSeq } from "./vouched.ts";

/**
 * Variants of one key that are kept. Each lookup passes over them, and who may choose `Accept-Language`
 * could have any number stored: ten thousand cost everybody who asks for the key 8 ms.
 */
const mostVariants = 256;

/** What the engine and its fetcher work with. */
export interface EngineParts {
  readonly store: Store;
  readonly purges: Purges;
  readonly nextHop: NextHop;
  readonly nowMs: () => number;
  readonly policy: CachePolicy;
  readonly budget: LogBudget;
  readonly fills: Fills;
  readonly unshared: RememberedKeys;
  /** Keys whose next hop answers a request for a range with the whole. */
  readonly uncut: RememberedKeys;
  /** When the revalidation of what is held last failed, in milliseconds since the Unix epoch. */
  readonly failures: WeakMap<StoredEntry | SlicedObject, number>;
  readonly tell: (outcome: CacheOutcome) => void;
}

/** How a fetch starts. */
export interface FetchOptions {
  /** What is stored already; revalidated when it has a validator. */
  readonly held: StoredEntry | SlicedObject | undefined;
  /** Whether other requests may find the fetch before its head arrived. */
  readonly findable: boolean;
  /** Asks for this slice only; `undefined` asks for the whole. Given whenever `held` is in slices. */
  readonly slice: number | undefined;
  /** Nothing is asked: this is the whole, put together from its slices. */
  readonly assembled?: Assembled;
}

/** A whole that is put together from slices, under the head of their outline. */
export interface Assembled extends Received {
  /** The purge sequence that the outline is newer than. */
  readonly fillSeq: number;
}

/** An answer of the next hop, and when it came. */
export interface Received {
  readonly response: NextHopResponse;
  readonly requestSentMs: number;
  readonly receivedMs: number;
}

/** Runs fetches; each lives on its own until its body ended, whoever started it. */
export class Fetcher {
  /** Fetches in slices. */
  readonly slices: SliceFetcher;
  readonly #parts: EngineParts;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.slices = new SliceFetcher(parts, {
      send: (...of) => this.#send(...of),
      receive: (...of) => this.#receive(...of),
    });
  }

  /** Starts a fetch. The caller joins it before anything else runs. */
  start(exchange: Exchange, { held, findable, slice, assembled }: FetchOptions): SharedFill {
    const { purges, policy, budget, fills, store } = this.#parts;
    const newest = store.find(exchange.key)[0];
    const vary = newest === undefined ? [] : factsOf(newest.response).vary;
    const fill = new SharedFill({
      key: exchange.key,
      fillSeq: purges.appliedSeq,
      fence: Math.max(purges.appliedSeq, exchange.fence ?? 0),
      requestFields: exchange.forwarded,
      varied: vary === "*" ? [] : vary,
      policy,
      budget,
    });
    if (findable) fills.add(fill);
    this.#run(fill, exchange, { held, slice, assembled }).catch((error) =>
      this.#fail(fill, held, error)
    )
      .finally(() => fills.remove(fill));
    return fill;
  }

  async #run(
    fill: SharedFill,
    exchange: Exchange,
    { held, slice, assembled }: Omit<FetchOptions, "findable">,
  ): Promise<void> {
    if (assembled !== undefined) {
      fill.assembled = true;
      fill.fillSeq = assembled.fillSeq;
      return await this.#receive(fill, exchange, { ...assembled, entry: undefined });
    }
    const entry = held === undefined || isSliced(held) ? undefined : held;
    if (slice !== undefined) {
      const object = held !== undefined && isSliced(held) ? held : undefined;
      return await this.slices.begin(fill, exchange, { object, index: slice });
    }
    const beginning = entry === undefined ? beginningFor(exchange, this.#parts) : undefined;
    if (beginning !== undefined) return await this.#complete(fill, exchange, beginning);
    const conditions = entry === undefined ? [] : revalidationFields(factsOf(entry.response));
    let received = await this.#send(fill, exchange, conditions);
    if (entry !== undefined && conditions.length > 0 && received.response.status === 304) {
      if (await this.#confirm(fill, entry, received)) return;
      received = await this.#send(fill, exchange, []);
    }
    await this.#receive(fill, exchange, { ...received, entry });
  }

  /** Fetches what is missing behind a stored beginning, all of it when that has changed. */
  async #complete(fill: SharedFill, exchange: Exchange, beginning: StoredPart): Promise<void> {
    let received = await this.#send(fill, exchange, restFields(beginning));
    const { response } = received;
    if (response.status === 206 || response.status === 416) {
      const whole = combined(beginning, response, { ...received, fillSeq: fill.fillSeq });
      if (whole === undefined) {
        await response.body.cancel();
        received = await this.#send(fill, exchange, []);
      } else {
        // What is as old as the beginning must not outlive a purge of it.
        fill.fillSeq = Math.min(fill.fillSeq, beginning.entry.response.fillSeq);
        received = { ...received, response: whole };
      }
    }
    await this.#receive(fill, exchange, { ...received, entry: undefined });
  }

  async #send(fill: SharedFill, exchange: Exchange, conditions: Fields): Promise<Received> {
    const { purges, nextHop, nowMs } = this.#parts;
    fill.fillSeq = purges.appliedSeq;
    fill.fence = Math.max(fill.fence, fill.fillSeq);
    const requestSentMs = nowMs();
    const response = await nextHop.fetch({
      method: "GET",
      target: exchange.key,
      fields: [...exchange.forwarded, ...conditions],
      signal: fill.signal,
      appliedSeq: fill.fence,
      onInformational: (status, fields) => {
        for (const relay of fill.informational) relay(status, fields);
      },
    });
    const { key } = exchange;
    const { fence, fillSeq } = fill;
    fill.fillSeq = await vouchedSeq(response, { key, fence, fillSeq }, purges);
    return { response, requestSentMs, receivedMs: nowMs() };
  }

  /** Keeps what is stored with the head of a 304, unless the 304 is about something else. */
  async #confirm(
    fill: SharedFill,
    entry: StoredEntry,
    { response, requestSentMs, receivedMs }: Received,
  ): Promise<boolean> {
    const { purges, store, unshared, nowMs, tell } = this.#parts;
    await response.body.cancel();
    const exchange = { requestSentMs, receivedMs, fillSeq: fill.fillSeq };
    const confirmed = freshen(entry.response, response, exchange);
    if (confirmed === undefined || fill.invalidated || purges.verdict(confirmed) === "gone") {
      return false;
    }
    if (forbidsStoring(factsOf(confirmed))) {
      store.remove(entry);
      return false;
    }
    const updated = await store.update(entry, confirmed);
    if (isShareable(factsOf(confirmed), nowMs())) unshared.delete(fill.key);
    else unshared.add(fill.key, nowMs());
    fill.announce({ kind: "not_modified", entry: updated });
    fill.close();
    tell({ kind: "fetched", result: "not_modified", bytes: 0 });
    return true;
  }

  async #receive(
    fill: SharedFill,
    exchange: Exchange,
    received: Received & { entry: StoredEntry | SlicedObject | undefined },
  ): Promise<void> {
    const { nowMs, policy, fills, unshared, tell } = this.#parts;
    const { response, entry } = received;
    const { stored, reason } = this.#judge(fill, exchange, received);
    const failing = isErrorStatus(response.status);
    if (failing && entry !== undefined) {
      this.#parts.failures.set(entry, nowMs());
      const use = { facts: factsOf(entry.response), requestControl: exchange.control };
      // What is stored stands in for the failure, so the failure must not replace it.
      const better = mayServeOnError({ ...use, nowMs: nowMs() }, policy.staleOnErrorMs);
      if (better) return await this.#relay(fill, received, { stored, reason: "status" });
    }
    if (reason === undefined) {
      if (await this.slices.cut(fill, exchange, received)) return;
      return await this.#keep(fill, received, stored);
    }
    // A shield says no-store of a failure of its own, so that nobody keeps it: who waits may have it.
    const failed = reason === "no_store" && isGatewayFailure(response.status);
    if (failed || (reason === "no_freshness" && speaksOfResource(response.status))) {
      return await this.#relay(fill, received, { stored, reason });
    }
    // What one request said of itself, or got a part of, tells nothing of the next.
    const ownReason = hasCredentials(exchange) || exchange.control.has("no-store") ||
      response.status === 206;
    if (response.status < 400 && !ownReason) unshared.add(fill.key, nowMs());
    fills.remove(fill);
    if (fill.leaderLeft) await response.body.cancel();
    const times = { ...received, fillSeq: fill.fillSeq };
    // A writer is opened only for a body that somebody reads to its end or gives up.
    const body = fill.leaderLeft
      ? response.body
      : keepPart(exchange, response, { ...this.#parts, times });
    fill.announce({ kind: "private", stored, response: { ...response, body } });
    fill.close();
    tell({ kind: "fetched", result: "not_stored", reason, bytes: 0 });
  }

  #judge(
    fill: SharedFill,
    exchange: Exchange,
    { response, requestSentMs, receivedMs }: Received,
  ): { stored: StoredResponse; reason: NotStorable | undefined } {
    const fields = withDate(endToEnd(response.fields), receivedMs);
    const tags = tagsOf(fields);
    const times = { requestSentMs, receivedMs };
    const life = lifeAtHead({ status: response.status, fields }, this.#parts.policy);
    const facts = factsOf({ status: response.status, fields, ...times, life });
    const stored: StoredResponse = {
      key: fill.key,
      variant: facts.vary === "*" ? "*" : variantKey(facts.vary, exchange.forwarded),
      status: response.status,
      fields,
      ...times,
      fillSeq: fill.fillSeq,
      tags: tags === "over_limit" ? [] : tags,
      life,
    };
    const reason = notStorable({
      request: { method: "GET", fields: exchange.forwarded },
      requestControl: exchange.control,
      response,
      facts,
      tagsOverLimit: tags === "over_limit",
      storeSetCookie: this.#parts.policy.storeSetCookie,
    });
    return { stored, reason };
  }

  /** Stores the body while whoever may share it reads along. */
  async #keep(fill: SharedFill, { response }: Received, stored: StoredResponse): Promise<void> {
    const { store, nowMs, fills, unshared, tell } = this.#parts;
    const shared = isShareable(factsOf(stored), nowMs());
    if (shared) {
      unshared.delete(fill.key);
      fills.add(fill);
    } else {
      unshared.add(fill.key, nowMs());
      fills.remove(fill);
    }
    const bodyBytes = bodyBytesOf(response);
    const writer = store.open(stored, bodyBytes);
    fill.announce({ kind: "body", shared, response: stored, bodyBytes, storing: true }, writer);
    const manifest = this.#parts.policy.manifestLife ? manifestReader(stored.fields) : undefined;
    await fill.pump(manifest?.read(response.body) ?? response.body);
    const final = manifest === undefined ? stored : { ...stored, life: manifest.life };
    const refusal = () => fill.invalidated ? "purged" : refusalOf(final, this.#parts);
    const entry = await fill.finish({ response: final, admit: () => refusal() === undefined });
    const { fetchedBytes: bytes } = fill;
    if (entry !== undefined) {
      this.slices.supersede(entry);
      for (const oldest of store.find(entry.response.key).slice(mostVariants)) {
        store.remove(oldest);
      }
      tell({ kind: "fetched", result: "stored", bytes });
    } else {
      const reason = refusal() ?? "not_admitted";
      tell({ kind: "fetched", result: "not_stored", reason, bytes });
    }
  }

  /** Lets those who wait have a failure too, so that they do not all ask a failing next hop. */
  async #relay(
    fill: SharedFill,
    { response }: Received,
    { stored, reason }: { stored: StoredResponse; reason: NotStorable },
  ): Promise<void> {
    const bodyBytes = bodyBytesOf(response);
    fill.announce({ kind: "body", shared: true, response: stored, bodyBytes, storing: false });
    await fill.pump(response.body);
    await fill.finish({ response: stored, admit: () => false });
    const { bytes } = fill;
    this.#parts.tell({ kind: "fetched", result: "not_stored", reason, bytes });
  }

  async #fail(
    fill: SharedFill,
    entry: StoredEntry | SlicedObject | undefined,
    error: unknown,
  ): Promise<void> {
    const { failures, nowMs, tell } = this.#parts;
    const { fetchedBytes: bytes } = fill;
    if (fill.head === undefined) {
      if (entry !== undefined) failures.set(entry, nowMs());
      const failure = asNextHopError(error);
      fill.announce({ kind: "failed", error: failure });
      tell({ kind: "fetched", result: "failed", reason: failure.reason, bytes });
    } else {
      const other = error instanceof NextHopError ? error.reason : "truncated";
      const reason = fill.signal.aborted ? "aborted" : other;
      tell({ kind: "fetched", result: "failed", reason, bytes });
    }
    await fill.fail(error);
  }
}
