/**
 * Which versions the cache has already, so that nothing is received, repaired or written twice.
 *
 * @module
 */

import { type Purges, type Store, type StoredEntry, type StoredResponse, untoldTag } from "#cache";
import { type Fields, fieldValue } from "#http";
import type { FdtFile } from "#flute";
import { entityTagOf, storedFields } from "./stored_head.ts";

/** A renewed freshness that is longer by less than this is not worth a write, in milliseconds. */
const worthWritingMs = 1000;

/** Surrogate keys that are kept of one object. */
const mostTags = 128;

/** Compares what FDTs name with what is stored. */
export class StoredVersions {
  readonly #store: Pick<Store, "find" | "update">;
  readonly #purges: Purges;

  constructor(store: Pick<Store, "find" | "update">, purges: Purges) {
    this.#store = store;
    this.#purges = purges;
  }

  /** Whether no purge that is newer than the sender's bytes concerns an object. */
  admits(key: string, { tags, purgeSeq = 0 }: FdtFile): boolean {
    return this.#purges.verdict({ key, tags, fillSeq: purgeSeq }) === "valid";
  }

  /**
   * The purge sequence that bytes of a file are kept under. Whoever can send to the group can name any
   * number: one that is ahead of this box would outlive purges to come, so what was applied here bounds
   * it. Bytes that are ahead in truth are taken once more by the purge they knew of already.
   */
  fillSeq({ purgeSeq = 0 }: FdtFile): number {
    return Math.min(purgeSeq, this.#purges.appliedSeq);
  }

  /** What is stored, when it is the version that an FDT names: same strong tag, same length. */
  find(key: string, file: FdtFile): StoredEntry | undefined {
    const tag = entityTagOf(file);
    if (tag === undefined || tag.startsWith("W/")) return undefined;
    return this.#store.find(key).find(({ response, bodyBytes }) =>
      response.status === 200 && fieldValue(response.fields, "etag") === tag &&
      (file.contentLength ?? bodyBytes) === bodyBytes && this.#purges.verdict(response) === "valid"
    );
  }

  /** Takes over from an FDT that the same version is fresh for longer, or newer than a purge. */
  refresh(entry: StoredEntry, file: FdtFile, nowMs: number): void {
    const { response } = entry;
    const control = file.cacheControl;
    const longer = control?.kind === "expires" &&
      control.expiresMs > freshUntilMs(response) + worthWritingMs;
    const fillSeq = Math.max(response.fillSeq, this.fillSeq(file));
    const tags = bothTags(response.tags, file.tags);
    if (!longer && fillSeq === response.fillSeq && tags === response.tags) return;
    const fields = replaced(response.fields, storedFields(response.key, file, nowMs));
    const renewed = { ...response, tags, fields, fillSeq, requestSentMs: nowMs, receivedMs: nowMs };
    this.#store.update(entry, renewed).catch(() => {}); // a full disk keeps the old head
  }
}

function freshUntilMs({ fields, receivedMs }: StoredResponse): number {
  const seconds = /(?:^|[\s,])max-age=(\d{1,10})/.exec(fieldValue(fields, "cache-control") ?? "");
  return receivedMs + Number(seconds?.[1] ?? 0) * 1000;
}

/**
 * The surrogate keys of a version by all that was said of it: whoever can send to the group can name
 * fewer, and what has too many is taken by any purge by tag.
 */
function bothTags(known: readonly string[], named: readonly string[]): readonly string[] {
  const added = named.filter((tag) => !known.includes(tag));
  if (added.length === 0 || known.includes(untoldTag)) return known;
  return known.length + added.length > mostTags ? [untoldTag] : [...known, ...added];
}

/** The fields that say how fresh it is, from the newer head; `Age` was of the older one. */
function replaced(fields: Fields, newer: Fields): Fields {
  const names = new Set(["cache-control", "date"]);
  return [
    ...fields.filter(([name]) => !names.has(name) && name !== "age" && name !== "expires"),
    ...newer.filter(([name]) => names.has(name)),
  ];
}
