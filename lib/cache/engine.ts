/**
 * The cache engine that edge, shield and set-top box share: looks up, decides, fetches once, lets
 * everybody read along, stores.
 *
 * @module
 */

import type { Fields, ForwardReason, RequestHead } from "#http";
import { type CacheAnswer } from "./answer.ts";
import { Answers, type AnswerStory } from "./answers.ts";
import type { Cursor } from "./byte_log.ts";
import { noDirectives } from "./cache_control.ts";
import {
  type CacheRequest,
  type Exchange,
  hasCredentials,
  isPartial,
  isRangeRequest,
  mayBeShared,
  openExchange,
  passReason,
  type RespondOptions,
} from "./exchange.ts";
import { cacheConditions, originConditions } from "./conditional.ts";
import { factsOf } from "./facts.ts";
import { type FastHit, fastHitOf, FastHits } from "./fast_hit.ts";
import { type EngineParts, Fetcher } from "./fetcher.ts";
import { type FillHead, SharedFill } from "./fill.ts";
import { Fills } from "./fills.ts";
import { forwardedFields } from "./forward.ts";
import { requestKey } from "./key.ts";
import { isVariantFor, lookUp, type LookupResult } from "./lookup.ts";
import type { NextHop } from "./next_hop.ts";
import { type Fill, openFill, type OpenFillOptions } from "./opened_fill.ts";
import type { CacheOutcome } from "./outcome.ts";
import { partFor } from "./parts.ts";
import { pass } from "./pass.ts";
import { type CachePolicy, defaultPolicy } from "./policy.ts";
import type { Purges, PurgeVerdict } from "./purges.ts";
import { selectRanges } from "./ranges.ts";
import { decideReuse, isErrorStatus, mayServeOnError } from "./reuse.ts";
import { SlicedAnswers, type SlicedOutcome } from "./sliced_answers.ts";
import {
  findSliced,
  firstSliceAsked,
  isSliced,
  purgeSubject,
  type SlicedObject,
} from "./slices.ts";
import type { Recall, Recalled, Store, StoredEntry, StoredResponse } from "./store.ts";
import { ownTarget } from "./targeted.ts";
import { RememberedKeys } from "./remembered_keys.ts";
import { until } from "./until.ts";

/** What an engine needs. */
export interface CacheEngineOptions {
  /** This cache's name in `Cache-Status`, for example `edge-1`. */
  readonly name: string;
  readonly store: Store;
  readonly purges: Purges;
  readonly nextHop: NextHop;
  /** The wall clock, in milliseconds since the Unix epoch. */
  readonly nowMs: () => number;
  readonly policy?: Partial<CachePolicy>;
  /** Called for everything that is worth counting. Must not throw. */
  readonly onOutcome?: (outcome: CacheOutcome) => void;
}

/** How a hit is answered to a node of ours. */
export interface HitOptions {
  /** It gets the fields that the policy hides too. */
  readonly showHidden?: boolean;
  /** Fields behind those of the answer. */
  readonly more?: Fields;
}

/** After so many fills that turned out to be for others, a request fetches for itself. */
const maxJoins = 8;

/** A shared HTTP cache (RFC 9111) in front of one next hop. */
export class CacheEngine {
  readonly #parts: EngineParts;
  readonly #answers: Answers;
  readonly #fetcher: Fetcher;
  readonly #sliced: SlicedAnswers;
  readonly #fastHits: FastHits;

  constructor(options: CacheEngineOptions) {
    const { name, store, purges, nextHop, nowMs, onOutcome = () => {} } = options;
    const chosen = { ...defaultPolicy, ...options.policy };
    const policy = { ...chosen, hideFields: [...chosen.hideFields, ownTarget] };
    const remembered = { limit: policy.unsharedKeys, durationMs: policy.unsharedMs };
    this.#parts = {
      store,
      purges,
      nextHop,
      nowMs,
      policy,
      budget: {
        usedBytes: 0,
        budgetBytes: policy.fillBudgetBytes,
        windowBytes: policy.fillWindowBytes,
      },
      fills: new Fills(),
      unshared: new RememberedKeys(remembered),
      uncut: new RememberedKeys(remembered),
      failures: new WeakMap(),
      tell: onOutcome,
    };
    this.#answers = new Answers({ name, policy, nowMs, tell: onOutcome });
    this.#fetcher = new Fetcher(this.#parts);
    this.#sliced = new SlicedAnswers(this.#parts, this.#answers, this.#fetcher.slices);
    this.#fastHits = new FastHits({ name, hideFields: policy.hideFields });
  }

  /** Answers a request. Never rejects for what a client or a next hop does. */
  async respond(request: CacheRequest, options: RespondOptions = {}): Promise<CacheAnswer> {
    const exchange = openExchange(request, options, this.#parts.policy);
    const fwd = passReason(exchange);
    if (fwd !== undefined) return await this.#pass(exchange, fwd);
    const { recall } = this.#parts.store;
    if (recall === undefined) return await this.#answer(exchange, undefined);
    const recalls: Recalled[] = [];
    try {
      return await this.#answer(exchange, async () => {
        const recalled = await recall.call(this.#parts.store, recallFor(exchange, this.#parts));
        if (recalled !== undefined) recalls.push(recalled);
      });
    } finally {
      for (const recalled of recalls) recalled.release();
    }
  }

  /**
   * Answers a request that a cache may answer.
   *
   * @param recall Has the store look for what it does not find by itself; called once.
   */
  async #answer(
    exchange: Exchange,
    recall: (() => Promise<void>) | undefined,
  ): Promise<CacheAnswer> {
    const tried = new Set<SharedFill>();
    let alone = false;
    for (let looks = 0;; looks++) {
      const found = this.#lookUp(exchange);
      const ready = found.kind === "found" ? await this.#fromStore(exchange, found) : undefined;
      if (ready === "again" && looks < maxJoins) continue;
      if (typeof ready === "string") return await this.#pass(exchange, "partial");
      if (ready !== undefined) return ready;
      const part = found.kind.endsWith("miss") ? partFor(exchange, this.#parts) : undefined;
      if (part !== undefined) {
        this.#parts.store.touch(part.entry);
        return this.#answers.fromPart(exchange, part);
      }
      const fill = alone ? undefined : this.#joinable(exchange, tried);
      if (fill === undefined && recall !== undefined && found.kind.endsWith("miss")) {
        await recall();
        recall = undefined;
        continue;
      }
      if (exchange.control.has("only-if-cached")) return this.#answers.onlyIfCached();
      if (fill === undefined) return await this.#lead(exchange, found, alone);
      tried.add(fill);
      const answer = await this.#follow(exchange, { fill, found, leads: false });
      if (typeof answer === "object") return answer;
      if (answer === "pass") return await this.#pass(exchange, "partial");
      alone = answer === "alone" || tried.size >= maxJoins;
    }
  }

  /**
   * Answers a GET or HEAD at once, whole or a part or with 304, when a fresh response can be read at
   * once and nothing in the request needs a closer look; the same answer as
   * {@link CacheEngine.respond} gives.
   *
   * @param options For a node of ours, which gets hidden fields and more.
   * @returns `undefined` to take the slow lane.
   */
  hit(request: RequestHead, options?: HitOptions): FastHit | undefined {
    const { method, target, fields } = request;
    if (method !== "GET" && method !== "HEAD") return undefined;
    const { store, nowMs, policy, tell } = this.#parts;
    let whole = true;
    let ranged = false;
    for (const [name, value] of fields) {
      if (needsCloserLook.has(name)) return undefined;
      if (asksForLess.has(name)) whole = false;
      if (name !== "range") continue;
      // Several parts are a stream, and lines are one list (RFC 9110 §5.3).
      if (ranged || value.includes(",")) return undefined;
      ranged = true;
    }
    const requestFields = () => forwardedFields(request, policy);
    const found = lookUp(this.#parts, {
      key: requestKey(target, policy.keepQuery),
      requestFields,
    });
    if (found.kind !== "found") return whole ? undefined : this.#slicedHit(request, options);
    const { entry, verdict } = found;
    if (entry.memory === undefined && entry.readNow === undefined) return undefined;
    const facts = factsOf(entry.response);
    const now = nowMs();
    const reuse = decideReuse({ facts, verdict, requestControl: noDirectives, nowMs: now });
    if (reuse !== "fresh") return undefined;
    if (!whole || options) return this.#madeHit(request, entry, options);
    const { memory, bodyBytes, response: { status, source } } = entry;
    const bodiless = method === "HEAD" || status === 204 || status === 205 || bodyBytes === 0;
    const asks = memory === undefined && !bodiless;
    const read = asks ? entry.readNow?.() : undefined;
    if (asks && read === undefined) return undefined;
    store.touch(entry);
    const prepared = this.#fastHits.of(entry, method, now);
    const hit = read === undefined ? prepared : { ...prepared, body: read.bytes, done: read.done };
    tell({ kind: "answered", result: "hit", status, source });
    const road = memory === undefined ? "disk" : "memory";
    if (hit.body) tell({ kind: "served", road, bytes: hit.body.length, source });
    return hit;
  }

  /** Answers what asks for less than a large object, from its outline and a slice in memory. */
  #slicedHit(
    request: RequestHead,
    { showHidden, more = [] }: HitOptions = {},
  ): FastHit | undefined {
    const { policy, nowMs } = this.#parts;
    if (policy.sliceBytes === 0) return undefined;
    const exchange = openExchange(request, { showHidden }, policy);
    const sliced = findSliced(exchange, this.#parts);
    if (sliced === undefined) return undefined;
    const { object, verdict } = sliced;
    const use = { facts: factsOf(object.response), verdict, requestControl: noDirectives };
    if (decideReuse({ ...use, nowMs: nowMs() }) !== "fresh") return undefined;
    const answer = this.#sliced.hit(exchange, object);
    if (answer === undefined) return undefined;
    return fastHitOf({ ...answer, fields: [...answer.fields, ...more] });
  }

  /** Answers from memory what no head is ready for: a part, a 304, or fields for a node of ours. */
  #madeHit(
    request: RequestHead,
    entry: StoredEntry,
    { showHidden, more = [] }: HitOptions = {},
  ): FastHit | undefined {
    if (entry.memory === undefined) return undefined;
    this.#parts.store.touch(entry);
    const story = { result: "hit", status: { hit: true } } as const;
    const answer = this.#answers.fromEntry({ request, showHidden }, entry, story);
    return fastHitOf({ ...answer, fields: [...answer.fields, ...more] });
  }

  /**
   * Opens a fill for bytes that come by another road. Requests that find nothing fresh in the store
   * join it.
   */
  openFill(options: OpenFillOptions): Fill {
    return openFill(this.#parts, options);
  }

  /** Frees what hard purges took. Returns how many entries that were. */
  sweep(): number {
    const { store, purges } = this.#parts;
    const gone = [...store.entries()].filter(({ response }) =>
      purges.verdict(purgeSubject(response)) === "gone"
    );
    for (const entry of gone) store.remove(entry);
    return gone.length;
  }

  #lookUp(exchange: Exchange): Found {
    const { bypass, key, forwarded } = exchange;
    if (bypass) return { kind: "bypass" };
    const found = lookUp(this.#parts, { key, requestFields: () => forwarded });
    if (found.kind === "found" || this.#parts.policy.sliceBytes === 0) return found;
    const sliced = findSliced(exchange, this.#parts);
    if (sliced === undefined) return found;
    const { object, verdict } = sliced;
    if (this.#wantsSlices(exchange, object)) return { kind: "found", entry: object, verdict };
    const { control: requestControl } = exchange;
    const use = { facts: factsOf(object.response), verdict, requestControl };
    const fresh = decideReuse({ ...use, nowMs: this.#parts.nowMs() }) === "fresh";
    return fresh ? { kind: "partial", object } : found;
  }

  /** Whether slices answer a request: not when a small object is asked for whole and not all of it is there. */
  #wantsSlices(exchange: Exchange, object: SlicedObject): boolean {
    const { request } = exchange;
    if (object.bodyBytes > this.#parts.policy.wholeBytes || request.method === "HEAD") return true;
    return isRangeRequest(request) || this.#sliced.holds(exchange, object);
  }

  /** Answers from the store if it may (RFC 9111 §4). */
  #fromStore(
    exchange: Exchange,
    { entry, verdict }: Extract<Found, { kind: "found" }>,
  ): CacheAnswer | Promise<SlicedOutcome> | undefined {
    const { nowMs } = this.#parts;
    const facts = factsOf(entry.response);
    const use = { facts, requestControl: exchange.control, nowMs: nowMs() };
    const reuse = decideReuse({ ...use, verdict });
    if (reuse === "fresh") return this.#serve(exchange, entry, { result: "hit" });
    if (reuse === "stale") return this.#serve(exchange, entry, { result: "stale" });
    const justFailed = this.#justFailed(entry);
    if (reuse === "stale_while_revalidate") {
      if (!justFailed) this.#revalidateBehind(exchange, entry);
      return this.#serve(exchange, entry, { result: "stale" });
    }
    if (!justFailed || reuse !== "revalidate" || !this.#mayStandIn(exchange, entry)) {
      return undefined;
    }
    return this.#serve(exchange, entry, { result: "stale_if_error" });
  }

  /** Fetches as the one who started it. */
  async #lead(exchange: Exchange, found: Found, alone: boolean): Promise<CacheAnswer> {
    const { unshared, nowMs, policy } = this.#parts;
    const held = found.kind === "found" ? found.entry : undefined;
    const isUnshared = unshared.has(exchange.key, nowMs());
    const single = held === undefined && isUnshared && isPartial(exchange);
    // What is in slices may be purged, as far as this request knows: it gets its own range.
    const past = exchange.bypass && policy.sliceBytes > 0 && isRangeRequest(exchange.request);
    if (exchange.request.method === "HEAD" || single || past) {
      return await this.#pass(exchange, forwardReason(exchange, found));
    }
    const findable = !alone && !isUnshared && mayBeShared(exchange);
    const slice = this.#sliceToAsk(exchange, held);
    const assembled = found.kind === "partial" && mayBeShared(exchange)
      ? this.#sliced.assembled(exchange, found.object)
      : undefined;
    const fill = this.#fetcher.start(exchange, { held, findable, slice, assembled });
    const answer = await this.#follow(exchange, { fill, found, leads: true });
    if (typeof answer === "object") return answer;
    return await this.#pass(exchange, forwardReason(exchange, found));
  }

  /** The slice to ask for; `undefined` to ask for the whole. */
  #sliceToAsk(
    exchange: Exchange,
    held: StoredEntry | SlicedObject | undefined,
  ): number | undefined {
    const { policy: { sliceBytes }, uncut, nowMs } = this.#parts;
    if (held !== undefined) {
      return isSliced(held) ? this.#sliced.firstWanted(exchange, held) : undefined;
    }
    if (sliceBytes === 0 || !mayBeShared(exchange) || uncut.has(exchange.key, nowMs())) {
      return undefined;
    }
    return firstSliceAsked(exchange.request, sliceBytes);
  }

  /** A fill that this request may wait for or read along with. */
  #joinable(exchange: Exchange, tried: ReadonlySet<SharedFill>): SharedFill | undefined {
    const { bypass, fence = Infinity, key, forwarded } = exchange;
    return this.#parts.fills.of(key).find((fill) => {
      if (tried.has(fill) || fill.invalidated) return false;
      if (bypass && fill.fence < fence) return false;
      // Until the head says that it is stored, it may be a 401 for somebody without credentials.
      if (hasCredentials(exchange) && !(fill.head?.kind === "body" && fill.head.storing)) {
        return false;
      }
      if (fill.head === undefined) return this.#isCurrent(fill) && fill.expectsVariantOf(forwarded);
      return fill.head.kind === "body" && this.#mayShare(exchange, { fill, head: fill.head });
    });
  }

  /** Whether no purge took what a fill brings, as far as its tags are known. */
  #isCurrent({ key, fillSeq, head }: SharedFill): boolean {
    const tags = head?.kind === "body" ? head.response.tags : [];
    return this.#parts.purges.verdict({ key, tags, fillSeq }) === "valid";
  }

  /** Whether a request may be answered with a body that another one fetches. */
  #mayShare(
    { forwarded, control }: Exchange,
    { fill, head, waited }: {
      fill: SharedFill;
      head: Extract<FillHead, { kind: "body" }>;
      /** The response was made after the request came, so its directives are met. */
      waited?: boolean;
    },
  ): boolean {
    if (!head.shared || fill.invalidated || !this.#isCurrent(fill)) return false;
    if (!isVariantFor(head.response, () => forwarded)) return false;
    if (fill.vouched || (waited && !head.storing)) return true;
    const reuse = decideReuse({
      facts: factsOf(head.response),
      verdict: "valid",
      requestControl: waited ? noDirectives : control,
      nowMs: this.#parts.nowMs(),
    });
    return reuse === "fresh" || reuse === "stale_while_revalidate";
  }

  /** Waits for the head of a fill and answers by it; a word when this fill is not for the request. */
  async #follow(
    exchange: Exchange,
    { fill, found, leads }: { fill: SharedFill; found: Found; leads: boolean },
  ): Promise<SlicedOutcome | "alone"> {
    const cursor = fill.join();
    if (cursor === undefined) return "alone";
    const waited = fill.head === undefined;
    const relay: typeof exchange.onInformational = (...hint) => exchange.onInformational?.(...hint);
    if (waited) fill.informational.add(relay);
    const head = fill.head ?? await until(fill.whenHead, exchange.signal);
    if (head === undefined) {
      fill.informational.delete(relay);
      if (leads) fill.leaderLeft = true;
      cursor.close();
      return this.#answers.aborted();
    }
    if (head.kind === "body") {
      const mine = leads || this.#mayShare(exchange, { fill, head, waited });
      if (mine) return this.#readAlong(exchange, { fill, head, cursor, found, leads });
      cursor.close();
      return head.shared ? "again" : "alone";
    }
    cursor.close();
    if (head.kind === "no_slice") return head.again ? "again" : "alone";
    const status = { fwd: forwardReason(exchange, found), collapsed: !leads };
    if (head.kind === "sliced") {
      const { object, shared, fwdStatus } = head;
      if (!leads && !(shared && this.#isConfirmedFor(exchange, object))) return "alone";
      const result = fwdStatus === 304 ? "revalidated" : leads ? "miss" : "collapsed";
      return await this.#serve(exchange, object, {
        result,
        status: { ...status, fwdStatus, stored: true },
      });
    }
    if (head.kind === "failed") return this.#onFailure(exchange, found, { head, status });
    if (head.kind === "private") {
      const { stored, response } = head;
      const story = { result: "miss" as const, status: { ...status, fwdStatus: response.status } };
      return leads
        ? this.#answers.fromNextHop(exchange, { head: stored, response }, story)
        : "alone";
    }
    if (!leads && !this.#isConfirmedFor(exchange, head.entry)) return "alone";
    return await this.#serve(exchange, head.entry, {
      result: "revalidated",
      status: { ...status, fwdStatus: 304, stored: true },
    });
  }

  /** Whether a request that waited for a revalidation may have the entry it confirmed. */
  #isConfirmedFor(
    { forwarded }: Exchange,
    { response }: Pick<StoredEntry, "response">,
  ): boolean {
    const { purges, nowMs } = this.#parts;
    const verdict = purges.verdict(response);
    if (verdict === "gone" || !isVariantFor(response, () => forwarded)) return false;
    const use = { facts: factsOf(response), requestControl: noDirectives, nowMs: nowMs() };
    const reuse = decideReuse({ ...use, verdict });
    return reuse === "fresh" || reuse === "stale_while_revalidate";
  }

  /** Answers with a body while it arrives. */
  #readAlong(
    exchange: Exchange,
    { fill, head, cursor, found, leads }: {
      fill: SharedFill;
      head: Extract<FillHead, { kind: "body" }>;
      cursor: Cursor;
      found: Found;
      leads: boolean;
    },
  ): CacheAnswer | Promise<SlicedOutcome> {
    const { status, source } = head.response;
    const fwd = forwardReason(exchange, found);
    const fwdStatus = fill.assembled ? undefined : status;
    const told = { fwd, fwdStatus, collapsed: !leads, stored: head.storing };
    if (
      isErrorStatus(status) && found.kind === "found" && this.#mayStandIn(exchange, found.entry)
    ) {
      cursor.close();
      return this.#serve(exchange, found.entry, { result: "stale_if_error", status: told });
    }
    if (this.#startsTooFarAhead(exchange, fill, head)) {
      cursor.close();
      return this.#pass(exchange, "partial");
    }
    const result = !leads ? "collapsed" : exchange.bypass ? "bypass" : "miss";
    const opened = fill.vouched ? { hit: true, detail: source } : told;
    return this.#answers.fromFill(exchange, { fill, cursor, head }, { result, status: opened });
  }

  /** Whether a range starts so far behind what arrived that asking for it alone is better. */
  #startsTooFarAhead(
    { request }: Exchange,
    fill: SharedFill,
    { response, bodyBytes }: Extract<FillHead, { kind: "body" }>,
  ): boolean {
    if (fill.vouched || bodyBytes === undefined) return false;
    const { maxRangeParts, rangeWaitBytes } = this.#parts.policy;
    const { status } = response;
    const facts = factsOf(response);
    const ranges = selectRanges({ request, status, facts, bodyBytes, maxParts: maxRangeParts });
    if (typeof ranges !== "object") return false;
    return Math.max(...ranges.map(([start]) => start)) > fill.bytes + rangeWaitBytes;
  }

  #onFailure(
    exchange: Exchange,
    found: Found,
    { head, status }: {
      head: Extract<FillHead, { kind: "failed" }>;
      status: AnswerStory["status"];
    },
  ): CacheAnswer | Promise<SlicedOutcome> {
    const { reason } = head.error;
    if (found.kind === "found" && this.#mayStandIn(exchange, found.entry)) {
      const told = { ...status, detail: reason };
      return this.#serve(exchange, found.entry, { result: "stale_if_error", status: told });
    }
    return this.#answers.failure(reason, { result: "error", status });
  }

  /** Whether a stored response may be shown although the next hop fails. */
  #mayStandIn({ control }: Exchange, entry: StoredEntry | SlicedObject): boolean {
    const { nowMs, policy, purges } = this.#parts;
    if (purges.verdict(entry.response) === "gone") return false;
    const use = { facts: factsOf(entry.response), requestControl: control, nowMs: nowMs() };
    return mayServeOnError(use, policy.staleOnErrorMs);
  }

  #justFailed(entry: StoredEntry | SlicedObject): boolean {
    const { failures, nowMs, policy } = this.#parts;
    const failedMs = failures.get(entry);
    return failedMs !== undefined && nowMs() - failedMs < policy.retryAfterErrorMs;
  }

  /** Revalidates for later requests, unless someone is fetching already. */
  #revalidateBehind(exchange: Exchange, held: StoredEntry | SlicedObject): void {
    const { key, forwarded } = exchange;
    const busy = this.#parts.fills.of(key).some((fill) =>
      !fill.invalidated && this.#isCurrent(fill) && fill.expectsVariantOf(forwarded)
    );
    if (busy || exchange.request.method !== "GET") return;
    const { request, control } = exchange;
    const slice = this.#sliceToAsk(exchange, held);
    const behind = { request, key, forwarded, control };
    const fill = this.#fetcher.start(behind, { held, findable: true, slice });
    fill.leaderLeft = true;
  }

  #serve(
    exchange: Exchange,
    entry: StoredEntry | SlicedObject,
    { result, status = { hit: true } }: {
      result: AnswerStory["result"];
      status?: AnswerStory["status"];
    },
  ): CacheAnswer | Promise<SlicedOutcome> {
    if (isSliced(entry)) {
      if (result === "hit") this.#assembleBehind(exchange, entry);
      return this.#sliced.answer(exchange, entry, { result, status });
    }
    this.#parts.store.touch(entry);
    return this.#answers.fromEntry(exchange, entry, { result, status });
  }

  /** Puts a small object that was asked for whole in one piece, for those who come later. */
  #assembleBehind(exchange: Exchange, object: SlicedObject): void {
    const { policy, fills } = this.#parts;
    const { request, key } = exchange;
    const small = object.bodyBytes <= policy.wholeBytes && request.method === "GET";
    if (!small || isRangeRequest(request) || !mayBeShared(exchange)) return;
    if (fills.of(key).length > 0) return;
    const assembled = this.#sliced.assembled(exchange, object);
    const options = { held: undefined, findable: true, slice: undefined, assembled };
    this.#fetcher.start({ ...exchange, signal: undefined }, options).leaderLeft = true;
  }

  async #pass(exchange: Exchange, fwd: ForwardReason): Promise<CacheAnswer> {
    return await pass(exchange, { parts: this.#parts, answers: this.#answers, fwd });
  }
}

/** What was found before going forward. */
type Found =
  | {
    readonly kind: "found";
    readonly entry: StoredEntry | SlicedObject;
    readonly verdict: Exclude<PurgeVerdict, "gone">;
  }
  | Exclude<LookupResult, { readonly kind: "found" }>
  /** Some slices of an object that is wanted in one piece; they are fresh. */
  | { readonly kind: "partial"; readonly object: SlicedObject }
  | { readonly kind: "bypass" };

/** Why a request goes forward (RFC 9211 §2.2). */
function forwardReason({ control }: Exchange, found: Found): ForwardReason {
  if (found.kind !== "found") return found.kind;
  return control.empty ? "stale" : "request";
}

/** What a home that has to be asked is asked for. */
function recallFor(
  { key, forwarded, request, signal }: Exchange,
  { purges }: Pick<EngineParts, "purges">,
): Recall {
  const wanted = (response: StoredResponse) => purges.verdict(purgeSubject(response)) !== "gone";
  return { key, fields: forwarded, request, wanted, signal };
}

/** Request fields whose presence sends a request to the slow lane. */
const needsCloserLook: ReadonlySet<string> = new Set([
  ...originConditions,
  "cache-control",
  "pragma",
]);

/** Request fields after which the answer may be less than the whole. */
const asksForLess: ReadonlySet<string> = new Set([...cacheConditions, "if-range", "range"]);
