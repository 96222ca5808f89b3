/**
 * What the worker says to ATS or Varnish over loopback: look, fill, PURGE, BAN.
 *
 * @module
 */

import { NextHopError, type NextHopResponse } from "#cache";
import { type Field } from "#http";
import { type HttpNextHop, httpNextHop } from "#upstream";

/** What became of one exchange with the store; the words are metric labels. */
export type StoreResult =
  /** It had what was looked for, took what it was given, or removed it. */
  | "done"
  /** It has nothing there. */
  | "absent"
  /** It says no: 403 for a wrong secret, 4xx or 5xx otherwise. */
  | "refused"
  /** No answer: it is down, too slow, or speaks no HTTP. */
  | "away"
  /** We went away before it answered. */
  | "given_up"
  /** Not asked: it was away a moment ago. */
  | "resting"
  /** It answered with something that is not ours. */
  | "bad_head";

/** One exchange with the store. */
export interface StoreExchange {
  readonly kind: "look" | "fill" | "purge" | "ban";
  readonly result: StoreResult;
  /** Until its head came, or until it was known that none comes, in milliseconds. */
  readonly ms: number;
}

/** How the store is reached. Times are in milliseconds. */
export interface StoreLinkOptions {
  readonly url: URL;
  readonly secret: string;
  readonly onExchange?: (exchange: StoreExchange) => void;
  /** From a request to its head; 2000 by default. */
  readonly headTimeoutMs?: number;
  /** How long it is left alone after it was away; 500 by default, doubled each time up to 8000. */
  readonly restMs?: number;
}

/** Longest rest, in milliseconds. */
const longestRestMs = 8000;

/** A connection to the store in the same pod. */
export class StoreLink {
  readonly #options: StoreLinkOptions;
  readonly #hop: HttpNextHop;
  /** For fills, whose head comes when the body begins to. */
  readonly #fills: HttpNextHop;
  #failures = 0;
  #restUntilMs = 0;

  constructor(options: StoreLinkOptions) {
    const { url, headTimeoutMs = 2000 } = options;
    this.#options = options;
    const common = { url, connectTimeoutMs: 500, maxSockets: 512 };
    this.#hop = httpNextHop({ ...common, headTimeoutMs });
    this.#fills = httpNextHop({ ...common, headTimeoutMs: 60_000, silenceTimeoutMs: 60_000 });
  }

  /** Whether the store is left alone for a while. */
  get resting(): boolean {
    return performance.now() < this.#restUntilMs;
  }

  /** Closes idle connections. */
  close(): void {
    this.#hop.close();
    this.#fills.close();
  }

  /**
   * Looks for what lies at a path.
   *
   * @param options `range`: a `Range` value; the answer is then 206, or 200 from a store that ignores it.
   * @returns `undefined` when it has nothing there, or does not answer.
   */
  async look(
    path: string,
    { method = "GET", range, signal }: { method?: string; range?: string; signal?: AbortSignal },
  ): Promise<NextHopResponse | undefined> {
    const fields: Field[] = [["cache-control", "only-if-cached"]];
    if (range !== undefined) fields.push(["range", range]);
    const response = await this.#say("look", { method, path, fields, signal });
    if (response === undefined || isFound(response)) return response;
    await drain(response);
    return undefined;
  }

  /** Has the store fetch what waits under a ticket. Whether it then has it whole. */
  async fill(path: string, ticket: string, signal?: AbortSignal): Promise<boolean> {
    const fields: Field[] = [["cache-control", "no-cache"], ["downlink-fill", ticket]];
    const response = await this.#say("fill", { method: "GET", path, fields, signal });
    return response !== undefined && await drain(response) && response.status === 200;
  }

  /** Removes what lies at a path. Whether it is certain that nothing is there any more. */
  async purge(path: string): Promise<boolean> {
    const response = await this.#say("purge", { method: "PURGE", path, fields: [] });
    if (response === undefined) return false;
    await drain(response);
    return response.status === 200 || response.status === 404;
  }

  /** Removes what matches (Varnish). */
  async ban(field: "downlink-ban-tag" | "downlink-ban-key", pattern: string): Promise<boolean> {
    const response = await this.#say("ban", {
      method: "BAN",
      path: "/",
      fields: [[field, pattern]],
    });
    return response !== undefined && await drain(response) && response.status === 200;
  }

  /** Tells of an answer that was not ours. */
  badHead(): void {
    this.#options.onExchange?.({ kind: "look", result: "bad_head", ms: 0 });
  }

  async #say(
    kind: StoreExchange["kind"],
    { method, path, fields, signal }: {
      method: string;
      path: string;
      fields: readonly Field[];
      signal?: AbortSignal;
    },
  ): Promise<NextHopResponse | undefined> {
    const { secret, onExchange } = this.#options;
    const startMs = performance.now();
    const tell = (result: StoreResult) =>
      onExchange?.({ kind, result, ms: performance.now() - startMs });
    if (this.resting) return void tell("resting");
    const own: Field[] = [["downlink-secret", secret]];
    try {
      const request = { method, target: path, fields: [...fields, ...own], appliedSeq: 0, signal };
      const response = await (kind === "fill" ? this.#fills : this.#hop).fetch(request);
      this.#failures = 0;
      tell(resultOf(response.status));
      return response;
    } catch (error) {
      const ours = error instanceof NextHopError && error.reason === "aborted";
      if (!ours) this.#away();
      tell(ours ? "given_up" : "away");
      return undefined;
    }
  }

  #away(): void {
    if (this.resting) return; // those that were on their way together fail together
    const { restMs = 500 } = this.#options;
    const pauseMs = Math.min(restMs * 2 ** this.#failures++, longestRestMs);
    this.#restUntilMs = performance.now() + pauseMs;
  }
}

function isFound({ status }: NextHopResponse): boolean {
  return status === 200 || status === 206;
}

function resultOf(status: number): StoreResult {
  if (status < 300) return "done";
  return status === 504 || status === 404 || status === 416 ? "absent" : "refused";
}

/** Reads a body to its end; false when it broke off. */
async function drain({ body }: NextHopResponse): Promise<boolean> {
  try {
    const reader = body.getReader();
    while (!(await reader.read()).done);
    return true;
  } catch {
    return false;
  }
}
