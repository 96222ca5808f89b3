/**
 * Objects from the next hop, a shield as a rule: bounded in bytes and time, fenced against purges.
 *
 * @module
 */

import { readAtMost } from "#http";
import { purgeSeq } from "#purge";
import { Slots } from "./slots.ts";

/** An object as it was fetched. */
export interface FetchedObject {
  readonly key: string;
  readonly body: Uint8Array;
  readonly contentType?: string;
  readonly etag?: string;
  /** `max-age` less `Age`, when the answer says so. */
  readonly maxAgeSeconds?: number;
  /** Surrogate keys. */
  readonly tags: readonly string[];
  /** The purge sequence that this headend had applied when the request was sent. */
  readonly purgeSeq: number;
}

/** Why there is no object; the words are metric labels. */
export type FetchFailure =
  /** No connection, or none that brought a response head. */
  | "no_answer"
  /** The connection ended before the body did. */
  | "truncated"
  | "timeout"
  | "not_found"
  | "bad_status"
  /** `Cache-Control: private`: not for everyone under the satellite. */
  | "private"
  | "oversize"
  /** More than 128 surrogate keys, or one with white space. */
  | "bad_tags"
  /** The shield has not heard of a purge that this headend has applied, and may answer from before it. */
  | "behind"
  | "aborted";

/** What a fetch came to. */
export type FetchOutcome =
  | { readonly kind: "object"; readonly object: FetchedObject }
  | { readonly kind: "not_modified" }
  | { readonly kind: "failed"; readonly reason: FetchFailure; readonly detail: string };

/** One request. */
export interface FetchOptions {
  /** The entity tag of what the caller has; the same bytes come back as `not_modified`. */
  readonly etag?: string;
  /** Most bytes of the body; the origin's limit when absent. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  /** Takes one of the few places for large transfers. */
  readonly large?: boolean;
}

/** Where objects come from. */
export interface OriginOptions {
  /** Base URL of the shield. */
  readonly url: URL;
  /** The purge sequence applied so far, sent as `Purge-Seq`; `undefined` without a purge log. */
  readonly appliedSeq: () => number | undefined;
  readonly maxObjectBytes: number;
  /** From the request to the last byte. */
  readonly timeoutMs: number;
  /** Large transfers at a time. */
  readonly parallel: number;
}

const maxTags = 128;

/** Fetches objects by key. */
export class Origin {
  readonly #options: OriginOptions;
  readonly #slots: Slots;
  readonly #base: string;

  constructor(options: OriginOptions) {
    this.#options = options;
    this.#slots = new Slots(options.parallel);
    this.#base = options.url.href.replace(/\/$/, "");
  }

  /** Fetches one object; never rejects. */
  async fetch(key: string, options: FetchOptions = {}): Promise<FetchOutcome> {
    if (options.large) return await this.#slots.run(() => this.#exchange(key, options));
    return await this.#exchange(key, options);
  }

  async #exchange(key: string, options: FetchOptions): Promise<FetchOutcome> {
    const abort = new AbortController();
    const onAbort = () => abort.abort();
    const timer = setTimeout(() => abort.abort("timeout"), this.#options.timeoutMs);
    options.signal?.addEventListener("abort", onAbort);
    if (options.signal?.aborted) onAbort();
    try {
      return await this.#request(key, options, abort.signal);
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", onAbort);
    }
  }

  async #request(key: string, options: FetchOptions, signal: AbortSignal): Promise<FetchOutcome> {
    const appliedSeq = this.#options.appliedSeq();
    const headers = new Headers({ "accept-encoding": "identity" });
    if (appliedSeq !== undefined) headers.set("purge-seq", String(appliedSeq));
    if (options.etag !== undefined) headers.set("if-none-match", options.etag);
    let response: Response;
    try {
      response = await fetch(this.#base + key, { headers, signal, redirect: "manual" });
    } catch (error) {
      return failure(error, signal, "no_answer");
    }
    const behind = behindOf(response, appliedSeq);
    if (behind !== undefined) {
      await response.body?.cancel();
      return behind;
    }
    try {
      return await this.#read(key, options, response, appliedSeq ?? 0);
    } catch (error) {
      return failure(error, signal, "truncated");
    }
  }

  async #read(
    key: string,
    options: FetchOptions,
    response: Response,
    purgeSeq: number,
  ): Promise<FetchOutcome> {
    const refusal = refusalOf(response);
    if (refusal !== undefined || response.status === 304) {
      await response.body?.cancel();
      return refusal ?? { kind: "not_modified" };
    }
    const maxBytes = options.maxBytes ?? this.#options.maxObjectBytes;
    const body = await readBounded(response, maxBytes);
    if (body === undefined) {
      return { kind: "failed", reason: "oversize", detail: `more than ${maxBytes} bytes` };
    }
    const tags = tagsOf(response.headers);
    if (tags === undefined) {
      return {
        kind: "failed",
        reason: "bad_tags",
        detail: "surrogate keys that cannot be carried",
      };
    }
    return { kind: "object", object: { ...describe(key, response.headers, body), tags, purgeSeq } };
  }
}

function failure(error: unknown, signal: AbortSignal, otherwise: FetchFailure): FetchOutcome {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  const reason = !signal.aborted ? otherwise : signal.reason === "timeout" ? "timeout" : "aborted";
  const detail = cause instanceof Error ? `${message}: ${cause.message}` : message;
  return { kind: "failed", reason, detail };
}

function refusalOf({ status, headers }: Response): FetchOutcome | undefined {
  const reason = status === 404 || status === 410
    ? "not_found"
    : status !== 200 && status !== 304
    ? "bad_status"
    : isPrivate(headers)
    ? "private"
    : undefined;
  return reason && { kind: "failed", reason, detail: `status ${status}` };
}

function behindOf({ headers }: Response, appliedSeq = 0): FetchOutcome | undefined {
  const validSeq = purgeSeq({ fields: [...headers] });
  if (validSeq === undefined || validSeq >= appliedSeq) return undefined;
  const detail = `an answer that holds for purge ${validSeq}, not for ${appliedSeq}`;
  return { kind: "failed", reason: "behind", detail };
}

function isPrivate(headers: Headers): boolean {
  return /(?:^|,)\s*private\s*(?:,|$)/i.test(headers.get("cache-control") ?? "");
}

/** Reads a body; `undefined` when it is longer than `maxBytes`. */
async function readBounded(response: Response, maxBytes: number): Promise<Uint8Array | undefined> {
  const declared = Number(response.headers.get("content-length") ?? "0");
  if (declared > maxBytes) {
    await response.body?.cancel();
    return undefined;
  }
  return await readAtMost(response.body, maxBytes);
}

function describe(
  key: string,
  headers: Headers,
  body: Uint8Array,
): Omit<FetchedObject, "tags" | "purgeSeq"> {
  return {
    key,
    body,
    contentType: headers.get("content-type") ?? undefined,
    etag: headers.get("etag") ?? undefined,
    maxAgeSeconds: freshSeconds(headers),
  };
}

function freshSeconds(headers: Headers): number | undefined {
  const maxAge = /(?:^|,)\s*max-age\s*=\s*"?(\d{1,9})/i.exec(headers.get("cache-control") ?? "");
  if (maxAge === null) return undefined;
  const age = /^\d{1,9}$/.exec(headers.get("age") ?? "");
  return Math.max(0, Number(maxAge[1]) - Number(age?.[0] ?? 0));
}

/** All tags, or `undefined` when the FDT cannot carry them all: without its tag none could purge it. */
function tagsOf(headers: Headers): string[] | undefined {
  const surrogateKeys = (headers.get("surrogate-key") ?? "").split(/[ \t,]+/);
  const cacheTags = (headers.get("cache-tag") ?? "").split(",").map((tag) => tag.trim());
  const tags = new Set([...surrogateKeys, ...cacheTags].filter((tag) => tag !== ""));
  const usable = tags.size <= maxTags &&
    [...tags].every((tag) => /^[^\s\p{Cc}]{1,256}$/u.test(tag));
  return usable ? [...tags] : undefined;
}
