/**
 * Answers with objects in slices: which slice comes first, whether it is there, who has it fetched.
 *
 * @module
 */

import type { ByteRange, Fields } from "#http";
import { bytesWanted, type CacheAnswer } from "./answer.ts";
import type { Answers, AnswerStory } from "./answers.ts";
import { noDirectives } from "./cache_control.ts";
import { type Exchange, mayBeShared } from "./exchange.ts";
import { factsOf } from "./facts.ts";
import type { Assembled, EngineParts } from "./fetcher.ts";
import type { SharedFill } from "./fill.ts";
import type { SliceFetcher } from "./slice_fetcher.ts";
import { type OpenSlice, SlicedBody } from "./sliced_body.ts";
import {
  belongsTo,
  findSlice,
  objectKey,
  purgeSubject,
  type SlicedObject,
  sliceKey,
} from "./slices.ts";
import type { StoredEntry } from "./store.ts";
import { until } from "./until.ts";

/** So many slices are looked for to tell a hit; an answer that holds more is one when these are there. */
const mostLookedFor = 1024;

/** What became of it: an answer, or that the request has to look `again` or be passed on. */
export type SlicedOutcome = CacheAnswer | "again" | "pass";

/** Makes answers of slices. */
export class SlicedAnswers {
  readonly #parts: EngineParts;
  readonly #answers: Answers;
  readonly #fetcher: SliceFetcher;

  constructor(parts: EngineParts, answers: Answers, fetcher: SliceFetcher) {
    this.#parts = parts;
    this.#answers = answers;
    this.#fetcher = fetcher;
  }

  /** The slice that a request wants first, 0 when it wants none. */
  firstWanted(exchange: Exchange, object: SlicedObject): number {
    const { sliceBytes } = this.#parts.policy;
    return Math.floor((this.#wanted(exchange, object)?.[0][0] ?? 0) / sliceBytes);
  }

  /** Whether all that a request wants of an object is stored, as far as is looked. */
  holds(exchange: Exchange, object: SlicedObject): boolean {
    const { policy: { sliceBytes } } = this.#parts;
    let looked = 0;
    for (const [start, end] of this.#wanted(exchange, object) ?? []) {
      for (let index = Math.floor(start / sliceBytes); index * sliceBytes < end; index++) {
        if (++looked > mostLookedFor) return true;
        if (findSlice(object, index, this.#parts) === undefined) return false;
      }
    }
    return true;
  }

  /** Answers as soon as the first slice has come as far as its head. */
  async answer(
    exchange: Exchange,
    object: SlicedObject,
    story: AnswerStory,
  ): Promise<SlicedOutcome> {
    const { store, policy: { sliceBytes }, budget } = this.#parts;
    store.touch(object.outline);
    if (this.#wanted(exchange, object) === undefined) {
      return this.#answers.fromSlices(exchange, object, undefined, story);
    }
    const whole = this.holds(exchange, object);
    if (!whole && exchange.control.has("only-if-cached")) return this.#answers.onlyIfCached();
    if (!whole && !mayBeShared(exchange)) return "pass";
    const index = this.firstWanted(exchange, object);
    const slice = await this.#open(exchange, object, index);
    switch (slice.kind) {
      case "changed":
        return "again";
      case "refused":
        return "pass";
      case "aborted":
        return this.#answers.aborted();
      case "failed": {
        const status = { fwd: "partial" as const };
        return this.#answers.failure(slice.error.reason, { result: "error", status });
      }
      case "failure": {
        const { status } = slice.head.response;
        const told = { fwd: "partial" as const, fwdStatus: status, collapsed: slice.joined };
        return this.#answers.fromFill(exchange, slice, { result: "pass", status: told });
      }
    }
    const open = (index: number) => this.#open(exchange, object, index);
    const body = new SlicedBody({ sliceBytes, budget, open, first: { index, slice } });
    return this.#answers.fromSlices(exchange, object, body, whole ? story : partial(story, slice));
  }

  /**
   * Answers at once what needs no slice, or one that is in memory.
   *
   * @returns `undefined` for everything else.
   */
  hit(exchange: Exchange, object: SlicedObject): CacheAnswer | undefined {
    const { store, policy: { sliceBytes }, budget } = this.#parts;
    const wanted = this.#wanted(exchange, object);
    const story = { result: "hit", status: { hit: true } } as const;
    store.touch(object.outline);
    if (wanted === undefined) return this.#answers.fromSlices(exchange, object, undefined, story);
    const [[start, end]] = wanted;
    const index = Math.floor(start / sliceBytes);
    if (wanted.length > 1 || end > (index + 1) * sliceBytes) return undefined;
    const entry = findSlice(object, index, this.#parts);
    if (entry?.memory === undefined) return undefined;
    store.touch(entry);
    const open = () => Promise.resolve({ kind: "changed" } as const);
    const first = { index, slice: { kind: "stored", entry } as const };
    const body = new SlicedBody({ sliceBytes, budget, open, first });
    return this.#answers.fromSlices(exchange, object, body, story);
  }

  /** Puts the whole together, whoever asked and however long he stays. */
  assembled({ request, key, forwarded }: Exchange, object: SlicedObject): Assembled {
    const { budget, policy: { sliceBytes } } = this.#parts;
    const { response: { fields, requestSentMs, receivedMs, fillSeq }, bodyBytes } = object;
    const exchange = { request, key, forwarded, control: noDirectives };
    const open = (index: number) => this.#open(exchange, object, index);
    const body = new SlicedBody({ sliceBytes, budget, open }).stream(0, bodyBytes);
    const head: Fields = [...fields, ["content-length", String(bodyBytes)]];
    return { response: { status: 200, fields: head, body }, requestSentMs, receivedMs, fillSeq };
  }

  #wanted(
    exchange: Exchange,
    { response, bodyBytes }: SlicedObject,
  ): readonly ByteRange[] | undefined {
    const { maxRangeParts } = this.#parts.policy;
    const { request } = exchange;
    return bytesWanted({ request, response, facts: factsOf(response), bodyBytes, maxRangeParts });
  }

  async #open(exchange: Exchange, object: SlicedObject, index: number): Promise<OpenSlice> {
    const entry = findSlice(object, index, this.#parts) ??
      await this.#recall(exchange, object, index);
    if (entry !== undefined) {
      this.#parts.store.touch(entry);
      return { kind: "stored", entry };
    }
    const found = this.#joinable(exchange, object, index);
    // What is fetched for one client tells nothing of what is stored for all.
    if (found === undefined && !mayBeShared(exchange)) return { kind: "refused" };
    const fill = found ?? this.#fetcher.start(exchange, object, index);
    const cursor = fill.join();
    if (cursor === undefined) return { kind: "changed" };
    const head = fill.head ?? await until(fill.whenHead, exchange.signal);
    if (head?.kind === "body") {
      const joined = found !== undefined;
      if (!head.storing) return { kind: "failure", fill, cursor, head, joined };
      if (this.#isOf(object, index, fill)) return { kind: "arriving", fill, cursor, joined };
    }
    cursor.close();
    if (head === undefined) return { kind: "aborted" };
    if (head.kind === "failed") return { kind: "failed", error: head.error };
    return { kind: head.kind === "no_slice" && !head.again ? "refused" : "changed" };
  }

  /** Looks for a slice where the store has to be asked. */
  async #recall(
    exchange: Exchange,
    object: SlicedObject,
    index: number,
  ): Promise<StoredEntry | undefined> {
    const { store, purges } = this.#parts;
    if (store.recall === undefined || this.#joinable(exchange, object, index)) return undefined;
    const recalled = await store.recall({
      key: sliceKey(object.response.key, index),
      fields: exchange.forwarded,
      wanted: (response) => purges.verdict(purgeSubject(response)) !== "gone",
      signal: exchange.signal,
    });
    const entry = findSlice(object, index, this.#parts);
    recalled?.release();
    return entry;
  }

  /** A fetch of the slice that a request may wait for or read along with. */
  #joinable(
    { forwarded }: Exchange,
    object: SlicedObject,
    index: number,
  ): SharedFill | undefined {
    const { fills, purges } = this.#parts;
    return fills.of(sliceKey(object.response.key, index)).find((fill) => {
      const { key, fillSeq, head } = fill;
      const tags = head?.kind === "body" ? head.response.tags : [];
      const subject = { key: objectKey(key), tags, fillSeq };
      if (fill.invalidated || !fill.whole || purges.verdict(subject) === "gone") return false;
      return head === undefined
        ? fill.expectsVariantOf(forwarded)
        : this.#isOf(object, index, fill);
    });
  }

  #isOf(object: SlicedObject, index: number, { head }: SharedFill): boolean {
    const { sliceBytes } = this.#parts.policy;
    return head?.kind === "body" && head.storing &&
      belongsTo(head.response, object, { index, sliceBytes });
  }
}

/** The story of an answer of which something is missing. */
function partial(story: AnswerStory, slice: OpenSlice): AnswerStory {
  if (!story.status.hit) return story;
  const collapsed = slice.kind === "arriving" && slice.joined;
  return { result: "partial", status: { fwd: "partial", collapsed, stored: true } };
}
