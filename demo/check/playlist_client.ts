/**
 * A player without a screen: it follows a live playlist as a player does and keeps what it fetched.
 *
 * @module
 */

import { parseMediaPlaylist } from "#hls";
import { type RoadBytes, roadsOf } from "./box_status.ts";
import { digestOf } from "./digest.ts";

/** Players start three segments before the end (RFC 8216 §6.3.3). */
export const startFromEnd = 3;
const pollMs = 700;

/** One object that the client fetched. */
export interface Fetched {
  readonly path: string;
  readonly status: number;
  readonly bytes: number;
  readonly digest: string;
  readonly roads: RoadBytes;
}

/** Follows one media playlist. */
export class PlaylistClient {
  readonly path: string;
  readonly fetched: Fetched[] = [];
  /** What went wrong on the way, in words. */
  readonly faults: string[] = [];
  readonly #box: string;
  #next: number | undefined;

  /**
   * @param box URL of the set-top box.
   * @param path The playlist's path.
   */
  constructor(box: string, path: string) {
    this.#box = box;
    this.path = path;
  }

  /** Plays until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#step();
      } catch (error) {
        this.faults.push(`${this.path}: ${error instanceof Error ? error.message : String(error)}`);
      }
      await pause(pollMs, signal);
    }
  }

  async #step(): Promise<void> {
    const answer = await fetch(this.#box + this.path);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`playlist answered ${answer.status}`);
    const playlist = parseMediaPlaylist(text);
    if (typeof playlist === "string") throw new Error(`playlist is ${playlist}`);
    const { segments } = playlist;
    if (this.#next === undefined) {
      const map = segments.at(-1)?.map?.uri;
      if (map !== undefined) await this.#fetch(map);
    }
    this.#next ??= segments.at(-startFromEnd)?.sequence;
    for (const { sequence, uri } of segments) {
      if (this.#next === undefined || sequence < this.#next) continue;
      if (sequence > this.#next) this.faults.push(`${this.path}: lost track at ${this.#next}`);
      await this.#fetch(uri);
      this.#next = sequence + 1;
    }
  }

  async #fetch(uri: string): Promise<void> {
    const url = new URL(uri, this.#box + this.path);
    const answer = await fetch(url);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    this.fetched.push({
      path: url.pathname,
      status: answer.status,
      bytes: bytes.length,
      digest: digestOf(bytes),
      roads: roadsOf(answer.headers.get("cache-status") ?? ""),
    });
  }
}

/** Waits, but not past the abort. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal?.aborted) done();
    else signal?.addEventListener("abort", done);
  });
}
