/**
 * Finds out what a disk store holds: from its journal where that knows, else from the files' ends.
 *
 * @module
 */

import type { DiskFaultReason } from "./disk_fault.ts";
import {
  type DiskFiles,
  nameFor,
  type ObjectName,
  parseName,
  readAt,
  readEnd,
  removeFile,
} from "./disk_files.ts";
import { HeadPool } from "./disk_head_pool.ts";
import { type Replay, replayJournal } from "./disk_journal.ts";
import { DiskObject } from "./disk_object.ts";
import { decodeFooter, decodeTail, tailBytes } from "./disk_record.ts";
import type { StoredResponse } from "./store.ts";

/** Files that are read at once. */
const concurrency = 32;
/** The end of a file is read in one go up to this length, which holds most heads. */
const usualTailBytes = 8 * 1024;
/** A longer journal is not worth its memory; the files then speak for themselves. */
const maxJournalBytes = 512 * 2 ** 20;

/** An object that was found. */
export interface RecoveredObject {
  readonly object: DiskObject;
  readonly response: StoredResponse;
  /** Whether the journal knows it. */
  readonly inJournal: boolean;
}

/** What was found. */
export interface Recovered {
  /** The least recently used first; each key and variant once. */
  readonly objects: readonly RecoveredObject[];
  readonly nextGeneration: number;
  readonly journalBytes: number;
  /** Whether the journal holds lines that are not what was written. */
  readonly journalDamaged: boolean;
}

type OnFault = (reason: DiskFaultReason, detail: string) => void;

/** Reads a directory that no one else writes to, and removes what is of no use in it. */
export async function recover(files: DiskFiles, onFault: OnFault): Promise<Recovered> {
  await files.removeUnfinished();
  const { replay, journalBytes } = await readJournal(files, onFault);
  const names = await files.listObjects((path) => onFault("foreign_file", path));
  const fromJournal = journaled(names, replay);
  const unknown = names.filter(({ generation, name }) =>
    replay.entries.get(generation)?.name !== name
  );
  const fromFiles = await readObjects(files, unknown, replay, onFault);
  const found = [...fromJournal, ...fromFiles];
  const newest = newestOfEach(found);
  for (const { object } of found.filter((each) => !newest.has(each))) {
    await removeFile(files.object(object.name))
      .catch((error) => onFault("write_failed", String(error)));
  }
  const highest = names.reduce((most, { generation }) => Math.max(most, generation), 0);
  const pool = new HeadPool();
  return {
    objects: found.filter((each) => newest.has(each))
      .map((each) => ({ ...each, response: pool.share(each.response) })),
    nextGeneration: Math.max(replay.nextGeneration, highest + 1),
    journalBytes,
    journalDamaged: replay.damagedLines > 0,
  };
}

async function readJournal(
  files: DiskFiles,
  onFault: OnFault,
): Promise<{ replay: Replay; journalBytes: number }> {
  const bytes = await journalBytes(files.journal).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) onFault("journal_failed", String(error));
    return new Uint8Array();
  });
  const replay = replayJournal(bytes, (name) => parseName(name)?.generation);
  if (replay.damagedLines > 0) onFault("journal_failed", `${replay.damagedLines} damaged lines`);
  return { replay, journalBytes: bytes.length };
}

async function journalBytes(path: string): Promise<Uint8Array> {
  const { size } = await Deno.stat(path);
  if (size > maxJournalBytes) {
    throw new Error(`Cannot read journal: at most ${maxJournalBytes} bytes: received ${size}`);
  }
  return await Deno.readFile(path);
}

/** The objects that the journal knows and whose files are there, in the journal's order. */
function journaled(names: readonly ObjectName[], replay: Replay): RecoveredObject[] {
  const present = new Set(names.map(({ name }) => name));
  return [...replay.entries]
    .filter(([, { name }]) => present.has(name))
    .map(([generation, { name, bodyBytes, fileBytes, response }]) => ({
      object: new DiskObject(name, generation, bodyBytes, fileBytes),
      response,
      inJournal: true,
    }));
}

async function readObjects(
  files: DiskFiles,
  names: readonly ObjectName[],
  replay: Replay,
  onFault: OnFault,
): Promise<RecoveredObject[]> {
  const inOrder = names.toSorted((a, b) => a.generation - b.generation);
  const found: (RecoveredObject | undefined)[] = [];
  let next = 0;
  const read = async () => {
    const buffer = new Uint8Array(usualTailBytes);
    while (next < inOrder.length) {
      const i = next++;
      found[i] = await readObject({ files, name: inOrder[i], replay, onFault, buffer });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, read));
  return found.filter((object) => object !== undefined);
}

async function readObject(
  { files, name: { name, generation }, replay, onFault, buffer }: {
    readonly files: DiskFiles;
    readonly name: ObjectName;
    readonly replay: Replay;
    readonly onFault: OnFault;
    readonly buffer: Uint8Array<ArrayBuffer>;
  },
): Promise<RecoveredObject | undefined> {
  const path = files.object(name);
  try {
    if (!replay.gone.has(generation)) {
      const found = await readRecord(path, { name, generation }, buffer);
      if (typeof found !== "string") return found;
      onFault("bad_record", `${found} ${path}`);
    }
    await removeFile(path);
  } catch (error) {
    onFault("read_failed", String(error));
  }
}

async function readRecord(
  path: string,
  { name, generation }: ObjectName,
  buffer: Uint8Array<ArrayBuffer>,
): Promise<RecoveredObject | string> {
  const { end, fileBytes } = await readEnd(path, buffer);
  const footer = decodeFooter(end, fileBytes);
  if (typeof footer === "string") return footer;
  const { bodyBytes, headBytes } = footer;
  const length = tailBytes(bodyBytes, headBytes);
  const bytes = length <= end.length
    ? end.subarray(end.length - length)
    : await readAt(path, bodyBytes, length);
  const tail = decodeTail(bytes, fileBytes);
  if (typeof tail === "string") return tail;
  const { response } = tail;
  if (
    footer.generation !== generation || nameFor(response.key, response.variant, generation) !== name
  ) {
    return "another object";
  }
  return {
    object: new DiskObject(name, generation, bodyBytes, fileBytes),
    response,
    inJournal: false,
  };
}

/** A kill between an object's publication and the removal of the one it replaced leaves both. */
function newestOfEach(found: readonly RecoveredObject[]): ReadonlySet<RecoveredObject> {
  const newest = new Map<string, RecoveredObject>();
  for (const each of found) {
    const id = `${each.response.variant}\n${each.response.key}`; // a key has no line feed
    const other = newest.get(id);
    if (other === undefined || other.object.generation < each.object.generation) {
      newest.set(id, each);
    }
  }
  return new Set(newest.values());
}
