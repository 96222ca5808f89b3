/**
 * `GET /purges/{id}/events`: one purge as it goes through the nodes, as server-sent events.
 *
 * @module
 */

import type { PurgeRecord } from "#purge";
import type { ControlParts } from "./parts.ts";
import { progressView } from "./purge_view.ts";

/** Most streams at once: each computes the whole view again and again. */
const mostWatchers = 200;

/** Shortest and longest time between two events, in milliseconds. */
const paceMs = { shortest: 50, longest: 2000 };

/** The streams that are open. */
export class PurgeWatchers {
  readonly #parts: ControlParts;
  #open = 0;

  constructor(parts: ControlParts) {
    this.#parts = parts;
  }

  /** Answers with `progress` events and, when all nodes have it, one `completed`; then it ends. */
  open(records: readonly PurgeRecord[]): Response {
    if (this.#open >= mostWatchers) {
      const error = `Cannot watch the purge: need at most ${mostWatchers} watchers: received more`;
      return Response.json({ error }, { status: 503, headers: { "retry-after": "5" } });
    }
    this.#open++;
    const headers = { "content-type": "text/event-stream", "cache-control": "no-transform" };
    return new Response(this.#events(records, () => this.#open--), { headers });
  }

  #events(records: readonly PurgeRecord[], onEnd: () => void): ReadableStream<Uint8Array> {
    const { progress, draining } = this.#parts;
    const encoder = new TextEncoder();
    const news = new News();
    const unwatch = progress.watch(() => news.tell());
    const drain = () => news.tell();
    draining.addEventListener("abort", drain);
    let ended = false;
    const end = () => {
      if (ended) return;
      ended = true;
      unwatch();
      draining.removeEventListener("abort", drain);
      news.tell();
      onEnd();
    };
    let first = true;
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        if (!first) await news.wait(paceMs);
        first = false;
        if (ended) return;
        const view = progressView(this.#parts, records);
        const event = view.state === "completed" ? "completed" : "progress";
        controller.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(view)}\n\n`));
        if (event === "completed" || draining.aborted) {
          end();
          controller.close();
        }
      },
      cancel: end,
    }, { highWaterMark: 0 });
  }
}

/** Something new, told by many and awaited by one. */
class News {
  #told = false;
  #wake: () => void = () => {};

  tell(): void {
    this.#told = true;
    this.#wake();
  }

  /** Waits for the shortest time at least, then for news, but not longer than the longest time. */
  async wait({ shortest, longest }: { shortest: number; longest: number }): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, shortest));
    if (!this.#told) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, longest - shortest);
      });
      clearTimeout(timer);
      this.#wake = () => {};
    }
    this.#told = false;
  }
}
