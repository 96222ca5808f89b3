/**
 * The embedded purge log: a table in control's SQLite file.
 *
 * @module
 */

import type { LogEntry, NewPurge, PurgeLog, PurgeRecord } from "#purge";
import type { Database } from "./database.ts";
import { PurgeTable, type Retention } from "./purge_table.ts";

/** How much of the log is kept, and the clock. */
export interface SqlitePurgeLogOptions extends Retention {
  readonly nowMs: () => number;
}

/** One order that waits for the next transaction. */
interface Pending {
  readonly purges: readonly NewPurge[];
  readonly resolve: (records: readonly PurgeRecord[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Furthest that a node's number may pull a log forward in one step. */
export const maxSkip = 2 ** 32;

/** A purge log that survives a kill as soon as `append` has answered. */
export class SqlitePurgeLog implements PurgeLog {
  readonly #database: Database;
  readonly #table: PurgeTable;
  readonly #options: SqlitePurgeLogOptions;
  #pending: Pending[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(database: Database, options: SqlitePurgeLogOptions) {
    this.#database = database;
    this.#table = new PurgeTable(database);
    this.#options = options;
  }

  readonly copies = false;

  get logId(): string {
    return this.#database.controlId;
  }

  get firstSeq(): number {
    return this.#table.firstSeq;
  }

  get lastSeq(): number {
    return this.#table.lastSeq;
  }

  /** Orders that come within the same turn share one transaction and one flush to disk. */
  append(purges: readonly NewPurge[]): Promise<readonly PurgeRecord[]> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ purges, resolve, reject });
      this.#timer ??= setTimeout(() => this.#flush(), 0);
    });
  }

  read(after: number, limit: number): readonly LogEntry[] {
    return this.#table.read(after, limit);
  }

  order(id: string): readonly PurgeRecord[] {
    return this.#table.order(id);
  }

  newest(limit: number): readonly PurgeRecord[] {
    return this.#table.newest(limit);
  }

  waitBeyond(after: number, signal: AbortSignal): Promise<void> {
    return this.#table.waitBeyond(after, signal);
  }

  // deno-lint-ignore require-await -- refuses by a rejection
  async skipTo(seq: number): Promise<boolean> {
    const { lastSeq } = this.#table;
    if (seq <= lastSeq) return false;
    refuseFarSkip(seq, lastSeq);
    this.#table.add([{ kind: "skipped", fromSeq: lastSeq + 1, seq }], this.#options.nowMs());
    return true;
  }

  /** Drops what is older than retention allows; returns how many numbers went. */
  trim(): number {
    return this.#table.trim(this.#options, this.#options.nowMs());
  }

  /** Writes what still waits; appends after it are not expected. */
  close(): void {
    clearTimeout(this.#timer);
    if (this.#pending.length > 0) this.#flush();
  }

  #flush(): void {
    const orders = this.#pending;
    this.#pending = [];
    this.#timer = undefined;
    const issuedMs = this.#options.nowMs();
    let seq = this.#table.lastSeq;
    const written = orders.map(({ purges }) =>
      purges.map((purge): PurgeRecord => ({ ...purge, seq: ++seq, issuedMs }))
    );
    try {
      this.#table.add(written.flat(), issuedMs);
    } catch (error) {
      for (const order of orders) order.reject(error);
      return;
    }
    for (const [i, order] of orders.entries()) order.resolve(written[i]);
  }
}

/**
 * Refuses a number that no node can have by honest means.
 *
 * @throws {RangeError}
 */
export function refuseFarSkip(seq: number, lastSeq: number): void {
  if (seq <= lastSeq + maxSkip) return;
  throw new RangeError(
    `Cannot skip purge numbers: need at most ${lastSeq + maxSkip}: received ${seq}`,
  );
}
