/**
 * A service as one endless MPEG-TS stream: the segments of its playlist one after the other, through
 * the same cache that every player uses.
 *
 * @module
 */

import type { CacheAnswer } from "#cache";
import type { MediaPlaylist, MediaSegment } from "#hls";
import { fieldValue } from "#http";
import { LiveCursor } from "./live_cursor.ts";
import { type GetObject, loadPlaylist, type TsPlaylist } from "./live_playlist.ts";
import { objectKey } from "./object_uri.ts";
import { pause } from "./pause.ts";
import { formatRange } from "./repair_plan.ts";
import { wholePackets } from "./ts_packets.ts";

/** What a stream is made with. */
export interface LiveStreamOptions {
  readonly get: GetObject;
  /** Resolves early when a playlist was stored anew. */
  readonly whenStored: (key: string, ms: number, signal: AbortSignal) => Promise<unknown>;
  /** A segment was given up. */
  readonly onSkip?: (uri: string) => void;
  readonly onBegin?: () => void;
  /** The stream ended, for whatever reason. */
  readonly onEnd?: () => void;
  readonly nowMs: () => number;
  /** Segments behind the live edge at the start; 3 by default. */
  readonly startBehind?: number;
}

/** A playlist that does not change for so long is dead, in target durations. */
const deadAfterDurations = 15;
/** Chunks are at most this long, so that a slow player holds up little memory. */
const chunkBytes = 256 * 1024;

/** What of a segment was handed on: whole packets of one version. */
interface Sent {
  bytes: number;
  /** Entity tag of that version; `undefined` when it has none. */
  etag: string | undefined;
}

/** How an attempt ended: `replaced` when there are only bytes of another version to go on with. */
type AttemptEnd = "all" | "broken_off" | "replaced";

/** Opens the stream of a playlist; cancelling it stops everything. */
export function liveStream(
  start: TsPlaylist,
  options: LiveStreamOptions,
): ReadableStream<Uint8Array> {
  const abort = new AbortController();
  const chunks = new LiveChunks(start, options, abort.signal).run();
  options.onBegin?.();
  const end = () => {
    if (!abort.signal.aborted) options.onEnd?.();
    abort.abort();
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) {
        end();
        controller.close();
      } else controller.enqueue(value);
    },
    cancel: end,
  }, { highWaterMark: 0 });
}

/** One stream on its way through the playlist. */
class LiveChunks {
  readonly #key: string;
  readonly #options: LiveStreamOptions;
  readonly #signal: AbortSignal;
  readonly #cursor: LiveCursor;
  #playlist: MediaPlaylist;
  #changedMs: number;
  /** Whether a byte was sent: until then, what is not here is not waited for. */
  #begun = false;

  constructor({ key, playlist }: TsPlaylist, options: LiveStreamOptions, signal: AbortSignal) {
    this.#key = key;
    this.#playlist = playlist;
    this.#options = options;
    this.#signal = signal;
    this.#cursor = new LiveCursor(options.startBehind);
    this.#changedMs = options.nowMs();
  }

  async *run(): AsyncGenerator<Uint8Array, void> {
    while (!this.#signal.aborted) {
      const step = this.#cursor.step(this.#playlist);
      if (step.kind === "ended") return;
      if (step.kind === "segment") yield* this.#segment(step.segment);
      else if (!await this.#reload()) return;
    }
  }

  /** Waits for a newer playlist; false when it is dead. */
  async #reload(): Promise<boolean> {
    const { whenStored, get, nowMs } = this.#options;
    const targetMs = this.#playlist.targetDurationSeconds * 1000;
    await whenStored(this.#key, Math.min(Math.max(targetMs / 4, 100), 1000), this.#signal);
    const newer = await loadPlaylist(this.#key, get, this.#signal);
    if (newer !== undefined && lastSequence(newer) !== lastSequence(this.#playlist)) {
      this.#changedMs = nowMs();
    }
    this.#playlist = newer ?? this.#playlist;
    return nowMs() - this.#changedMs < Math.max(targetMs, 1000) * deadAfterDurations;
  }

  /** Sends one segment, trying again from where it broke off until its time is over. */
  async *#segment(segment: MediaSegment): AsyncGenerator<Uint8Array, void> {
    const { nowMs, onSkip } = this.#options;
    const durationMs = Math.max(segment.durationSeconds, 1) * 1000;
    const deadlineMs = nowMs() + 2 * durationMs + 1000;
    const sent: Sent = { bytes: 0, etag: undefined };
    for (let attempt = 1; !this.#signal.aborted; attempt++) {
      const end = yield* this.#attempt(segment, sent, durationMs * 2);
      if (end === "all") return this.#cursor.sent(segment);
      if (end === "replaced" || !this.#begun || nowMs() >= deadlineMs) {
        onSkip?.(segment.uri);
        return this.#cursor.skip(segment);
      }
      await pause(Math.min(100 * attempt, 500), this.#signal);
    }
  }

  /** Sends what of a segment was not sent yet. */
  async *#attempt(
    segment: MediaSegment,
    sent: Sent,
    stallMs: number,
  ): AsyncGenerator<Uint8Array, AttemptEnd> {
    const answer = await this.#ask(segment);
    if (answer === undefined) return "broken_off";
    const etag = fieldValue(answer.fields, "etag");
    if (sent.bytes > 0 && etag !== sent.etag) {
      discard(answer);
      return "replaced";
    }
    sent.etag = etag;
    try {
      for await (const packets of wholePackets(after(sent.bytes, chunksOf(answer, stallMs)))) {
        this.#begun = true;
        sent.bytes += packets.length;
        yield packets;
      }
    } catch {
      return "broken_off"; // or nothing came for too long
    }
    return "all";
  }

  /** Asks for a segment; `undefined` when it cannot be had. */
  async #ask({ uri, byteRange }: MediaSegment): Promise<CacheAnswer | undefined> {
    const key = objectKey(uri);
    if (key === undefined) return undefined;
    const { offsetBytes = 0, lengthBytes = 0 } = byteRange ?? {};
    const range = byteRange && formatRange([[offsetBytes, offsetBytes + lengthBytes]]);
    const answer = await this.#options.get(key, { signal: this.#signal, range });
    if (answer.status === (byteRange ? 206 : 200) && answer.body !== null) return answer;
    discard(answer);
    return undefined;
  }
}

function lastSequence({ segments }: MediaPlaylist): number | undefined {
  return segments.at(-1)?.sequence;
}

function discard({ body }: CacheAnswer): void {
  if (body instanceof ReadableStream) body.cancel().catch(() => {});
}

/** The body in chunks; throws when none comes for `stallMs`. */
async function* chunksOf({ body }: CacheAnswer, stallMs: number): AsyncGenerator<Uint8Array, void> {
  if (body instanceof Uint8Array) {
    for (let at = 0; at < body.length; at += chunkBytes) yield body.subarray(at, at + chunkBytes);
    return;
  }
  const reader = body!.getReader();
  try {
    for (;;) {
      const { done, value } = await orStall(reader.read(), stallMs);
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Leaves out the first bytes of a body. */
async function* after(
  bytes: number,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  let at = 0;
  for await (const chunk of chunks) {
    const fresh = chunk.subarray(Math.max(0, bytes - at));
    at += chunk.length;
    if (fresh.length > 0) yield fresh;
  }
}

/** Waits for a promise, but not longer than `ms`. */
async function orStall<T>(promise: Promise<T>, ms: number): Promise<T> {
  const stalled = Promise.withResolvers<never>();
  const timer = setTimeout(() => stalled.reject(new Error("Cannot go on: no byte came")), ms);
  try {
    return await Promise.race([promise, stalled.promise]);
  } finally {
    clearTimeout(timer);
  }
}
