/**
 * `GET /purges/stream`: the log as lines that never end. A follower that does not read costs no
 * memory, and is let go after a while.
 *
 * @module
 */

import type { LogHead, PurgeLog } from "#purge";

/** How a stream keeps alive, in milliseconds. */
export interface StreamTimes {
  /** Time between blank lines when there is nothing to say. */
  readonly heartbeatMs: number;
  /** How long a follower may leave lines unread. */
  readonly slowMs: number;
}

/** Why a stream ended; the words are metric labels. */
export type StreamEnd = "closed" | "slow" | "overtaken" | "draining";

/** Entries read from the log at a time. */
const batchEntries = 256;

const encoder = new TextEncoder();

/** Entries as lines; nobody writes to the bytes. */
interface Batch {
  readonly after: number;
  readonly lastSeq: number;
  /** The newest number among them. */
  readonly seq: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The batch that was read last from each log: hundreds of followers ask for the same. */
const newest = new WeakMap<PurgeLog, Batch>();

/** The entries after `after` as lines, a blank one when there are none. */
function batchAfter(log: PurgeLog, after: number): Batch {
  const { lastSeq } = log;
  const held = newest.get(log);
  if (held?.after === after && held.lastSeq === lastSeq) return held;
  const entries = log.read(after, batchEntries);
  const lines = entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
  const bytes = encoder.encode(lines || "\n");
  const batch = { after, lastSeq, seq: entries.at(-1)?.seq ?? after, bytes };
  newest.set(log, batch);
  return batch;
}

/** Returns what the log is and holds: the first line of a stream, and the body of its 410. */
export function logHead({ logId, firstSeq, lastSeq }: PurgeLog): LogHead {
  return { logId, firstSeq, lastSeq };
}

/**
 * Makes the body of a stream: the head, then every entry after `after`, then those that come.
 *
 * @param signal Ends the stream, as when control drains.
 */
export function purgeStream(
  log: PurgeLog,
  after: number,
  times: StreamTimes,
  options: { signal: AbortSignal; onEnd: (end: StreamEnd) => void },
): ReadableStream<Uint8Array> {
  const ending = new AbortController();
  let seq = after;
  let slowTimer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  const end = (why: StreamEnd) => {
    if (ended) return;
    ended = true;
    clearTimeout(slowTimer);
    options.signal.removeEventListener("abort", drain);
    ending.abort();
    options.onEnd(why);
  };
  const drain = () => ending.abort();
  const send = (controller: ReadableStreamDefaultController<Uint8Array>, bytes: Uint8Array) => {
    controller.enqueue(bytes);
    slowTimer = setTimeout(() => {
      end("slow");
      controller.error(new Error("the purge stream was not read"));
    }, times.slowMs);
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      options.signal.addEventListener("abort", drain);
      send(controller, encoder.encode(`${JSON.stringify(logHead(log))}\n`));
    },
    async pull(controller) {
      clearTimeout(slowTimer);
      if (log.lastSeq === seq) await waitOrBeat(log, seq, times.heartbeatMs, ending.signal);
      if (ended) return;
      if (options.signal.aborted) {
        end("draining");
        return controller.close();
      }
      if (seq < log.firstSeq - 1) {
        end("overtaken");
        return controller.close();
      }
      const batch = batchAfter(log, seq);
      seq = batch.seq;
      send(controller, batch.bytes);
    },
    cancel: () => end("closed"),
  }, { highWaterMark: 1 });
}

/** Waits for an entry after `seq`, but no longer than until the next sign of life is due. */
async function waitOrBeat(
  log: PurgeLog,
  seq: number,
  heartbeatMs: number,
  outer: AbortSignal,
): Promise<void> {
  const due = new AbortController();
  const timer = setTimeout(() => due.abort(), heartbeatMs);
  const stop = () => due.abort();
  outer.addEventListener("abort", stop);
  if (outer.aborted) due.abort();
  await log.waitBeyond(seq, due.signal);
  clearTimeout(timer);
  outer.removeEventListener("abort", stop);
}
