/**
 * One connection to `GET /purges/stream`: opens it, reads its lines, gives up when it falls silent.
 *
 * @module
 */

import { LineSplitter, maxLineBytes } from "./lines.ts";
import { ConnectionFault, type LogPlace, type LogSource, type OpenedLog } from "./log_source.ts";
import type { LogEntry } from "./record.ts";
import { parseEntryLine, parseLogHead } from "./stream.ts";

/** Where control is. */
export interface ControlAddress {
  /** Control's base URL. */
  readonly url: string | URL;
  /** Bearer token, when control wants one. */
  readonly token?: string;
}

type ConnectionOptions = LogPlace & ControlAddress;

/** Returns control's log as a source: one long streamed response for each connection. */
export function controlLog(address: ControlAddress): LogSource {
  return { open: (place, onHeard) => openLog({ ...place, ...address }, onHeard) };
}

async function openLog(options: ConnectionOptions, onHeard: () => void): Promise<OpenedLog> {
  const watch = new Watch(options.stallMs, options.signal);
  try {
    const response = await ask(options, watch.signal);
    if (response.status !== 200 && response.status !== 410) {
      await response.body?.cancel();
      const fault = [401, 403].includes(response.status) ? "unauthorized" : "bad_answer";
      throw new ConnectionFault(fault, `need status 200: received ${response.status}`);
    }
    const lines = readLines(response, watch, onHeard);
    const first = await lines.next();
    const [headLine, ...rest] = first.done ? [] : first.value;
    const head = parseLogHead(headLine ?? "");
    if (head === undefined) {
      await lines.return(undefined);
      throw new ConnectionFault("bad_answer", "need a head as the first line");
    }
    if (response.status === 410) {
      await lines.return(undefined);
      return { kind: "no_such_place", head };
    }
    const close = async () => void await lines.return(undefined);
    return { kind: "stream", head, batches: readEntries(rest, lines, watch), close };
  } catch (error) {
    watch.stop();
    throw watch.explain(error);
  }
}

function ask(options: ConnectionOptions, signal: AbortSignal): Promise<Response> {
  const url = new URL(`${String(options.url).replace(/\/+$/, "")}/purges/stream`);
  url.searchParams.set("after", String(options.afterSeq));
  if (options.logId !== undefined) url.searchParams.set("log", options.logId);
  if (options.lastId !== undefined) url.searchParams.set("last", options.lastId);
  const headers = new Headers({ accept: "application/x-ndjson" });
  if (options.token !== undefined) headers.set("authorization", `Bearer ${options.token}`);
  return fetch(url, { headers, signal, redirect: "error" });
}

async function* readLines(
  response: Response,
  watch: Watch,
  onHeard: () => void,
): AsyncGenerator<string[], void> {
  const splitter = new LineSplitter();
  try {
    for await (const chunk of response.body ?? []) {
      watch.heard();
      onHeard();
      const lines = splitter.push(chunk);
      if (lines === undefined) {
        throw new ConnectionFault("bad_line", `need lines of at most ${maxLineBytes} bytes`);
      }
      if (lines.length > 0) yield lines;
    }
  } finally {
    watch.stop();
  }
}

async function* readEntries(
  first: readonly string[],
  lines: AsyncGenerator<string[], void>,
  watch: Watch,
): AsyncGenerator<LogEntry[], void> {
  try {
    if (first.length > 0) yield* entriesOf(first);
    for await (const more of lines) yield* entriesOf(more);
  } catch (error) {
    throw watch.explain(error);
  }
  throw new ConnectionFault("ended", "control ended the stream");
}

/** Yields what is good before it fails for what is not. */
function* entriesOf(lines: readonly string[]): Generator<LogEntry[], void> {
  const entries: LogEntry[] = [];
  for (const line of lines) {
    if (line === "") continue;
    const entry = parseEntryLine(line);
    if (entry === undefined) {
      if (entries.length > 0) yield entries;
      throw new ConnectionFault("bad_line", `need a log entry: received ${line.slice(0, 80)}`);
    }
    entries.push(entry);
  }
  if (entries.length > 0) yield entries;
}

/** Aborts an exchange when nothing was heard for too long, or when the caller aborts. */
class Watch {
  readonly #controller = new AbortController();
  readonly #stallMs: number;
  readonly #outer: AbortSignal;
  readonly #follow = () => this.#controller.abort();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stalled = false;

  constructor(stallMs: number, outer: AbortSignal) {
    this.#stallMs = stallMs;
    this.#outer = outer;
    outer.addEventListener("abort", this.#follow);
    if (outer.aborted) this.#controller.abort();
    this.heard();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  heard(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#stalled = true;
      this.#controller.abort();
    }, this.#stallMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener("abort", this.#follow);
  }

  explain(error: unknown): ConnectionFault {
    if (error instanceof ConnectionFault) return error;
    const detail = error instanceof Error ? error.message : String(error);
    if (this.#stalled) {
      return new ConnectionFault("stalled", `heard nothing for ${this.#stallMs} ms`);
    }
    return new ConnectionFault("refused", detail);
  }
}
