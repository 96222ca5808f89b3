/**
 * The embedded purge log: a table in control's SQLite file.
 *
 * @module
 */

import type { StatementSync } from "node:sqlite";
import type { LogEntry, NewPurge, PurgeKind, PurgeLog, PurgeRecord } from "#purge";
import type { Database } from "./database.ts";

/** How much of the log is kept, and the clock. */
export interface SqlitePurgeLogOptions {
  /** Most entries kept. */
  readonly retentionCount: number;
  /** Age above which entries go, in milliseconds. */
  readonly retentionMs: number;
  readonly nowMs: () => number;
}

/** One order that waits for the next transaction. */
interface Pending {
  readonly purges: readonly NewPurge[];
  readonly resolve: (records: readonly PurgeRecord[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Furthest that a node's number may pull the log forward in one step. */
const maxSkip = 2 ** 32;

/** A purge log that survives a kill as soon as `append` has answered. */
export class SqlitePurgeLog implements PurgeLog {
  readonly #database: Database;
  readonly #options: SqlitePurgeLogOptions;
  readonly #statements: Readonly<
    Record<"insert" | "after" | "order" | "newest" | "trim", StatementSync>
  >;
  readonly #listeners = new Set<() => void>();
  #pending: Pending[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #firstSeq: number;
  #lastSeq: number;

  constructor(database: Database, options: SqlitePurgeLogOptions) {
    this.#database = database;
    this.#options = options;
    const { sql } = database;
    const columns = "seq, purge_id, kind, value, soft, issued_ms, issuer";
    this.#statements = {
      insert: sql.prepare(`INSERT INTO purge_log (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?)`),
      after: sql.prepare(`SELECT * FROM purge_log WHERE seq > ? ORDER BY seq LIMIT ?`),
      order: sql.prepare(`SELECT * FROM purge_log WHERE purge_id = ? ORDER BY seq LIMIT 1000`),
      newest: sql.prepare(
        `SELECT * FROM purge_log WHERE kind <> 'skipped' ORDER BY seq DESC LIMIT ?`,
      ),
      trim: sql.prepare(`DELETE FROM purge_log WHERE seq <= ?`),
    };
    this.#firstSeq = Number(database.meta("purge_first_seq") ?? 1);
    this.#lastSeq = Number(database.meta("purge_last_seq") ?? 0);
  }

  get logId(): string {
    return this.#database.controlId;
  }

  get firstSeq(): number {
    return this.#firstSeq;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Orders that come within the same turn share one transaction and one flush to disk. */
  append(purges: readonly NewPurge[]): Promise<readonly PurgeRecord[]> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ purges, resolve, reject });
      this.#timer ??= setTimeout(() => this.#flush(), 0);
    });
  }

  read(after: number, limit: number): readonly LogEntry[] {
    return this.#statements.after.all(after, limit).map(entryOf);
  }

  order(id: string): readonly PurgeRecord[] {
    return this.#statements.order.all(id).map(recordOf);
  }

  newest(limit: number): readonly PurgeRecord[] {
    return this.#statements.newest.all(limit).map(recordOf);
  }

  async waitBeyond(after: number, signal: AbortSignal): Promise<void> {
    if (this.#lastSeq > after || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const settle = () => {
        this.#listeners.delete(settle);
        signal.removeEventListener("abort", settle);
        resolve();
      };
      this.#listeners.add(settle);
      signal.addEventListener("abort", settle);
    });
  }

  skipTo(seq: number): boolean {
    if (seq <= this.#lastSeq) return false;
    if (seq > this.#lastSeq + maxSkip) {
      throw new RangeError(
        `Cannot skip purge numbers: need at most ${this.#lastSeq + maxSkip}: received ${seq}`,
      );
    }
    const fromSeq = this.#lastSeq + 1;
    this.#database.transaction(() => {
      const nowMs = this.#options.nowMs();
      this.#statements.insert.run(seq, "", "skipped", String(fromSeq), 0, nowMs, "control");
      this.#database.setMeta("purge_last_seq", String(seq));
    });
    this.#lastSeq = seq;
    this.#announce();
    return true;
  }

  /** Drops what is older than retention allows; returns how many numbers went. */
  trim(): number {
    const { retentionCount, retentionMs, nowMs } = this.#options;
    const row = this.#database.sql
      .prepare("SELECT MIN(seq) AS seq FROM purge_log WHERE issued_ms >= ?")
      .get(nowMs() - retentionMs);
    const firstYoung = row?.seq === null ? this.#lastSeq + 1 : Number(row?.seq);
    const firstSeq = Math.max(this.#firstSeq, firstYoung, this.#lastSeq - retentionCount + 1);
    if (firstSeq === this.#firstSeq) return 0;
    this.#database.transaction(() => {
      this.#statements.trim.run(firstSeq - 1);
      this.#database.setMeta("purge_first_seq", String(firstSeq));
    });
    const gone = firstSeq - this.#firstSeq;
    this.#firstSeq = firstSeq;
    return gone;
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
    let written: PurgeRecord[][];
    try {
      written = this.#database.transaction(() => this.#insert(orders));
    } catch (error) {
      for (const order of orders) order.reject(error);
      return;
    }
    this.#lastSeq += written.reduce((sum, records) => sum + records.length, 0);
    for (const [i, order] of orders.entries()) order.resolve(written[i]);
    this.#announce();
  }

  #insert(orders: readonly Pending[]): PurgeRecord[][] {
    const issuedMs = this.#options.nowMs();
    let seq = this.#lastSeq;
    const written = orders.map(({ purges }) =>
      purges.map((purge) => {
        const { id, kind, value, soft, issuer } = purge;
        seq++;
        this.#statements.insert.run(seq, id, kind, value, soft ? 1 : 0, issuedMs, issuer);
        return { seq, id, kind, value, soft, issuedMs, issuer };
      })
    );
    this.#database.setMeta("purge_last_seq", String(seq));
    return written;
  }

  #announce(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

type Row = Record<string, unknown>;

function entryOf(row: Row): LogEntry {
  if (row.kind !== "skipped") return recordOf(row);
  return { kind: "skipped", fromSeq: Number(row.value), seq: Number(row.seq) };
}

function recordOf(row: Row): PurgeRecord {
  return {
    seq: Number(row.seq),
    id: String(row.purge_id),
    kind: row.kind as PurgeKind,
    value: String(row.value),
    soft: row.soft === 1,
    issuedMs: Number(row.issued_ms),
    issuer: String(row.issuer),
  };
}
