/**
 * Generation numbers: for each purged value the newest hard and the newest soft sequence number.
 *
 * @module
 */

/** The newest purges of one value; 0 for none. */
export interface Mark {
  readonly hard: number;
  readonly soft: number;
}

/** No purge at all. */
export const unmarked: Mark = { hard: 0, soft: 0 };

/** What a value costs in memory beside its text, in bytes (map slot, mark, string header). */
const slotBytes = 120;

/** Adds a purge to a mark. */
export function raise(mark: Mark, seq: number, soft: boolean): Mark {
  return soft
    ? { hard: mark.hard, soft: Math.max(mark.soft, seq) }
    : { hard: Math.max(mark.hard, seq), soft: mark.soft };
}

/** The marks of one kind of purge, oldest purge first. */
export class Marks {
  readonly #marks = new Map<string, Mark>();
  #weightBytes = 0;
  #newest = unmarked;
  #longest = 0;

  /** About how much memory the marks take. */
  get weightBytes(): number {
    return this.#weightBytes;
  }

  get size(): number {
    return this.#marks.size;
  }

  /** Length of the longest value that was ever marked since the last `clear`. */
  get longest(): number {
    return this.#longest;
  }

  /** The newest purge of any value. */
  get newest(): Mark {
    return this.#newest;
  }

  get(value: string): Mark | undefined {
    return this.#marks.get(value);
  }

  /** Marks a value and moves it to the young end. */
  mark(value: string, seq: number, soft: boolean): void {
    const raised = raise(this.#marks.get(value) ?? unmarked, seq, soft);
    this.#forget(value);
    this.#add(value, raised);
  }

  /** Forgets the values that were last purged at or before `seq`; returns what covers them all. */
  foldUntil(seq: number): Mark {
    let hard = 0, soft = 0;
    for (const [value, mark] of this.#marks) {
      if (Math.max(mark.hard, mark.soft) > seq) break;
      hard = Math.max(hard, mark.hard);
      soft = Math.max(soft, mark.soft);
      this.#forget(value);
    }
    return { hard, soft };
  }

  /** The newest number of the oldest value; `Infinity` when there is none. */
  get oldestSeq(): number {
    for (const mark of this.#marks.values()) return Math.max(mark.hard, mark.soft);
    return Infinity;
  }

  clear(): void {
    this.#marks.clear();
    this.#weightBytes = 0;
    this.#longest = 0;
    this.#newest = unmarked;
  }

  /** All marks as rows, oldest first, for {@link Marks.load}. */
  rows(): MarkRow[] {
    return [...this.#marks].map(([value, { hard, soft }]) => [value, hard, soft]);
  }

  /** Replaces all marks. */
  load(rows: readonly MarkRow[]): void {
    this.clear();
    for (const [value, hard, soft] of rows) this.#add(value, { hard, soft });
  }

  #add(value: string, mark: Mark): void {
    this.#marks.set(value, mark);
    this.#weightBytes += slotBytes + 2 * value.length;
    this.#longest = Math.max(this.#longest, value.length);
    const { hard, soft } = this.#newest;
    this.#newest = { hard: Math.max(hard, mark.hard), soft: Math.max(soft, mark.soft) };
  }

  #forget(value: string): void {
    if (this.#marks.delete(value)) this.#weightBytes -= slotBytes + 2 * value.length;
  }
}

/** One mark as it is kept on disk. */
export type MarkRow = readonly [value: string, hard: number, soft: number];
