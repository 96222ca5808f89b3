/**
 * What stands in a message of the purge topic.
 *
 * A message carries the identity of the log and a base: its sequence number is base + offset. The
 * base is 0 in the life of most logs. A topic that was deleted and made anew, or that lost its end,
 * goes on above every number that was ever given.
 *
 * @module
 */

import * as v from "valibot";
import { type LogEntry, type NewPurge, parseLogEntry, type PurgeRecord } from "#purge";

/** Which log a message belongs to, and what is added to its offset. */
export interface LogLife {
  readonly logId: string;
  readonly base: number;
}

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const lifeSchema = v.object({
  log: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  base: whole,
  kind: v.string(),
});

/** A message that is no purge: it begins a log, or leaves out numbers. */
export function encodeMark({ logId, base }: LogLife): string {
  return JSON.stringify({ log: logId, base, kind: "mark" });
}

/** A purge; its number comes with its offset. */
export function encodePurge(purge: NewPurge, issuedMs: number, { logId, base }: LogLife): string {
  const { id, kind, value, soft, issuer } = purge;
  return JSON.stringify({ log: logId, base, kind, id, value, soft, issuedMs, issuer });
}

/** A message as it came. */
export interface RawMessage {
  readonly offset: number;
  readonly value: Uint8Array | null;
}

/** A message as it was understood. */
export interface DecodedMessage {
  readonly life: LogLife;
  /** `undefined` for a mark. */
  readonly record: PurgeRecord | undefined;
}

/**
 * Reads a message. One that is no purge of ours is honoured as a purge of everything, in the life
 * that went on before it: a purge may reach too far, never too short.
 */
export function decodeMessage({ offset, value }: RawMessage, before: LogLife): DecodedMessage {
  const json = value === null ? undefined : parse(value);
  const head = v.safeParse(lifeSchema, json);
  if (!head.success) return { life: before, record: everything(before.base + offset) };
  const { log, base, kind } = head.output;
  const life = { logId: log, base: log === before.logId ? Math.max(base, before.base) : base };
  if (kind === "mark") return { life, record: undefined };
  const seq = life.base + offset;
  const entry = parseLogEntry({ ...json as object, seq: Math.max(1, seq) });
  const record = entry === undefined || entry.kind === "skipped" ? everything(seq) : entry;
  return { life, record };
}

function everything(seq: number): PurgeRecord {
  const id = `unreadable-${seq}`;
  return { seq, id, kind: "all", value: "", soft: false, issuedMs: 0, issuer: "unreadable" };
}

function parse(value: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(value));
  } catch {
    return undefined;
  }
}

/** Turns messages into entries without a hole: numbers that no purge got are said to be skipped. */
export class EntryReader {
  #life: LogLife;
  #lastSeq: number;

  /** @param lastSeq The newest number that was read before. */
  constructor(life: LogLife, lastSeq: number) {
    this.#life = life;
    this.#lastSeq = lastSeq;
  }

  /** Which log this is and what is added to its offsets now. */
  get life(): LogLife {
    return this.#life;
  }

  /** Reads messages in order; `undefined` as soon as one belongs to another log. */
  read(messages: readonly RawMessage[]): LogEntry[] | undefined {
    const entries: LogEntry[] = [];
    for (const message of messages) {
      const { life, record } = decodeMessage(message, this.#life);
      if (life.logId !== this.#life.logId) return undefined;
      this.#life = life;
      const seq = life.base + message.offset;
      if (seq <= this.#lastSeq) continue;
      const holeEnd = record === undefined ? seq : seq - 1;
      if (holeEnd > this.#lastSeq) {
        entries.push({ kind: "skipped", fromSeq: this.#lastSeq + 1, seq: holeEnd });
      }
      if (record !== undefined) entries.push(record);
      this.#lastSeq = seq;
    }
    return entries;
  }
}
