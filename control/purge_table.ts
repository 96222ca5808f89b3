/**
 * The purge records that control keeps in its SQLite file: its own log, or its copy of Kafka's.
 *
 * @module
 */

import type { StatementSync } from "node:sqlite";
import type { LogEntry, PurgeKind, PurgeRecord } from "#purge";
import type { Database } from "./database.ts";

/** How much is kept. */
export interface Retention {
  /** Most entries kept. */
  readonly retentionCount: number;
  /** Age above which entries go, in milliseconds. */
  readonly retentionMs: number;
}

/** A table of entries without a hole, from `firstSeq` to `lastSeq`. */
export class PurgeTable {
  readonly #database: Database;
  readonly #statements: Readonly<
    Record<"insert" | "after" | "order" | "newest" | "trim" | "oldest", StatementSync>
  >;
  readonly #listeners = new Set<() => void>();
  #firstSeq: number;
  #lastSeq: number;

  constructor(database: Database) {
    this.#database = database;
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
      oldest: sql.prepare(`SELECT MIN(seq) AS seq FROM purge_log WHERE issued_ms >= ?`),
    };
    this.#firstSeq = Number(database.meta("purge_first_seq") ?? 1);
    this.#lastSeq = Number(database.meta("purge_last_seq") ?? 0);
  }

  /** The oldest number held; `lastSeq + 1` when none is. */
  get firstSeq(): number {
    return this.#firstSeq;
  }

  /** The newest number, 0 before any. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /**
   * Adds entries that follow the newest, in one transaction; `with_` is committed with them.
   *
   * @param nowMs Age counts from here for entries that do not say when they were issued.
   * @throws {Error} When storage refuses; nothing was added then.
   */
  add(entries: readonly LogEntry[], nowMs: number, with_: () => void = () => {}): void {
    let seq = this.#lastSeq;
    this.#database.transaction(() => {
      for (const entry of entries) {
        this.#insert(entry, nowMs);
        seq = entry.seq;
      }
      this.#database.setMeta("purge_last_seq", String(seq));
      with_();
    });
    this.#lastSeq = seq;
    this.#announce();
  }

  /** Forgets all entries and goes on after `lastSeq`. */
  restart(lastSeq: number, with_: () => void = () => {}): void {
    this.#database.transaction(() => {
      this.#statements.trim.run(Number.MAX_SAFE_INTEGER);
      this.#database.setMeta("purge_first_seq", String(lastSeq + 1));
      this.#database.setMeta("purge_last_seq", String(lastSeq));
      with_();
    });
    this.#firstSeq = lastSeq + 1;
    this.#lastSeq = lastSeq;
    this.#announce();
  }

  /** Entries after `after` in order, at most `limit`. */
  read(after: number, limit: number): readonly LogEntry[] {
    return this.#statements.after.all(after, limit).map(entryOf);
  }

  /** The records of one order, in order. */
  order(id: string): readonly PurgeRecord[] {
    return this.#statements.order.all(id).map(recordOf);
  }

  /** The newest records, newest first. */
  newest(limit: number): readonly PurgeRecord[] {
    return this.#statements.newest.all(limit).map(recordOf);
  }

  /** Resolves when there is an entry after `after`, or when `signal` aborts. */
  async waitBeyond(after: number, signal: AbortSignal): Promise<void> {
    while (this.#lastSeq <= after && !signal.aborted) {
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
  }

  /** Drops what is older than retention allows; returns how many numbers went. */
  trim({ retentionCount, retentionMs }: Retention, nowMs: number): number {
    const row = this.#statements.oldest.get(nowMs - retentionMs);
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

  #insert(entry: LogEntry, nowMs: number): void {
    const { insert } = this.#statements;
    if (entry.kind === "skipped") {
      insert.run(entry.seq, "", "skipped", String(entry.fromSeq), 0, nowMs, "control");
      return;
    }
    const { seq, id, kind, value, soft, issuedMs, issuer } = entry;
    insert.run(seq, id, kind, value, soft ? 1 : 0, issuedMs, issuer);
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
