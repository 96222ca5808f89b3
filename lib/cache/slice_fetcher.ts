/**
 * Fetches slices of large objects from the next hop: learns that an object is large, asks whether what
 * is stored of it is current, brings what is missing.
 *
 * @module
 */

import { endToEnd, type Fields, fieldValue, type ResponseHead } from "#http";
import { refusalOf } from "./admission.ts";
import { bodyBytesOf } from "./body_bytes.ts";
import { freshen, type Revalidation, revalidationFields, withDate } from "./conditional.ts";
import { type Exchange, mayBeShared } from "./exchange.ts";
import { factsOf } from "./facts.ts";
import type { EngineParts, Received } from "./fetcher.ts";
import { SharedFill } from "./fill.ts";
import { manifestKind } from "./manifest.ts";
import type { NextHopResponse } from "./next_hop.ts";
import { asNextHopError } from "./next_hop_failure.ts";
import { speaksOfResource } from "./reuse.ts";
import {
  belongsTo,
  findSliced,
  outlineOf,
  purgeSubject,
  readSliceAnswer,
  type SlicedObject,
  slicedObject,
  sliceKey,
  sliceLength,
  sliceOf,
  sliceRangeField,
  taggedAs,
} from "./slices.ts";
import { forbidsStoring, isShareable } from "./storable.ts";
import type { StoredEntry, StoredResponse } from "./store.ts";

/** What fetching in slices needs of fetching whole. */
export interface WholeFetcher {
  /** Sends a request for the whole, with the given fields. */
  send(fill: SharedFill, exchange: Exchange, fields: Fields): Promise<Received>;
  /** Goes on with an answer that is no slice. */
  receive(
    fill: SharedFill,
    exchange: Exchange,
    received: Received & { entry: StoredEntry | SlicedObject | undefined },
  ): Promise<void>;
}

/** Slices of an outdated representation that are removed at most; the others leave in their time. */
const mostDropped = 65_536;
/** So many are looked for in one turn. */
const droppedPerTurn = 1024;

/** An answer of which a slice is stored. */
interface Adopted {
  readonly exchange: Exchange;
  readonly response: NextHopResponse;
  readonly outline: StoredResponse;
  readonly slice: StoredResponse;
  readonly index: number;
}

/** Fetches slices; each fetch lives on its own until its slice ended, whoever started it. */
export class SliceFetcher {
  readonly #parts: EngineParts;
  readonly #whole: WholeFetcher;

  constructor(parts: EngineParts, whole: WholeFetcher) {
    this.#parts = parts;
    this.#whole = whole;
  }

  /**
   * Asks for one slice of an object of which nothing is stored, or only what may be out of date. A
   * condition that holds is answered with 304 before any range is looked at (RFC 9110 §13.2.2), so one
   * request does both.
   */
  async begin(
    fill: SharedFill,
    exchange: Exchange,
    { object, index: asked }: { object: SlicedObject | undefined; index: number },
  ): Promise<void> {
    const { policy, uncut, unshared, nowMs } = this.#parts;
    const range = (index: number) => [sliceRangeField(index, policy.sliceBytes)];
    const conditions = object === undefined ? [] : revalidationFields(factsOf(object.response));
    let received = await this.#whole.send(fill, exchange, [...conditions, ...range(asked)]);
    if (object !== undefined && conditions.length > 0 && received.response.status === 304) {
      if (await this.#confirm(fill, object, received)) return;
      received = await this.#whole.send(fill, exchange, range(asked));
    }
    let index = asked;
    if (received.response.status === 416 && index > 0) {
      // The object ends before; its first slice tells where.
      await received.response.body.cancel();
      received = await this.#whole.send(fill, exchange, range(index = 0));
    }
    const { response } = received;
    if (response.status === 200) uncut.add(exchange.key, nowMs());
    if (response.status !== 206 && response.status !== 416) {
      return await this.#whole.receive(fill, exchange, { ...received, entry: object });
    }
    const times = { ...received, fillSeq: fill.fillSeq };
    const answer = readSliceAnswer(exchange, response, { ...times, index, policy });
    if (response.status === 206 && answer.kind === "whole") {
      const whole = { ...response, status: 200, fields: answer.fields };
      return await this.#whole.receive(fill, exchange, {
        ...received,
        response: whole,
        entry: object,
      });
    }
    if (response.status === 206 && answer.kind === "slice") {
      if (await this.#announce(fill, { exchange, response, index, ...answer })) return;
    }
    await response.body.cancel();
    const completeBytes = answer.kind === "unusable" ? answer.completeBytes : undefined;
    if (response.status === 416 || (completeBytes ?? Infinity) <= policy.wholeBytes) {
      const plain = await this.#whole.send(fill, exchange, []);
      return await this.#whole.receive(fill, exchange, { ...plain, entry: object });
    }
    unshared.add(exchange.key, nowMs());
    this.#decline(fill, { again: false });
  }

  /**
   * Takes the first slice of a whole answer and lets the rest be, when the object is large and its next
   * hop gives ranges.
   *
   * @returns Whether it did.
   */
  async cut(
    fill: SharedFill,
    exchange: Exchange,
    { response, requestSentMs, receivedMs }: Received,
  ): Promise<boolean> {
    const { policy, uncut, nowMs } = this.#parts;
    const completeBytes = bodyBytesOf(response) ?? 0;
    const large = policy.sliceBytes > 0 && completeBytes > policy.wholeBytes;
    const mayCut = mayBeShared(exchange) && !exchange.bypass;
    if (!large || !mayCut || !givesRanges(response)) return false;
    if (uncut.has(fill.key, nowMs())) return false;
    const head = withDate(endToEnd(response.fields), receivedMs);
    const fields = head.filter(([name]) => name !== "content-length");
    const times = { requestSentMs, receivedMs, fillSeq: fill.fillSeq };
    const outline = outlineOf(exchange, { ...times, fields, completeBytes, policy });
    if (outline === undefined) return false;
    const { sliceBytes } = policy;
    const slice = sliceOf(outline, { index: 0, sliceBytes, completeBytes });
    return await this.#announce(fill, { exchange, response, outline, slice, index: 0 });
  }

  /** Starts to fetch a missing slice. The caller joins it before anything else runs. */
  start(exchange: Exchange, object: SlicedObject, index: number): SharedFill {
    const { purges } = this.#parts;
    const fill = this.#open(exchange, { index, fillSeq: purges.appliedSeq, fence: 0 });
    this.#fetch(fill, exchange, { object, index }).catch((error) => this.#fail(fill, error))
      .finally(() => this.#parts.fills.remove(fill));
    return fill;
  }

  /** Removes an outline and its slices. */
  forget(object: SlicedObject): void {
    this.#parts.store.remove(object.outline);
    void this.#drop(object);
  }

  /** Removes the slices of an object that is stored in one piece now. */
  supersede({ response: { key, variant } }: StoredEntry): void {
    for (const entry of this.#parts.store.find(key)) {
      const object = slicedObject(entry);
      if (object?.response.variant === variant) this.forget(object);
    }
  }

  async #fetch(
    fill: SharedFill,
    exchange: Exchange,
    { object, index }: { object: SlicedObject; index: number },
  ): Promise<void> {
    const { policy, tell } = this.#parts;
    const received = await this.#whole.send(fill, exchange, [
      sliceRangeField(index, policy.sliceBytes),
    ]);
    const { response } = received;
    if (response.status === 206) {
      const times = { ...received, fillSeq: fill.fillSeq };
      const answer = readSliceAnswer(exchange, response, { ...times, index, policy });
      if (answer.kind === "slice") {
        const tagged = taggedAs(answer.slice, object);
        const same = belongsTo(tagged, object, { index, sliceBytes: policy.sliceBytes });
        const kept = same || await this.#adopt(answer.outline, fill) !== undefined;
        if (kept) return await this.#feed(fill, same ? tagged : answer.slice, response.body);
      }
    }
    if (speaksOfResource(response.status)) {
      if (response.status === 404 || response.status === 410) this.forget(object);
      return await this.#relay(fill, received);
    }
    await response.body.cancel();
    tell({ kind: "fetched", result: "not_stored", reason: "status", bytes: 0 });
    // What is stored is not what the next hop has now, or it does not give it in slices any more.
    const outdated = [200, 206, 416].includes(response.status);
    if (outdated) this.forget(object);
    if (response.status === 200) this.#parts.uncut.add(exchange.key, this.#parts.nowMs());
    this.#decline(fill, { again: outdated });
  }

  /** Keeps what is stored with the head of a 304, unless the 304 is about something else. */
  async #confirm(
    fill: SharedFill,
    object: SlicedObject,
    { response, requestSentMs, receivedMs }: Received,
  ): Promise<boolean> {
    const { purges, store, tell } = this.#parts;
    await response.body.cancel();
    const times: Revalidation = { requestSentMs, receivedMs, fillSeq: fill.fillSeq };
    const confirmed = freshen(object.outline.response, response, times);
    if (confirmed === undefined || fill.invalidated || purges.verdict(confirmed) === "gone") {
      return false;
    }
    if (forbidsStoring(factsOf(confirmed))) {
      this.forget(object);
      return false;
    }
    const updated = slicedObject(await store.update(object.outline, confirmed));
    if (updated === undefined) return false;
    if (!updated.response.tags.every((tag) => object.response.tags.includes(tag))) {
      void this.#drop(object);
    }
    this.#tellAll(fill, updated, response.status);
    tell({ kind: "fetched", result: "not_modified", bytes: 0 });
    return true;
  }

  /** Stores the outline, lets the slice arrive, and tells everybody who waits. */
  async #announce(
    fill: SharedFill,
    { exchange, response, outline, slice, index }: Adopted,
  ): Promise<boolean> {
    const object = await this.#adopt(outline, fill);
    if (object === undefined) return false;
    const { fillSeq, fence } = fill;
    const arriving = this.#open(exchange, { index, fillSeq, fence });
    const { status, body } = response;
    const piece = status === 200 ? firstBytes(body, sliceLength(slice)) : body;
    this.#feed(arriving, slice, piece).catch((error) => this.#fail(arriving, error))
      .finally(() => this.#parts.fills.remove(arriving));
    this.#tellAll(fill, object, response.status);
    return true;
  }

  #tellAll(fill: SharedFill, object: SlicedObject, fwdStatus: number): void {
    const { unshared, nowMs } = this.#parts;
    const shared = isShareable(factsOf(object.response), nowMs());
    if (shared) unshared.delete(fill.key);
    else unshared.add(fill.key, nowMs());
    fill.announce({ kind: "sliced", object, shared, fwdStatus });
    fill.close();
  }

  /** Stores an outline in the place of a former one, whose slices go when they are of other bytes. */
  async #adopt(outline: StoredResponse, fill: SharedFill): Promise<SlicedObject | undefined> {
    const { store, purges } = this.#parts;
    if (fill.invalidated || refusalOf(outline, { store, purges }) !== undefined) return undefined;
    const former = store.find(outline.key).map(slicedObject).find((object) =>
      object?.outline.response.variant === outline.variant
    );
    const entry = await store.open(outline, 0).commit(outline);
    const object = entry && slicedObject(entry);
    if (former !== undefined && former.validator !== object?.validator) void this.#drop(former);
    return object;
  }

  async #drop(object: SlicedObject): Promise<void> {
    const { store, policy: { sliceBytes } } = this.#parts;
    const count = Math.min(Math.ceil(object.bodyBytes / sliceBytes), mostDropped);
    for (let index = 0; index < count; index++) {
      for (const entry of store.find(sliceKey(object.response.key, index))) {
        if (belongsTo(entry.response, object, { index, sliceBytes })) store.remove(entry);
      }
      if (index % droppedPerTurn === droppedPerTurn - 1) {
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    }
  }

  #open(
    { key, forwarded }: Exchange,
    { index, fillSeq, fence }: { index: number; fillSeq: number; fence: number },
  ): SharedFill {
    const { policy, budget, fills, store, purges } = this.#parts;
    const object = findSliced({ key, forwarded }, { store, purges })?.object;
    const vary = object === undefined ? [] : factsOf(object.response).vary;
    const fill = new SharedFill({
      key: sliceKey(key, index),
      fillSeq,
      fence: Math.max(fence, fillSeq),
      requestFields: forwarded,
      varied: vary === "*" ? [] : vary,
      policy,
      budget,
    });
    fills.add(fill);
    return fill;
  }

  /** Stores a slice while its readers read along. */
  async #feed(
    fill: SharedFill,
    slice: StoredResponse,
    body: ReadableStream<Uint8Array>,
  ): Promise<void> {
    const { store, purges, tell } = this.#parts;
    const bodyBytes = sliceLength(slice);
    const writer = store.open(slice, bodyBytes);
    fill.announce(
      { kind: "body", shared: true, response: slice, bodyBytes, storing: true },
      writer,
    );
    await fill.pump(body);
    const purged = () => fill.invalidated || purges.verdict(purgeSubject(slice)) === "gone";
    const entry = await fill.finish({ response: slice, admit: () => !purged() });
    const { bytes } = fill;
    if (entry !== undefined) tell({ kind: "fetched", result: "stored", bytes });
    else {
      const reason = purged() ? "purged" : "not_admitted";
      tell({ kind: "fetched", result: "not_stored", reason, bytes });
    }
  }

  /** Lets those who wait have a failure too, so that they do not all ask a failing next hop. */
  async #relay(fill: SharedFill, { response, requestSentMs, receivedMs }: Received): Promise<void> {
    const fields = withDate(endToEnd(response.fields), receivedMs);
    const { key, fillSeq } = fill;
    const times = { requestSentMs, receivedMs, fillSeq };
    const failure = { key, variant: "", status: response.status, fields, tags: [], ...times };
    const bodyBytes = bodyBytesOf(response);
    fill.announce({ kind: "body", shared: true, response: failure, bodyBytes, storing: false });
    await fill.pump(response.body);
    await fill.finish({ response: failure, admit: () => false });
    const { bytes } = fill;
    this.#parts.tell({ kind: "fetched", result: "not_stored", reason: "status", bytes });
  }

  /** Says that no slice comes of it: whoever waits looks `again`, or goes for himself. */
  #decline(fill: SharedFill, { again }: { again: boolean }): void {
    fill.announce({ kind: "no_slice", again });
    fill.close();
  }

  async #fail(fill: SharedFill, error: unknown): Promise<void> {
    const failure = asNextHopError(error);
    if (fill.head === undefined) fill.announce({ kind: "failed", error: failure });
    const reason = fill.signal.aborted ? "aborted" : failure.reason;
    this.#parts.tell({ kind: "fetched", result: "failed", reason, bytes: fill.bytes });
    await fill.fail(error);
  }
}

/** Whether ranges of a whole answer can be asked for; what changes all the time is read whole. */
function givesRanges({ status, fields }: ResponseHead): boolean {
  return status === 200 && manifestKind(fields) === undefined &&
    fieldValue(fields, "accept-ranges")?.trim().toLowerCase() === "bytes";
}

/** The beginning of a body; the rest is not read. */
function firstBytes(body: ReadableStream<Uint8Array>, bytes: number): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let left = bytes;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) return controller.close();
      controller.enqueue(value.subarray(0, left));
      left -= Math.min(left, value.length);
      if (left > 0) return;
      controller.close();
      await reader.cancel();
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
