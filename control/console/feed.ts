/**
 * What the console is kept up to date with: the answers of the API itself, asked in process while
 * somebody watches, and sent to each viewer when they are others than it had. A viewer that does not
 * read costs no memory: it gets the newest when it reads again.
 *
 * @module
 */

import type { Hono } from "hono";
import type { History } from "./history.ts";

/** What the feed works with. Times are in milliseconds. */
export interface FeedOptions {
  /** The API without its guard. */
  readonly api: Hono;
  readonly nowMs: () => number;
  readonly history: History;
  /** Ends the streams, as when control drains. */
  readonly draining: AbortSignal;
  /** Time between two looks at the API; 500 by default. */
  readonly lookMs?: number;
  /** Longest life of a stream: the browser comes again, and shows again who it is. */
  readonly lifeMs?: number;
}

/** What is watched: the event's name, the path that is asked, and at which looks. */
const sections = [
  { name: "purges", path: "/purges", every: 1 },
  { name: "nodes", path: "/nodes", every: 2 },
  { name: "topology", path: "/topology", every: 2 },
  { name: "fleet", path: "/fleet", every: 4 },
];

/** Most viewers at a time. */
export const maxViewers = 64;

/** A sign of life when there is nothing else to say, in milliseconds. */
const beatMs = 2000;

/** A look may cost this share of the time between two. */
const share = 0.1;

interface State {
  readonly version: number;
  readonly text: string;
}

/** Feeds the viewers of the console. */
export class ConsoleFeed {
  readonly #options: FeedOptions;
  readonly #state = new Map<string, State>();
  readonly #waiting = new Set<() => void>();
  #viewers = 0;
  #version = 0;
  #looking: Promise<void> | undefined;
  #endPause: () => void = () => {};

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** How many watch. */
  get viewers(): number {
    return this.#viewers;
  }

  /**
   * Opens a stream of server-sent events; `undefined` when there are too many.
   *
   * @param allowed Asked before each event: the viewer's token may have ended.
   */
  open(allowed: () => boolean = () => true): ReadableStream<Uint8Array> | undefined {
    if (this.#viewers >= maxViewers) return undefined;
    this.#viewers++;
    this.#looking ??= this.#look();
    const { draining, nowMs, lifeMs = 600_000 } = this.#options;
    const encoder = new TextEncoder();
    const ending = new AbortController();
    const endMs = nowMs() + lifeMs;
    let seen = 0;
    let first = true;
    const leave = () => {
      if (ending.signal.aborted) return;
      ending.abort();
      if (--this.#viewers === 0) this.#endPause();
      draining.removeEventListener("abort", leave);
    };
    draining.addEventListener("abort", leave);
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        if (!first) await this.#news(seen, ending.signal);
        if (ending.signal.aborted || draining.aborted || nowMs() > endMs || !allowed()) {
          leave();
          return controller.close();
        }
        const text = (first ? this.#greeting() : "") + this.#changes(seen);
        [first, seen] = [false, this.#version];
        controller.enqueue(encoder.encode(text || eventText("beat", String(nowMs()))));
      },
      cancel: leave,
    }, { highWaterMark: 0 });
  }

  #greeting(): string {
    const { history, nowMs } = this.#options;
    const data = { ...history.all(), nowMs: nowMs() };
    return `retry: 1000\n${eventText("history", JSON.stringify(data))}`;
  }

  #changes(seen: number): string {
    return [...this.#state].filter(([, { version }]) => version > seen)
      .map(([name, { text }]) => eventText(name, text)).join("");
  }

  /** Waits until something is newer than `seen`, or a sign of life is due. */
  async #news(seen: number, signal: AbortSignal): Promise<void> {
    if (this.#version > seen || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, beatMs);
      this.#waiting.add(done);
      signal.addEventListener("abort", done);
    });
  }

  /** Looks again and again while somebody watches; a look that costs much comes less often. */
  async #look(): Promise<void> {
    const { lookMs = 500 } = this.#options;
    for (let look = 0; this.#viewers > 0; look++) {
      const startedMs = performance.now();
      for (const { name, path, every } of sections) {
        if (look % every === 0) await this.#ask(name, path);
      }
      const costMs = performance.now() - startedMs;
      if (this.#viewers > 0) await this.#pause(Math.max(lookMs, costMs / share));
    }
    this.#state.clear(); // who comes next gets nothing old
    this.#looking = undefined;
  }

  /** Waits, but not when the last viewer has left. */
  async #pause(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#endPause = resolve;
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
  }

  async #ask(name: string, path: string): Promise<void> {
    const answer = await this.#options.api.request(`http://127.0.0.1${path}`);
    const text = answer.ok ? await answer.text() : "null";
    if (this.#state.get(name)?.text === text) return;
    this.#state.set(name, { version: ++this.#version, text });
    for (const wake of [...this.#waiting]) wake();
  }
}

/** One event; its data has no line breaks, as JSON has none. */
function eventText(name: string, data: string): string {
  return `event: ${name}\ndata: ${data}\n\n`;
}
