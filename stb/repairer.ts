/**
 * Mends objects over HTTP: waits its random moment, looks again, asks one server after the other for
 * what is still missing, and bounds what it asks for (ETSI TS 103 769 clause 9.2).
 *
 * @module
 */

import { type NextHop, NextHopError, type NextHopFailure, type NextHopResponse } from "#cache";
import type { ByteRange, Fields } from "#http";
import { MultipartReader, type MultipartRejection } from "./multipart_ranges.ts";
import { repairTarget } from "./object_uri.ts";
import type { PlaceHealth } from "./place_health.ts";
import { ByteBudget, Gate } from "./repair_budget.ts";
import {
  backOffMs,
  chooseWeighted,
  defaultPlanPolicy,
  formatRange,
  type PlanPolicy,
  planRepair,
  totalBytes,
} from "./repair_plan.ts";
import {
  type Expectation,
  judgeRange,
  readReply,
  type ReplyReading,
  type ReplyRejection,
  strongTag,
} from "./repair_reply.ts";

/** A server that has the objects. */
export interface RepairPlace {
  /** Its base URL. */
  readonly id: string;
  readonly weight: number;
  /** Which objects it has, when the configuration says so. */
  readonly objectBaseUri?: string;
  readonly hop: NextHop;
}

/** An object with holes, as the FLUTE receiver keeps it. */
export interface Damaged {
  readonly transferLength: number;
  holes(): readonly ByteRange[];
  fill(start: number, bytes: Uint8Array): unknown;
}

/** What one request came to; the words are metric labels. */
export type RepairOutcome =
  | "ok"
  | ReplyRejection
  | MultipartRejection
  | NextHopFailure
  /** The body ended before what its head had promised. */
  | "short_body"
  /** The home asks for too much already. */
  | "over_budget"
  /** The server has no such object by its base URI. */
  | "not_there"
  /** Digests of the bytes do not hold. */
  | "digest_mismatch";

/** One request that was made, or was not allowed. */
export interface RepairReport {
  readonly place: string;
  readonly outcome: RepairOutcome;
  /** Body bytes that came, used or not. */
  readonly fetchedBytes: number;
  readonly ranges: number;
}

/** When and how often to ask. */
export interface RepairTiming {
  readonly fixedMs: number;
  readonly randomMs: number;
}

/** What a repairer works with. */
export interface RepairerOptions {
  /** The purge sequence applied here: the fence that each request carries. */
  readonly appliedSeq: () => number;
  readonly onRequest: (report: RepairReport) => void;
  /** Requests at a time to one server. */
  readonly parallel: number;
  readonly bytesPerSecond: number;
  /** Time for one request, answer and all. */
  readonly timeoutMs?: number;
  readonly policy?: PlanPolicy;
  readonly health: PlaceHealth;
  readonly nowMs: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Resolves after a while, or at once when the signal aborts. */
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Aborts everything. */
  readonly signal: AbortSignal;
}

/** Longest wait for the byte budget before a request is given up. */
const longestWaitMs = 5000;

/** Repairs objects of one home. */
export class Repairer {
  readonly #options: RepairerOptions;
  readonly #budget: ByteBudget;
  readonly #gates = new Map<string, Gate>();

  constructor(options: RepairerOptions) {
    this.#options = options;
    const { bytesPerSecond } = options;
    this.#budget = new ByteBudget({ bytesPerSecond, burstBytes: 2 * bytesPerSecond });
  }

  /** Waits the back-off of one object. */
  async backOff(timing: RepairTiming): Promise<void> {
    const { random, delay, signal } = this.#options;
    await delay(backOffMs(timing, random()), signal);
  }

  /**
   * Fills the holes of an object from the first server that can.
   *
   * @param tiers Servers to choose from by weight; a later list only when an earlier one failed.
   * @returns Whether no hole is left. What servers sent is not verified here.
   */
  async mend(
    object: Damaged,
    { key, etag, tiers }: {
      readonly key: string;
      readonly etag: string | undefined;
      readonly tiers: readonly (readonly RepairPlace[])[];
    },
  ): Promise<boolean> {
    const expected = { bytes: object.transferLength, etag };
    for (const place of this.#inTurn(tiers)) {
      const damage = {
        holes: object.holes(),
        transferBytes: object.transferLength,
        divisible: true,
      };
      const plan = planRepair(damage, this.#options.policy ?? defaultPlanPolicy);
      if (plan.kind === "nothing") return true;
      const requests = plan.kind === "whole" ? [[]] : plan.requests;
      const fill = (at: number, bytes: Uint8Array) => void object.fill(at, bytes);
      await Promise.all(
        requests.map((ranges) => this.#ask(place, { key, ranges, expected, fill })),
      );
      if (object.holes().length === 0) return true;
      if (this.#options.signal.aborted) return false;
    }
    return object.holes().length === 0;
  }

  /**
   * Fetches an object whole from the first server whose bytes pass `verify`.
   *
   * @param mostBytes Longer bodies are refused.
   */
  async fetchWhole(
    { key, expected, tiers, mostBytes, verify }: {
      readonly key: string;
      readonly expected: Expectation;
      readonly tiers: readonly (readonly RepairPlace[])[];
      readonly mostBytes: number;
      readonly verify: (bytes: Uint8Array) => Promise<boolean>;
    },
  ): Promise<Uint8Array | undefined> {
    for (const place of this.#inTurn(tiers)) {
      const chunks: Uint8Array[] = [];
      const fill = (_: number, bytes: Uint8Array) => void chunks.push(bytes.slice());
      const request = { key, ranges: [], expected, fill, mostBytes };
      if (await this.#ask(place, request) === "ok") {
        const bytes = join(chunks);
        if (await verify(bytes)) return bytes;
        this.#report(place, "digest_mismatch", 0, 0);
      }
      if (this.#options.signal.aborted) return undefined;
    }
    return undefined;
  }

  /**
   * Draws servers by weight without putting them back, tier after tier; those that failed lately come
   * last of all.
   */
  *#inTurn(tiers: readonly (readonly RepairPlace[])[]): Generator<RepairPlace> {
    const { health, nowMs, random } = this.#options;
    const asked = new Set<string>();
    for (const resting of [false, true]) {
      for (const tier of tiers) {
        for (;;) {
          const left = tier.filter(({ id }) =>
            !asked.has(id) && (resting || !health.rests(id, nowMs()))
          );
          const place = chooseWeighted(left, random());
          if (place === undefined) break;
          asked.add(place.id);
          yield place;
        }
      }
    }
  }

  async #ask(place: RepairPlace, request: RepairRequest): Promise<RepairOutcome> {
    let gate = this.#gates.get(place.id);
    if (gate === undefined) this.#gates.set(place.id, gate = new Gate(this.#options.parallel));
    return await gate.run(async () => {
      const counted = { bytes: 0 };
      const outcome = await this.#exchange(place, request, counted);
      this.#report(place, outcome, counted.bytes, request.ranges.length);
      return outcome;
    });
  }

  #judge({ id }: RepairPlace, well: boolean): void {
    const { health, nowMs } = this.#options;
    if (well) health.well(id);
    else health.failed(id, nowMs());
  }

  #report(place: RepairPlace, outcome: RepairOutcome, fetchedBytes: number, ranges: number): void {
    this.#options.onRequest({ place: place.id, outcome, fetchedBytes, ranges });
  }

  async #exchange(
    place: RepairPlace,
    request: RepairRequest,
    counted: { bytes: number },
  ): Promise<RepairOutcome> {
    const { nowMs, delay, appliedSeq, timeoutMs = 15_000 } = this.#options;
    const target = repairTarget(request.key, place.objectBaseUri);
    if (target === undefined) return "not_there";
    const bytes = request.ranges.length > 0
      ? totalBytes(request.ranges)
      : request.expected.bytes ?? 0;
    const waitMs = this.#budget.reserve(bytes, longestWaitMs, nowMs());
    if (waitMs === undefined) return "over_budget";
    if (waitMs > 0) await delay(waitMs, this.#options.signal);
    const signal = AbortSignal.any([this.#options.signal, AbortSignal.timeout(timeoutMs)]);
    const seq = appliedSeq();
    try {
      const response = await place.hop.fetch({
        method: "GET",
        target,
        fields: requestFields(request, seq),
        appliedSeq: seq,
        signal,
      });
      this.#judge(place, response.status < 500);
      return await receive(response, request, counted);
    } catch (error) {
      if (!this.#options.signal.aborted) this.#judge(place, false);
      if (error instanceof NextHopError) return error.reason;
      return signal.aborted ? "timeout" : "reset";
    }
  }
}

/** One request and where its bytes go. */
interface RepairRequest {
  readonly key: string;
  /** None: the whole object. */
  readonly ranges: readonly ByteRange[];
  readonly expected: Expectation;
  readonly fill: (at: number, bytes: Uint8Array) => void;
  readonly mostBytes?: number;
}

function requestFields({ ranges, expected }: RepairRequest, appliedSeq: number): Fields {
  const fields: [string, string][] = [
    ["accept-encoding", "identity"],
    ["purge-seq", `${appliedSeq}`],
  ];
  if (ranges.length === 0) return fields;
  fields.push(["range", formatRange(ranges)]);
  const tag = strongTag(expected.etag);
  if (tag !== undefined) fields.push(["if-range", tag]);
  return fields;
}

async function receive(
  response: NextHopResponse,
  request: RepairRequest,
  counted: { bytes: number },
): Promise<RepairOutcome> {
  const reading = readReply(response, request.ranges, request.expected);
  if (reading.kind === "rejected") {
    await response.body.cancel().catch(() => {});
    return reading.why;
  }
  const take = takerOf(reading, request);
  for await (const chunk of response.body) {
    counted.bytes += chunk.length;
    const outcome = take.push(chunk);
    if (outcome !== "ok") return outcome;
  }
  return take.end();
}

/** Puts a body where it belongs, chunk by chunk. */
interface Taker {
  push(chunk: Uint8Array): RepairOutcome;
  end(): RepairOutcome;
}

function takerOf(
  reading: Exclude<ReplyReading, { readonly kind: "rejected" }>,
  request: RepairRequest,
): Taker {
  const { expected, mostBytes = Infinity } = request;
  if (reading.kind === "multipart") return multipartTaker(reading.boundary, request);
  if (reading.kind === "range") return plainTaker(request, reading.range, reading.range[1]);
  return plainTaker(request, [0, expected.bytes ?? mostBytes], expected.bytes);
}

/** Bytes from `start`, refused past `end`; the body must end at `needed` when that is known. */
function plainTaker(
  { fill }: RepairRequest,
  [start, end]: ByteRange,
  needed: number | undefined,
): Taker {
  let at = start;
  return {
    push(chunk) {
      if (at + chunk.length > end) return "wrong_length";
      fill(at, chunk);
      at += chunk.length;
      return "ok";
    },
    end: () => needed === undefined || at === needed ? "ok" : "short_body",
  };
}

function multipartTaker(boundary: string, request: RepairRequest): Taker {
  let at = 0;
  let refused: ReplyRejection | undefined;
  const reader = new MultipartReader(boundary, {
    part(range, completeBytes) {
      refused = judgeRange(range, completeBytes, request.ranges, request.expected);
      at = range[0];
      return refused === undefined;
    },
    bytes(chunk) {
      request.fill(at, chunk);
      at += chunk.length;
    },
  });
  return {
    push(chunk) {
      const outcome = reader.push(chunk);
      return outcome === "bad_content_range" && refused !== undefined ? refused : outcome;
    },
    end: () => reader.done ? "ok" : "short_body",
  };
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
