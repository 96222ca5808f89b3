/**
 * What stands on the lines of `GET /purges/stream`: a head, then log entries, blank lines between.
 *
 * @module
 */

import * as v from "valibot";
import { type LogEntry, parseLogEntry } from "./record.ts";

/** The first line of the stream, and the body of its 410: which log this is and what it holds. */
export interface LogHead {
  readonly logId: string;
  /** The oldest number held. */
  readonly firstSeq: number;
  /** The newest number when this was written; who has applied it has caught up. */
  readonly lastSeq: number;
}

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const headSchema = v.object({
  logId: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  firstSeq: whole,
  lastSeq: whole,
});

/** Reads a {@link LogHead}; `undefined` when it is none. */
export function parseLogHead(text: string): LogHead | undefined {
  const parsed = v.safeParse(headSchema, parseJson(text));
  if (!parsed.success || parsed.output.firstSeq > parsed.output.lastSeq + 1) return undefined;
  return parsed.output;
}

/** Reads an entry line; `undefined` when it is none. */
export function parseEntryLine(text: string): LogEntry | undefined {
  return parseLogEntry(parseJson(text));
}

/** Returns the value of a JSON text, `undefined` when it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
