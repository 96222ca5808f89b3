/**
 * The purge log as a node or control follows it, straight from Kafka.
 *
 * @module
 */

import {
  ConnectionFault,
  type LogEntry,
  type LogHead,
  type LogPlace,
  type LogSource,
  type OpenedLog,
} from "#purge";
import { decodeMessage, EntryReader, type LogLife, type RawMessage } from "./message.ts";
import type { KafkaOptions } from "./options.ts";
import type { Held, Partition } from "./partition.ts";

/** Longest that a broker waits for the next message before it answers with none. */
const waitMs = 1000;

/** Is told the life of the log whenever it is learned. */
export type LifeListener = (life: LogLife) => void;

/** Returns the log in Kafka as a source; each connection starts at an offset of our own. */
export function kafkaLog(options: KafkaOptions, onLife: LifeListener = () => {}): LogSource {
  return {
    async open(place, onHeard): Promise<OpenedLog> {
      if (place.signal.aborted) throw new ConnectionFault("refused", "the follower has stopped");
      const { Partition } = await import("./partition.ts");
      const partition = await Partition.open(options, place.stallMs);
      const stop = () => partition.close();
      place.signal.addEventListener("abort", stop);
      if (place.signal.aborted) stop();
      const close = () => {
        place.signal.removeEventListener("abort", stop);
        stop();
        return Promise.resolve();
      };
      try {
        const held = await partition.held();
        const life = await newestLife(partition, held);
        onHeard();
        onLife(life);
        const head = headOf(held, life);
        if (!await isPlace(partition, held, life, place)) {
          await close();
          return { kind: "no_such_place", head };
        }
        return {
          kind: "stream",
          head,
          batches: batches(partition, life, place, onHeard, onLife),
          close,
        };
      } catch (error) {
        await close();
        throw error;
      }
    },
  };
}

/** The identity and the base that the newest message carries. */
async function newestLife(partition: Partition, { low, high }: Held): Promise<LogLife> {
  const messages = high > low ? await partition.read(high - 1, waitMs) : [];
  const unknown = { logId: "", base: 0 };
  // From the oldest of them on, as one that cannot be read does not say to which log it belongs.
  const life = messages.reduce((before, message) => decodeMessage(message, before).life, unknown);
  if (life.logId !== "") return life;
  const need = "need a topic that control has begun";
  throw new ConnectionFault("bad_answer", `${need}: received offsets ${low} to ${high}`);
}

function headOf({ low, high }: Held, { logId, base }: LogLife): LogHead {
  return { logId, firstSeq: Math.max(1, base + low), lastSeq: base + high - 1 };
}

/** Whether the follower's place is one of this log, with the record that it applied there. */
async function isPlace(
  partition: Partition,
  held: Held,
  life: LogLife,
  { afterSeq, logId, lastId }: LogPlace,
): Promise<boolean> {
  const { firstSeq, lastSeq } = headOf(held, life);
  if (logId !== undefined && logId !== life.logId) return false;
  if (afterSeq > lastSeq || afterSeq < firstSeq - 1) return false;
  const offset = afterSeq - life.base;
  if (lastId === undefined || offset < held.low) return true;
  const [message] = await partition.read(offset, waitMs);
  return message !== undefined && decodeMessage(message, life).record?.id === lastId;
}

async function* batches(
  partition: Partition,
  life: LogLife,
  { afterSeq }: LogPlace,
  onHeard: () => void,
  onLife: LifeListener,
): AsyncGenerator<LogEntry[], void> {
  const reader = new EntryReader(life, afterSeq);
  for (let offset = Math.max(0, afterSeq + 1 - life.base);;) {
    const messages: readonly RawMessage[] = await partition.read(offset, waitMs);
    onHeard();
    if (messages.length === 0) continue;
    offset = messages[messages.length - 1].offset + 1;
    const entries = reader.read(messages);
    if (entries === undefined) throw new ConnectionFault("gap", "the topic holds another log now");
    onLife(reader.life);
    if (entries.length > 0) yield entries;
  }
}
