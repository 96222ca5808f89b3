/**
 * Who changed what, when, from where, and what came of it. Rows are written in batches within a tenth
 * of a second, and bounded by number and age.
 *
 * @module
 */

import type { Database } from "../database.ts";

/** One request that wanted to change something. */
export interface AuditRow {
  /** Wall clock, in milliseconds since the Unix epoch. */
  readonly atMs: number;
  /** Name of the token. */
  readonly who: string;
  /** The operation, for example `createPurge`. */
  readonly action: string;
  readonly method: string;
  readonly path: string;
  /** What was done, in a few words. */
  readonly detail: string;
  /** Address of the caller. */
  readonly address: string;
  /** Status of the answer. */
  readonly status: number;
}

/** A row with its number. */
export interface AuditEntry extends AuditRow {
  readonly id: number;
}

/** How much is kept, and the clock. */
export interface AuditOptions {
  readonly retentionCount: number;
  readonly retentionMs: number;
  readonly nowMs: () => number;
}

/** How long a row may wait for others, in milliseconds. */
const batchMs = 100;

/** Longest text that is kept of each part. */
const maxText = 200;

const columns = "at_ms, who, action, method, path, detail, address, status";

const table = `
  CREATE TABLE IF NOT EXISTS audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    detail TEXT NOT NULL,
    address TEXT NOT NULL,
    status INTEGER NOT NULL
  ) STRICT;
`;

/** The audit log. */
export class AuditLog {
  readonly #database: Database;
  readonly #options: AuditOptions;
  #waiting: AuditRow[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #onFault: (reason: unknown) => void = () => {};

  constructor(database: Database, options: AuditOptions) {
    this.#database = database;
    this.#options = options;
    database.sql.exec(table);
  }

  /** Says who is told when rows could not be written; they are lost then. */
  onFault(listener: (reason: unknown) => void): void {
    this.#onFault = listener;
  }

  /** Takes a row. */
  add(row: AuditRow): void {
    this.#waiting.push(row);
    this.#timer ??= setTimeout(() => this.flush(), batchMs);
  }

  /**
   * Returns rows in order: those after `after`, or the newest when it is absent.
   *
   * @param limit Most rows.
   */
  read(after: number | undefined, limit: number): readonly AuditEntry[] {
    this.flush();
    const { sql } = this.#database;
    const rows = after === undefined
      ? sql.prepare("SELECT * FROM audit ORDER BY id DESC LIMIT ?").all(limit).reverse()
      : sql.prepare("SELECT * FROM audit WHERE id > ? ORDER BY id LIMIT ?").all(after, limit);
    return rows.map(entryOf);
  }

  /** Forgets what is too old or too much. */
  trim(): void {
    const { retentionMs, retentionCount, nowMs } = this.#options;
    const { sql } = this.#database;
    sql.prepare("DELETE FROM audit WHERE at_ms < ?").run(nowMs() - retentionMs);
    sql.prepare("DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?")
      .run(retentionCount);
  }

  /** Writes what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const rows = this.#waiting;
    if (rows.length === 0) return;
    this.#waiting = [];
    try {
      this.#database.transaction(() => this.#insert(rows));
    } catch (error) {
      this.#onFault(error);
    }
  }

  #insert(rows: readonly AuditRow[]): void {
    const insert = this.#database.sql
      .prepare(`INSERT INTO audit (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
    for (const { atMs, who, action, method, path, detail, address, status } of rows) {
      const texts = [who, action, method, path, detail, address].map((text) =>
        text.slice(0, maxText)
      );
      insert.run(atMs, ...texts, status);
    }
  }
}

function entryOf(row: Record<string, unknown>): AuditEntry {
  return {
    id: Number(row.id),
    atMs: Number(row.at_ms),
    who: String(row.who),
    action: String(row.action),
    method: String(row.method),
    path: String(row.path),
    detail: String(row.detail),
    address: String(row.address),
    status: Number(row.status),
  };
}
