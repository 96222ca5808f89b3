/**
 * Control's API as the command line uses it.
 *
 * @module
 */

import { EventSplitter } from "./event_splitter.ts";

/** Control said no, or did not say anything. */
export class ControlRefused extends Error {
  override name = "ControlRefused";

  /** @param status HTTP status; 0 when there was no answer. */
  constructor(sentence: string, readonly status: number) {
    super(sentence);
  }
}

/** What a purge has come to, as control shows it. */
export interface PurgeView {
  readonly id: string;
  readonly seq: number;
  readonly kind: string;
  readonly values: readonly string[];
  readonly soft: boolean;
  readonly issuedMs: number;
  readonly issuer: string;
  readonly state: "in_progress" | "completed";
  readonly nodes: {
    readonly total: number;
    readonly applied: number;
    readonly waiting: readonly WaitingNode[];
    readonly tookMs?: { readonly p50: number; readonly p99: number; readonly max: number };
  };
}

/** A node that has not applied a purge. */
export interface WaitingNode {
  readonly id: string;
  readonly lastSeenMs: number;
  readonly behindBy: number;
  readonly why: "away" | "behind" | "unplaced";
}

/** What a dry run counted. */
export interface DryRun {
  readonly kind: string;
  readonly objects: number;
  readonly bytes: number;
  readonly nodes: {
    readonly total: number;
    readonly answered: number;
    readonly counts: readonly {
      readonly id: string;
      readonly objects: number;
      readonly bytes: number;
      readonly examples: readonly string[];
      readonly complete: boolean;
    }[];
    readonly unanswered: readonly { readonly id: string; readonly reason: string }[];
  };
}

/** The newest purges. */
export interface PurgeList {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly purges: readonly (Omit<PurgeView, "nodes"> & {
    readonly nodes: { readonly total: number; readonly applied: number };
  })[];
}

/** A node as control lists it. */
export interface NodeView {
  readonly id: string;
  readonly role: string;
  readonly url: string;
  readonly state: string;
  readonly appliedSeq: number;
  readonly snapshot: number;
  readonly lastSeenMs: number;
  readonly version: string;
}

/** One control. */
export class ControlApi {
  readonly #url: string;
  readonly #token: string | undefined;
  readonly #timeoutMs: number;

  /** @param timeoutMs How long the head of an answer may take. */
  constructor(url: URL, token: string | undefined, timeoutMs = 15_000) {
    this.#url = url.href.replace(/\/+$/, "");
    this.#token = token;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Orders a purge; the key makes one of it however often it is asked for.
   *
   * @throws {ControlRefused}
   */
  async purge(order: object, key: string): Promise<{ id: string; seq: number }> {
    const body = JSON.stringify(order);
    const ask = () =>
      this.#ask("/purges", { method: "POST", body, headers: { "idempotency-key": key } });
    try {
      return await (await ask()).json();
    } catch (error) {
      if (!(error instanceof ControlRefused) || ![0, 503].includes(error.status)) throw error;
      return await (await ask()).json();
    }
  }

  /** Counts what a purge would hit. @throws {ControlRefused} */
  async dryRun(order: object): Promise<DryRun> {
    const body = JSON.stringify({ ...order, dryRun: true });
    return await (await this.#ask("/purges", { method: "POST", body })).json();
  }

  /** One purge. @throws {ControlRefused} */
  async show(id: string): Promise<PurgeView> {
    return await (await this.#ask(`/purges/${encodeURIComponent(id)}`)).json();
  }

  /** The newest purges. @throws {ControlRefused} */
  async list(): Promise<PurgeList> {
    return await (await this.#ask("/purges")).json();
  }

  /** All nodes. @throws {ControlRefused} */
  async nodes(): Promise<readonly NodeView[]> {
    return (await (await this.#ask("/nodes")).json()).nodes;
  }

  /**
   * Yields a purge whenever it has come further; ends when all nodes have it or the connection does.
   *
   * @throws {ControlRefused}
   */
  async *watch(id: string, signal: AbortSignal): AsyncGenerator<PurgeView, void> {
    const response = await this.#ask(`/purges/${encodeURIComponent(id)}/events`, { signal });
    const splitter = new EventSplitter();
    try {
      for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
        for (const data of splitter.push(text)) yield JSON.parse(data);
      }
    } catch (error) {
      if (!signal.aborted) throw new ControlRefused(lost(error), 0);
    }
  }

  async #ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (init.body) headers.set("content-type", "application/json");
    if (this.#token !== undefined) headers.set("authorization", `Bearer ${this.#token}`);
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), this.#timeoutMs);
    const stop = () => late.abort();
    init.signal?.addEventListener("abort", stop);
    let response: Response;
    try {
      const signal = late.signal;
      response = await fetch(`${this.#url}${path}`, {
        ...init,
        headers,
        signal,
        redirect: "error",
      });
    } catch (error) {
      throw new ControlRefused(lost(late.signal.aborted ? "no answer in time" : error), 0);
    } finally {
      clearTimeout(timer);
    }
    if (response.ok) return response;
    throw new ControlRefused(await sentenceOf(response), response.status);
  }
}

function lost(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `Cannot reach control: need its answer: received ${reason}`;
}

/** Control's own sentence, when it gave one. */
async function sentenceOf(response: Response): Promise<string> {
  const text = (await response.text().catch(() => "")).slice(0, 2000);
  try {
    const { error } = JSON.parse(text);
    if (typeof error === "string") return error;
  } catch {
    // Not control's; the status says what there is to say.
  }
  return `Cannot use control's answer: need success: received ${response.status}`;
}
