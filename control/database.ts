/**
 * Control's one SQLite file. What is committed is on disk before anyone is told.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";

const tables = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS purge_log (
    seq INTEGER PRIMARY KEY,
    purge_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    soft INTEGER NOT NULL,
    issued_ms INTEGER NOT NULL,
    issuer TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS purge_log_by_id ON purge_log (purge_id);
  CREATE TABLE IF NOT EXISTS nodes (
    id TEXT PRIMARY KEY,
    record TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS snapshots (number INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS declarations (number INTEGER PRIMARY KEY) STRICT;
  CREATE TABLE IF NOT EXISTS node_status (
    id TEXT PRIMARY KEY,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    since_ms INTEGER NOT NULL
  ) STRICT;
`;

/** A database with its tables, and the identity that it got when it was made. */
export class Database {
  readonly sql: DatabaseSync;
  /** Made once with the file: another one means that numbers start over. */
  readonly controlId: string;

  /**
   * Opens or makes the file.
   *
   * @param file Its path, or `:memory:`.
   * @throws {Error} When it cannot be opened or is damaged.
   */
  constructor(file: string) {
    this.sql = new DatabaseSync(file);
    // A token command may write beside the running program.
    this.sql.exec("PRAGMA busy_timeout = 2000");
    this.sql.exec("PRAGMA journal_mode = WAL");
    this.sql.exec("PRAGMA synchronous = FULL");
    const check = this.sql.prepare("PRAGMA quick_check(1)").get() as { quick_check?: string };
    if (check.quick_check !== "ok") {
      this.sql.close();
      throw new Error(`need an intact database: received ${check.quick_check}`);
    }
    this.sql.exec(tables);
    this.controlId = this.meta("control_id") ?? randomUUID();
    this.setMeta("control_id", this.controlId);
  }

  /** Runs `work` in one transaction: all of it is kept or nothing. */
  transaction<T>(work: () => T): T {
    this.sql.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.sql.exec("COMMIT");
      return result;
    } catch (error) {
      this.#rollback();
      throw error;
    }
  }

  /** A named value; `undefined` when it was never set. */
  meta(name: string): string | undefined {
    const row = this.sql.prepare("SELECT value FROM meta WHERE name = ?").get(name);
    return row?.value as string | undefined;
  }

  /** Sets a named value. */
  setMeta(name: string, value: string): void {
    this.sql.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)").run(name, value);
  }

  /** Closes the file. */
  close(): void {
    this.sql.close();
  }

  #rollback(): void {
    try {
      this.sql.exec("ROLLBACK");
    } catch {
      // SQLite rolled back by itself (disk full, I/O error).
    }
  }
}
