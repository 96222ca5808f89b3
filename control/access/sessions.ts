/**
 * Sessions of the console: a browser shows a token once and then a cookie, which ends with the token,
 * with sign-out, or after a while.
 *
 * @module
 */

import type { Database } from "../database.ts";
import { makeSecret, readSecret, sameHash } from "./secret.ts";

/** Most sessions at a time; the oldest go. */
const most = 1000;

/** How long a session lasts, in milliseconds. */
export const sessionMs = 12 * 3600e3;

const table = `
  CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL,
    token_id TEXT NOT NULL,
    expires_ms INTEGER NOT NULL
  ) STRICT;
`;

/** The sessions; they survive a restart of control. */
export class Sessions {
  readonly #database: Database;
  readonly #nowMs: () => number;

  constructor(database: Database, nowMs: () => number) {
    this.#database = database;
    this.#nowMs = nowMs;
    database.sql.exec(table);
  }

  /** Opens a session for a token; returns the secret for the cookie. */
  open(tokenId: string): string {
    const { id, text, hash } = makeSecret("dls");
    const { sql } = this.#database;
    const nowMs = this.#nowMs();
    this.#database.transaction(() => {
      sql.prepare("INSERT INTO sessions (id, hash, token_id, expires_ms) VALUES (?, ?, ?, ?)")
        .run(id, hash, tokenId, nowMs + sessionMs);
      sql.prepare(
        `DELETE FROM sessions WHERE expires_ms <= ? OR id NOT IN (
           SELECT id FROM sessions ORDER BY expires_ms DESC LIMIT ?)`,
      ).run(nowMs, most);
    });
    return text;
  }

  /** Returns the id of the token that a session was opened with; `undefined` when it has ended. */
  tokenOf(secret: string): string | undefined {
    const read = readSecret("dls", secret);
    if (read === undefined) return undefined;
    const row = this.#database.sql.prepare("SELECT * FROM sessions WHERE id = ?").get(read.id);
    if (row === undefined || !sameHash(row.hash as Uint8Array, read.hash)) return undefined;
    return Number(row.expires_ms) > this.#nowMs() ? String(row.token_id) : undefined;
  }

  /** Ends a session. */
  close(secret: string): void {
    const read = readSecret("dls", secret);
    if (read === undefined || this.tokenOf(secret) === undefined) return;
    this.#database.sql.prepare("DELETE FROM sessions WHERE id = ?").run(read.id);
  }
}
