/**
 * What a node has applied, on disk: the index as it once was, and each entry since. Entries are
 * flushed before they count, so a kill at any time forgets nothing that was honoured.
 *
 * @module
 */

import { createHash } from "node:crypto";
import * as v from "valibot";
import type { StateFound } from "./follower_types.ts";
import type { PurgeIndex, PurgeIndexState } from "./purge_index.ts";
import { type LogEntry, parseLogEntry } from "./record.ts";
import { parseJson } from "./stream.ts";

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const rows = v.array(v.tuple([v.string(), whole, whole]));
const headSchema = v.object({
  format: v.literal(1),
  logId: v.nullable(v.string()),
  lastId: v.optional(v.string()),
  index: v.object({
    appliedSeq: whole,
    everything: v.object({ hard: whole, soft: whole }),
    urls: rows,
    prefixes: rows,
    tags: rows,
  }),
});

/** What a state file held. */
export interface StateLoaded {
  readonly found: StateFound;
  /** The log that the state belongs to; `undefined` before any was heard. */
  readonly logId: string | undefined;
  /** The order of the newest record applied; `undefined` when it is not known. */
  readonly lastId: string | undefined;
}

/** What is written when a state file is written anew. */
export interface StateToKeep {
  readonly logId: string | undefined;
  readonly lastId: string | undefined;
  readonly index: PurgeIndexState;
}

/** Where a follower keeps its state; what {@link StateKeeper.append} has returned from is durable. */
export interface StateKeeper {
  /** Loads what was kept into `index`. */
  load(index: PurgeIndex): Promise<StateLoaded>;
  /** Adds entries. */
  append(entries: readonly LogEntry[]): Promise<void>;
  /** Whether it is time to write the state anew. */
  wantsReplace(index: PurgeIndex): boolean;
  /** Writes the whole state anew, or leaves the old one. */
  replace(state: StateToKeep): Promise<void>;
  close(): void;
}

/** The state file of one node; one process may hold it at a time. */
export class StateFile implements StateKeeper {
  readonly #path: string;
  #file: Deno.FsFile | undefined;
  #entries = 0;

  /** @param path Its folder must exist. */
  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Loads the file into `index`. A line that a kill cut short is no damage: it had not counted yet.
   * Anything else that is wrong is `corrupt`, and leaves the index as it was.
   */
  async load(index: PurgeIndex): Promise<StateLoaded> {
    let text: string;
    try {
      text = await Deno.readTextFile(this.#path);
    } catch (error) {
      const found = error instanceof Deno.errors.NotFound ? "new" : "corrupt";
      return { found, logId: undefined, lastId: undefined };
    }
    const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n").slice(0, -1);
    const values = lines.map(unseal);
    const head = v.safeParse(headSchema, values.shift());
    const entries = values.map(parseLogEntry);
    if (!head.success || !follows(entries, head.output.index.appliedSeq)) {
      return { found: "corrupt", logId: undefined, lastId: undefined };
    }
    index.load(head.output.index);
    for (const entry of entries) index.apply(entry);
    const last = entries.at(-1);
    const lastId = last === undefined
      ? head.output.lastId
      : last.kind === "skipped"
      ? undefined
      : last.id;
    return { found: "resumed", logId: head.output.logId ?? undefined, lastId };
  }

  /** Adds entries and waits until they are on disk. */
  async append(entries: readonly LogEntry[]): Promise<void> {
    this.#file ??= await Deno.open(this.#path, { append: true });
    await writeAll(this.#file, entries.map(seal).join(""));
    await this.#file.syncData();
    this.#entries += entries.length;
  }

  /** Whether the entries since the last {@link StateFile.replace} outweigh the index itself. */
  wantsReplace(index: PurgeIndex): boolean {
    return this.#entries > 1000 + 2 * index.size;
  }

  /** Writes the whole state anew; a kill at any time leaves the old or the new one. */
  async replace({ logId, lastId, index }: StateToKeep): Promise<void> {
    this.close();
    const next = `${this.#path}.next`;
    using file = await Deno.open(next, { write: true, create: true, truncate: true });
    await writeAll(file, seal({ format: 1, logId: logId ?? null, lastId, index }));
    await file.sync();
    await Deno.rename(next, this.#path);
    await syncFolder(this.#path);
    this.#entries = 0;
  }

  /** Closes the file; the next `append` opens it again. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

/** Whether every entry is one, and each starts where the one before ended. */
function follows(
  entries: readonly (LogEntry | undefined)[],
  appliedSeq: number,
): entries is readonly LogEntry[] {
  let seq = appliedSeq;
  for (const entry of entries) {
    if (entry === undefined) return false;
    if ((entry.kind === "skipped" ? entry.fromSeq : entry.seq) !== seq + 1) return false;
    seq = entry.seq;
  }
  return true;
}

function seal(value: unknown): string {
  const text = JSON.stringify(value);
  return `${digestOf(text)} ${text}\n`;
}

function unseal(line: string): unknown {
  const text = line.slice(17);
  return line.slice(0, 17) === `${digestOf(text)} ` ? parseJson(text) : undefined;
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

async function writeAll(file: Deno.FsFile, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

/** Makes a rename durable, where the system can. */
async function syncFolder(path: string): Promise<void> {
  const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) || "/" : ".";
  try {
    using handle = await Deno.open(folder);
    await handle.sync();
  } catch {
    // Not every file system flushes folders; the rename then becomes durable a little later.
  }
}
