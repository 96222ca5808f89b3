/**
 * The purges that a node has applied, asked at every lookup: is there a later record that matches?
 *
 * Generation numbers, not a list of bans: O(tags + path depth) however many purges there were. What
 * does not fit the memory bound raises the floor under everything, so that too much is purged and
 * never too little.
 *
 * @module
 */

import { type Mark, type MarkRow, Marks, raise, unmarked } from "./marks.ts";
import type { LogEntry } from "./record.ts";

/** Stands for tags that were not told: any purge by tag takes the object. */
const untoldTag = "*";

/** What a purge record is matched against. */
export interface PurgeSubject {
  /** Canonical path and query. */
  readonly key: string;
  readonly tags: readonly string[];
  /** The sequence applied when the object's upstream request was sent. */
  readonly fillSeq: number;
}

/** `stale` after a soft purge, `gone` after a hard one. */
export type PurgeVerdict = "valid" | "stale" | "gone";

/** Why an index answers `gone` to all: its place was `lost`, or the log is `silent` for too long. */
export type Doubt = "lost" | "silent";

/** What became of an entry: `gap` means that entries before it are missing and it was refused. */
export type ApplyOutcome = "applied" | "duplicate" | "gap";

/** An index as it is kept on disk. */
export interface PurgeIndexState {
  readonly appliedSeq: number;
  readonly everything: Mark;
  readonly urls: readonly MarkRow[];
  readonly prefixes: readonly MarkRow[];
  readonly tags: readonly MarkRow[];
}

/** Sizes of an index. */
export interface PurgeIndexOptions {
  /** Memory for marks before the oldest are folded into the floor, in bytes; 16 MiB by default. */
  readonly budgetBytes?: number;
}

/** The purges applied by this node; structurally what `lib/cache` calls `Purges`. */
export class PurgeIndex {
  readonly #budgetBytes: number;
  readonly #urls = new Marks();
  readonly #prefixes = new Marks();
  readonly #tags = new Marks();
  #everything = unmarked;
  #appliedSeq = 0;
  /** The newest number of any mark: an object filled since then matches nothing. */
  #newestSeq = 0;
  readonly #doubts = new Set<Doubt>();
  #folds = 0;

  constructor({ budgetBytes = 16 * 2 ** 20 }: PurgeIndexOptions = {}) {
    this.#budgetBytes = budgetBytes;
  }

  /** The highest sequence number applied, 0 before any. */
  get appliedSeq(): number {
    return this.#appliedSeq;
  }

  /** Whether everything is `gone` until {@link PurgeIndex.trust}. */
  get distrusting(): boolean {
    return this.#doubts.size > 0;
  }

  /** How many values have marks of their own. */
  get size(): number {
    return this.#urls.size + this.#prefixes.size + this.#tags.size;
  }

  /** About how much memory the marks take, in bytes. */
  get weightBytes(): number {
    return this.#urls.weightBytes + this.#prefixes.weightBytes + this.#tags.weightBytes;
  }

  /** How often old marks were folded into the floor because the budget was full. */
  get folds(): number {
    return this.#folds;
  }

  /** Whether a record after `subject.fillSeq` matches the subject. O(tags + path depth). */
  verdict({ key, tags, fillSeq }: PurgeSubject): PurgeVerdict {
    if (this.#doubts.size > 0) return "gone";
    if (fillSeq >= this.#newestSeq) return "valid";
    let { hard, soft } = this.#everything;
    const meet = (mark: Mark | undefined) => {
      if (mark === undefined) return;
      if (mark.hard > hard) hard = mark.hard;
      if (mark.soft > soft) soft = mark.soft;
    };
    meet(this.#urls.get(key));
    for (const tag of tags) meet(tag === untoldTag ? this.#tags.newest : this.#tags.get(tag));
    if (this.#prefixes.size > 0) {
      for (const prefix of prefixesOf(key, this.#prefixes.longest)) {
        meet(this.#prefixes.get(prefix));
      }
    }
    return hard > fillSeq ? "gone" : soft > fillSeq ? "stale" : "valid";
  }

  /** Applies the next entry of the log. One that was applied before changes nothing. */
  apply(entry: LogEntry): ApplyOutcome {
    if (entry.seq <= this.#appliedSeq) return "duplicate";
    const nextSeq = this.#appliedSeq + 1;
    if (entry.kind === "skipped") {
      if (entry.fromSeq > nextSeq) return "gap";
      this.#appliedSeq = entry.seq;
      return "applied";
    }
    if (entry.seq !== nextSeq) return "gap";
    this.#appliedSeq = this.#newestSeq = entry.seq;
    if (entry.kind === "all") this.#markAll(entry.seq, entry.soft);
    else {
      const marks = { url: this.#urls, prefix: this.#prefixes, tag: this.#tags }[entry.kind];
      marks.mark(entry.value, entry.seq, entry.soft);
      this.#keepBudget();
    }
    return "applied";
  }

  /**
   * Goes on from `seq` without the records before it: everything filled before `seq` is gone. A
   * number at or below the applied one makes everything filled before now gone and keeps it.
   */
  gapTo(seq: number): void {
    this.#appliedSeq = this.#newestSeq = Math.max(seq, this.#appliedSeq);
    this.#markAll(this.#appliedSeq, false);
  }

  /** Answers `gone` to everything: what was purged is not known, or not any more. */
  distrust(doubt: Doubt = "lost"): void {
    this.#doubts.add(doubt);
  }

  /** Ends one reason of {@link PurgeIndex.distrust}: the store was emptied or the log was heard. */
  trust(doubt: Doubt = "lost"): void {
    this.#doubts.delete(doubt);
  }

  /** The index as plain data for the disk. */
  save(): PurgeIndexState {
    return {
      appliedSeq: this.#appliedSeq,
      everything: this.#everything,
      urls: this.#urls.rows(),
      prefixes: this.#prefixes.rows(),
      tags: this.#tags.rows(),
    };
  }

  /** Replaces the whole index by what {@link PurgeIndex.save} gave. */
  load(state: PurgeIndexState): void {
    this.#appliedSeq = this.#newestSeq = state.appliedSeq;
    this.#everything = state.everything;
    this.#urls.load(state.urls);
    this.#prefixes.load(state.prefixes);
    this.#tags.load(state.tags);
    this.#keepBudget();
  }

  #markAll(seq: number, soft: boolean): void {
    this.#everything = raise(this.#everything, seq, soft);
    if (soft) return;
    for (const marks of [this.#urls, this.#prefixes, this.#tags]) marks.clear();
  }

  /** Folds the oldest eighth into the floor at a time, so that the cost spreads over many purges. */
  #keepBudget(): void {
    if (this.weightBytes <= this.#budgetBytes) return;
    this.#folds++;
    const all = [this.#urls, this.#prefixes, this.#tags];
    while (this.size > 0 && this.weightBytes > this.#budgetBytes * 7 / 8) {
      const oldestSeq = Math.min(...all.map((marks) => marks.oldestSeq));
      const cutSeq = oldestSeq + Math.floor((this.#appliedSeq - oldestSeq) / 8);
      for (const marks of all) {
        const { hard, soft } = marks.foldUntil(cutSeq);
        this.#everything = raise(raise(this.#everything, hard, false), soft, true);
      }
    }
  }
}

/**
 * Yields every prefix that a purge can name and that holds `key`: `/a/b?x` is in `/`, `/a`, `/a/`
 * and `/a/b`. A prefix ends at a path segment: `/a` does not hold `/ab`.
 */
function* prefixesOf(key: string, longest: number): Generator<string> {
  const query = key.indexOf("?");
  const pathEnd = query === -1 ? key.length : query;
  for (let slash = key.indexOf("/"); slash !== -1 && slash < pathEnd;) {
    if (slash > longest) return;
    if (slash > 0) yield key.slice(0, slash);
    yield key.slice(0, slash + 1);
    slash = key.indexOf("/", slash + 1);
  }
  if (pathEnd <= longest && key.charCodeAt(pathEnd - 1) !== 0x2f) yield key.slice(0, pathEnd);
}
