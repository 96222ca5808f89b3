/**
 * What a player gets: from the cache, from the satellite while it arrives, after a moment's patience,
 * from the internet, or one clear sentence.
 *
 * @module
 */

import { type CacheAnswer, type CacheEngine, cacheKey, type Store } from "#cache";
import { type Field, fieldValue, parseContentRange, type RequestHead } from "#http";
import type { Arrivals } from "./arrivals.ts";
import type { Forecast } from "./forecast.ts";
import type { Ledger, RequestResult } from "./ledger.ts";
import { tally } from "./return_path.ts";
import { formatRoads, noBytes, parseRoads, type RoadBytes, shareOut } from "./road.ts";

/** What answers are made of. */
export interface PlayerAnswersOptions {
  readonly engine: Pick<CacheEngine, "respond">;
  readonly store: Pick<Store, "find">;
  readonly arrivals: Pick<Arrivals, "stateOf" | "whenReadable">;
  readonly forecast: Pick<Forecast, "waitMs">;
  readonly ledger: Ledger;
  readonly isMedia: (key: string) => boolean;
  /** Whether there is any edge to ask. */
  readonly hasReturnPath: () => boolean;
  readonly nowMs: () => number;
}

/** How long an object whose first bytes are being mended is waited for, in milliseconds. */
const comingWaitMs = 1500;

/** Answers players. */
export class PlayerAnswers {
  readonly #options: PlayerAnswersOptions;

  constructor(options: PlayerAnswersOptions) {
    this.#options = options;
  }

  /** Answers a GET or HEAD for an object. */
  async answer(request: RequestHead, signal?: AbortSignal): Promise<CacheAnswer> {
    const key = cacheKey(request.target);
    await this.#patience(key, signal);
    const answer = await this.#options.engine.respond(request, { signal });
    this.#options.ledger.requests[this.#resultOf(key, answer)]++;
    if (isGatewayError(answer)) return this.#explained(key, answer, request.method);
    return this.#counted(key, answer);
  }

  /** Waits for what is about to arrive: it costs nothing, the internet does. */
  async #patience(key: string, signal?: AbortSignal): Promise<void> {
    const { store, arrivals, forecast, nowMs } = this.#options;
    const state = arrivals.stateOf(key);
    if (state === "readable" || store.find(key).length > 0) return;
    const waitMs = state === "coming" ? comingWaitMs : forecast.waitMs(key, nowMs());
    if (waitMs > 0) await arrivals.whenReadable(key, waitMs, signal);
  }

  #explained(key: string, answer: CacheAnswer, method: string): CacheAnswer {
    const reason = /detail="?([\w-]+)/.exec(ourStatus(answer) ?? "")?.[1] ?? `${answer.status}`;
    const path = key.slice(0, 200);
    const returnPath = this.#options.hasReturnPath();
    const why = returnPath
      ? `no edge has it to give: received ${reason}`
      : "there is no way to the internet";
    const error = `Cannot serve ${path}: it has not come by satellite, and ${why}`;
    const body = new TextEncoder().encode(`${JSON.stringify({ error })}\n`);
    const fields: Field[] = [
      ["content-type", "application/json"],
      ["content-length", `${body.length}`],
      ...answer.fields.filter(([name]) => name !== "content-length" && name !== "content-type"),
    ];
    const status = returnPath ? 504 : 404;
    return { status, fields, body: method === "HEAD" ? null : body };
  }

  /** Says by which roads the bytes came, and counts them as they go out. */
  #counted(key: string, answer: CacheAnswer): CacheAnswer {
    if (answer.status !== 200 && answer.status !== 206) return answer;
    const { roads, told } = this.#roadsOf(key, answer);
    const fields = told ? answer.fields : withDetail(answer.fields, formatRoads(roads ?? {}));
    const { body } = answer;
    if (body === null) return { ...answer, fields };
    const gave = (bytes: number) => this.#gave(key, bytes, roads);
    if (body instanceof Uint8Array) {
      gave(body.length);
      return { ...answer, fields, body };
    }
    return { ...answer, fields, body: tally(body, gave) };
  }

  #resultOf(key: string, answer: CacheAnswer): RequestResult {
    if (answer.status >= 400) return "error";
    const status = ourStatus(answer) ?? "";
    if (/;collapsed/.test(status)) return "arriving";
    if (/;fwd=/.test(status)) return /;fwd-status=304/.test(status) ? "hit" : "miss";
    return this.#roadsOf(key, answer).roads === undefined ? "arriving" : "hit";
  }

  #gave(key: string, bytes: number, roads: RoadBytes | undefined): void {
    const { store, ledger, isMedia } = this.#options;
    // What was read along while it arrived is known by its roads only afterwards.
    const known = roads ?? parseRoads(store.find(key)[0]?.response.source);
    const some = Object.values(known).some((count) => count > 0);
    const shares = shareOut(bytes, some ? known : { ...noBytes, satellite: 1 });
    ledger.gave(shares, { media: isMedia(key) });
  }

  /**
   * The roads of the object behind an answer; `undefined` while it arrives by satellite. `told` when
   * the answer says so itself.
   */
  #roadsOf(key: string, answer: CacheAnswer): { roads: RoadBytes | undefined; told: boolean } {
    const status = ourStatus(answer) ?? "";
    if (/;\s*detail=/.test(status)) return { roads: parseRoads(status), told: true };
    const [entry] = this.#options.store.find(key);
    const forwarded = /;\s*fwd=/.test(status);
    if (!forwarded && entry === undefined) return { roads: undefined, told: false };
    const bytes = forwarded ? objectBytes(answer) : entry?.bodyBytes;
    return { roads: { ...noBytes, internet: bytes ?? 0 }, told: false };
  }
}

/** A 5xx of our own: no edge gave an answer. */
function isGatewayError({ status, body, fields }: CacheAnswer): boolean {
  return status >= 502 && status <= 504 && body === null &&
    fieldValue(fields, "cache-control") === "no-store";
}

/** The `Cache-Status` line of this cache, the last one. */
function ourStatus({ fields }: CacheAnswer): string | undefined {
  return fields.findLast(([name]) => name === "cache-status")?.[1];
}

/** Size of the whole object that an answer is (a part) of. */
function objectBytes({ fields }: CacheAnswer): number | undefined {
  const range = fieldValue(fields, "content-range");
  if (range !== undefined) return parseContentRange(range)?.completeBytes;
  const length = fieldValue(fields, "content-length");
  return length === undefined ? undefined : Number(length);
}

/** Adds `detail` (RFC 9211 §2.8) to our own line. */
function withDetail(fields: readonly Field[], detail: string): readonly Field[] {
  const at = fields.findLastIndex(([name]) => name === "cache-status");
  if (detail === "" || at === -1) return fields;
  const [name, value] = fields[at];
  return fields.with(at, [name, `${value};detail="${detail}"`]);
}
