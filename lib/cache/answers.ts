/**
 * Answers of one engine: from the store, from a fill, from the next hop, and those without a
 * response; each told to whoever counts.
 *
 * @module
 */

import {
  type CacheStatus,
  type Fields,
  fieldValue,
  formatCacheStatus,
  type ResponseHead,
} from "#http";
import { currentAge } from "./age.ts";
import { type CacheAnswer, makeAnswer } from "./answer.ts";
import { bodyBytesOf } from "./body_bytes.ts";
import type { BodySource } from "./body_source.ts";
import type { Cursor } from "./byte_log.ts";
import type { Exchange } from "./exchange.ts";
import { type FactsInput, factsOf } from "./facts.ts";
import type { FillHead, SharedFill } from "./fill.ts";
import type { NextHopFailure, NextHopResponse } from "./next_hop.ts";
import type { AnswerResult, CacheOutcome } from "./outcome.ts";
import type { StoredPart } from "./parts.ts";
import type { SlicedBody } from "./sliced_body.ts";
import type { SlicedObject } from "./slices.ts";
import type { CachePolicy } from "./policy.ts";
import { freshLeftMs } from "./reuse.ts";
import type { StoredEntry } from "./store.ts";

/** How an answer came about: the outcome's word, and this cache's part in it (RFC 9211). */
export interface AnswerStory {
  readonly result: AnswerResult;
  readonly status: Omit<CacheStatus, "cache" | "ttlSeconds">;
}

/** What of a request an answer depends on. */
type Asked = Pick<Exchange, "request" | "showHidden">;

/** Who answers. */
export interface AnswersOptions {
  /** This cache's name in `Cache-Status`. */
  readonly name: string;
  readonly policy: CachePolicy;
  readonly nowMs: () => number;
  readonly tell: (outcome: CacheOutcome) => void;
}

/** Makes the answers of one engine. */
export class Answers {
  readonly #options: AnswersOptions;

  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  /** Answers with a stored response. */
  fromEntry(exchange: Asked, entry: StoredEntry, story: AnswerStory): CacheAnswer {
    const { response, bodyBytes, memory } = entry;
    const body: BodySource = {
      road: memory === undefined ? "disk" : "memory",
      bodyBytes,
      ranges: "any",
      read: (start, end = bodyBytes) =>
        memory?.subarray(start, end) ?? entry.read(start, Math.min(end, bodyBytes)),
      discard: () => {},
    };
    return this.#make(exchange, { response, body, story, aged: true });
  }

  /** Answers a range request with the part that holds it. */
  fromPart(exchange: Exchange, { entry, range, completeBytes, whole }: StoredPart): CacheAnswer {
    const [offset] = range;
    const body: BodySource = {
      road: entry.memory === undefined ? "disk" : "memory",
      bodyBytes: completeBytes,
      ranges: "any",
      read: (start, end = completeBytes) =>
        entry.memory?.subarray(start - offset, end - offset) ??
          entry.read(start - offset, end - offset),
      discard: () => {},
    };
    const story: AnswerStory = { result: "hit", status: { hit: true } };
    return this.#make(exchange, { response: whole, body, story, aged: true });
  }

  /** Answers with an object in slices; without `slices` when the answer holds no byte of it. */
  fromSlices(
    exchange: Exchange,
    { response, bodyBytes }: SlicedObject,
    slices: SlicedBody | undefined,
    story: AnswerStory,
  ): CacheAnswer {
    const body: BodySource = {
      road: "slices",
      bodyBytes,
      ranges: "any",
      read: (start, end = bodyBytes) => slices?.read(start, end) ?? new Uint8Array(),
      discard: () => slices?.discard(),
    };
    const aged = story.result !== "miss" || hasAge(response.fields);
    return this.#make(exchange, { response, body, story, aged });
  }

  /** Answers with a body that is arriving. The cursor belongs to the answer from now on. */
  fromFill(
    exchange: Exchange,
    { fill, cursor, head }: {
      fill: SharedFill;
      cursor: Cursor;
      head: Extract<FillHead, { kind: "body" }>;
    },
    story: AnswerStory,
  ): CacheAnswer {
    const { response, bodyBytes } = head;
    const body: BodySource = {
      road: "fill",
      bodyBytes,
      ranges: "rising",
      read: (start, end = bodyBytes, options) => fill.stream(cursor, start, end, options),
      discard: () => cursor.close(),
    };
    const aged = story.result === "collapsed" || hasAge(response.fields);
    return this.#make(exchange, { response, body, story, aged });
  }

  /** Answers with what the next hop said to this very request. */
  fromNextHop(
    exchange: Exchange,
    { head, response }: { head: ResponseHead & FactsInput; response: NextHopResponse },
    story: AnswerStory,
  ): CacheAnswer {
    const body: BodySource = {
      road: "next_hop",
      bodyBytes: bodyBytesOf(response),
      ranges: "none",
      read: () => response.body,
      discard: () => void response.body.cancel().catch(() => {}),
    };
    return this.#make(exchange, { response: head, body, story, aged: hasAge(head.fields) });
  }

  /** Answers for a next hop that gave no response: 504 when it was too slow or behind, 503 or 502 otherwise. */
  failure(reason: NextHopFailure, { result, status }: AnswerStory): CacheAnswer {
    const code = reason === "timeout" || reason === "behind"
      ? 504
      : reason === "no_hop"
      ? 503
      : 502;
    return this.#empty(code, { result, reason, status: { ...status, detail: reason } });
  }

  /** 504 for a client that wants a stored response or none (RFC 9111 §5.2.1.7). */
  onlyIfCached(): CacheAnswer {
    return this.#empty(504, { result: "only_if_cached", status: { detail: "only-if-cached" } });
  }

  /** What nobody reads any more. */
  aborted(): CacheAnswer {
    return this.#empty(499, { result: "aborted", status: { detail: "aborted" } });
  }

  #empty(
    code: number,
    { result, status, reason }: AnswerStory & { reason?: NextHopFailure },
  ): CacheAnswer {
    const { name, tell } = this.#options;
    tell({ kind: "answered", result, status: code, reason });
    const fields: Fields = [
      ["cache-control", "no-store"],
      ["content-length", "0"],
      ["cache-status", formatCacheStatus({ cache: name, ...status })],
    ];
    return { status: code, fields, body: null };
  }

  #make(
    { request, showHidden }: Asked,
    { response, body, story, aged }: {
      response: ResponseHead & FactsInput & { readonly source?: string };
      body: BodySource;
      story: AnswerStory;
      aged: boolean;
    },
  ): CacheAnswer {
    const { name, policy, nowMs, tell } = this.#options;
    const facts = factsOf(response);
    const now = nowMs();
    const { source } = response;
    const kept = story.status.hit || story.status.stored;
    const answer = makeAnswer({
      request,
      response,
      facts,
      body,
      ageSeconds: aged ? Math.floor(currentAge(facts.times, now) / 1000) : undefined,
      cacheStatus: {
        cache: name,
        detail: source,
        ...story.status,
        ttlSeconds: kept ? Math.floor(freshLeftMs(facts, now) / 1000) : undefined,
      },
      hideFields: showHidden ? [] : policy.hideFields,
      toOurCache: showHidden === true,
      maxRangeParts: policy.maxRangeParts,
      onServed: (bytes) => tell({ kind: "served", road: body.road, bytes, source }),
    });
    tell({ kind: "answered", result: story.result, status: answer.status, source });
    return answer;
  }
}

function hasAge(fields: Fields): boolean {
  return fieldValue(fields, "age") !== undefined;
}
