/**
 * A next hop that tests write the script of, with the clock and the purges that go with it.
 *
 * @module
 */

import type { Fields } from "#http";
import type { CacheAnswer } from "./answer.ts";
import { CacheEngine } from "./engine.ts";
import type { RespondOptions } from "./exchange.ts";
import { memoryStore } from "./memory_store.ts";
import { type NextHop, type NextHopRequest, type NextHopResponse } from "./next_hop.ts";
import type { CacheOutcome } from "./outcome.ts";
import type { CachePolicy } from "./policy.ts";
import type { Purges, PurgeSubject, PurgeVerdict } from "./purges.ts";
import type { Store } from "./store.ts";

/** Answers one request; throws a `NextHopError` to fail. */
export type Script = (
  request: NextHopRequest,
  call: number,
) => NextHopResponse | Promise<NextHopResponse>;

/** A body that the test sends piece by piece. */
export interface SteeredBody {
  readonly stream: ReadableStream<Uint8Array>;
  readonly cancelled: boolean;
  send(bytes: Uint8Array | string): void;
  end(): void;
  fail(error: unknown): void;
}

/** Makes a body that arrives as the test says. */
export function steeredBody(): SteeredBody {
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    start: (own) => void (controller = own),
    cancel: () => void (cancelled = true),
  });
  return {
    stream,
    get cancelled() {
      return cancelled;
    },
    send: (bytes) =>
      controller.enqueue(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes),
    end: () => controller.close(),
    fail: (error) => controller.error(error),
  };
}

/** A response with its body at hand; `Content-Length` is added for text. */
export function reply(
  status: number,
  fields: Fields,
  body: string | ReadableStream<Uint8Array> = "",
): NextHopResponse {
  if (typeof body !== "string") return { status, fields, body };
  const bytes = new TextEncoder().encode(body);
  const length: Fields = status === 304 ? [] : [["content-length", String(bytes.length)]];
  return { status, fields: [...fields, ...length], body: new Blob([bytes]).stream() };
}

/** Purges that the test applies. */
export class ScriptedPurges implements Purges {
  readonly #records: { seq: number; word: string; soft: boolean }[] = [];
  appliedSeq = 0;

  /** Applies a purge of a key, or of a tag. */
  purge(word: string, { soft = false } = {}): void {
    this.#records.push({ seq: ++this.appliedSeq, word, soft });
  }

  verdict({ key, tags, fillSeq }: PurgeSubject): PurgeVerdict {
    const later = this.#records.filter(({ seq, word }) =>
      seq > fillSeq && (word === key || tags.includes(word))
    );
    if (later.some(({ soft }) => !soft)) return "gone";
    return later.length > 0 ? "stale" : "valid";
  }
}

/** An answer as a test looks at it. */
export interface SeenAnswer {
  readonly status: number;
  readonly text: string;
  /** The first line of a field. */
  field(name: string): string | undefined;
  /** Our own member of `Cache-Status`. */
  readonly cacheStatus: string;
}

/** An engine between a test and its script. */
export interface Bench {
  readonly engine: CacheEngine;
  readonly store: Store;
  readonly purges: ScriptedPurges;
  /** The requests that reached the next hop. */
  readonly sent: NextHopRequest[];
  readonly outcomes: CacheOutcome[];
  /** Moves the clock. */
  pass(ms: number): void;
  readonly nowMs: () => number;
  /** Asks, without reading the body. */
  ask(target: string, fields?: Fields, options?: AskOptions): Promise<CacheAnswer>;
  /** Asks and reads the whole body. */
  get(target: string, fields?: Fields, options?: AskOptions): Promise<SeenAnswer>;
}

/** How a test asks. */
export interface AskOptions extends RespondOptions {
  readonly method?: string;
  readonly body?: ReadableStream<Uint8Array>;
}

/** Wall clock at the start of each test: on a whole second, as the origin's `Date`. */
export const startMs = Date.UTC(2026, 0, 1);

/** Puts an engine with a memory store between a test and a scripted next hop. */
export function setUp(
  script: Script,
  policy: Partial<CachePolicy> = {},
  store: Store = memoryStore({ budgetBytes: 2 ** 24 }),
): Bench {
  const sent: NextHopRequest[] = [];
  const outcomes: CacheOutcome[] = [];
  const purges = new ScriptedPurges();
  let now = startMs;
  const nowMs = () => now;
  const nextHop: NextHop = {
    async fetch(request) {
      sent.push(request);
      return await script(request, sent.length);
    },
  };
  const onOutcome = (outcome: CacheOutcome) => void outcomes.push(outcome);
  const engine = new CacheEngine({
    name: "edge",
    store,
    purges,
    nextHop,
    nowMs,
    policy,
    onOutcome,
  });
  const ask = (target: string, fields: Fields = [], options: AskOptions = {}) => {
    const { method = "GET", body, ...rest } = options;
    return engine.respond({ method, target, fields, body }, rest);
  };
  return {
    engine,
    store,
    purges,
    sent,
    outcomes,
    pass: (ms) => void (now += ms),
    nowMs,
    ask,
    get: async (target, fields, options) => await see(await ask(target, fields, options)),
  };
}

/** Reads an answer to its end. */
export async function see({ status, fields, body }: CacheAnswer): Promise<SeenAnswer> {
  const lines = fields.filter(([name]) => name === "cache-status");
  return {
    status,
    text: await new Response(body as BodyInit).text(),
    field: (name) => fields.find(([key]) => key === name)?.[1],
    cacheStatus: lines.at(-1)?.[1] ?? "",
  };
}

/** Lets everything that is ready run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}
