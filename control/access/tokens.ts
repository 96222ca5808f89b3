/**
 * The tokens of the API in control's database: hashed, with scopes, an end and a name.
 *
 * @module
 */

import type { StatementSync } from "node:sqlite";
import type { Database } from "../database.ts";
import type { Scope } from "../api/operation.ts";
import { makeSecret, readSecret, sameHash } from "./secret.ts";

/** A token without its secret. Times are wall clock in milliseconds since the Unix epoch. */
export interface Token {
  /** Public: part of the token, and what it is revoked by. */
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdMs: number;
  readonly createdBy: string;
  /** When it ends; `null` for never. */
  readonly expiresMs: number | null;
  /** To a minute; `null` before the first use. */
  readonly lastUsedMs: number | null;
  readonly revokedMs: number | null;
}

/** Whether a text may name a token; the name stands as the issuer of its purges. */
export function isTokenName(text: string): boolean {
  return /^[A-Za-z0-9._:@-]{1,64}$/.test(text);
}

/** What a new token is to be. */
export interface TokenOrder {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresMs: number | null;
  readonly createdBy: string;
}

/** What became of an order. */
export type TokenOutcome =
  | { readonly kind: "created"; readonly token: Token; readonly secret: string }
  | { readonly kind: "name_taken" | "full" };

/** Most tokens that are in force, and most that are remembered after their end. */
const most = 1000;

/** `lastUsedMs` is written no more often than this. */
const usedEveryMs = 60_000;

const table = `
  CREATE TABLE IF NOT EXISTS tokens (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_ms INTEGER,
    last_used_ms INTEGER,
    revoked_ms INTEGER
  ) STRICT;
`;

type Row = Record<string, unknown>;

/** The tokens. Every question goes to the database, so that a command beside control takes effect. */
export class Tokens {
  readonly #database: Database;
  readonly #nowMs: () => number;
  readonly #statements: Readonly<Record<"first" | "get" | "use", StatementSync>>;
  #any = false;

  constructor(database: Database, nowMs: () => number) {
    this.#database = database;
    this.#nowMs = nowMs;
    const { sql } = database;
    sql.exec(table);
    this.#statements = {
      first: sql.prepare("SELECT 1 FROM tokens LIMIT 1"),
      get: sql.prepare("SELECT * FROM tokens WHERE id = ?"),
      use: sql.prepare("UPDATE tokens SET last_used_ms = ? WHERE id = ?"),
    };
  }

  /**
   * Whether there ever was a token here. One that has ended counts: an API that a token has closed
   * does not open again by itself.
   */
  get any(): boolean {
    this.#any ||= this.#statements.first.get() !== undefined;
    return this.#any;
  }

  /** All tokens, newest first. */
  list(): readonly Token[] {
    const rows = this.#database.sql
      .prepare("SELECT * FROM tokens ORDER BY rowid DESC").all();
    return rows.map(tokenOf);
  }

  /** Makes a token; the secret is shown this once. */
  create(order: TokenOrder): TokenOutcome {
    const nowMs = this.#nowMs();
    const live = this.list().filter((token) => inForce(token, nowMs));
    if (live.some(({ name }) => name === order.name)) return { kind: "name_taken" };
    if (live.length >= most) return { kind: "full" };
    const { id, text, hash } = makeSecret("dlk");
    const { name, scopes, expiresMs, createdBy } = order;
    this.#database.transaction(() => {
      this.#run(
        `INSERT INTO tokens (id, hash, name, scopes, created_ms, created_by, expires_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
        [id, hash, name, scopes.join(" "), nowMs, createdBy, expiresMs],
      );
      this.#run(
        `DELETE FROM tokens WHERE id IN (
           SELECT id FROM tokens WHERE revoked_ms IS NOT NULL OR expires_ms <= ?
           ORDER BY rowid DESC LIMIT -1 OFFSET ?)`,
        [nowMs, most],
      );
    });
    return { kind: "created", token: this.#get(id)!, secret: text };
  }

  /** Ends a token at once; false when there is none in force with this id. */
  revoke(id: string): boolean {
    const nowMs = this.#nowMs();
    const token = this.#get(id);
    if (token === undefined || !inForce(token, nowMs)) return false;
    this.#run("UPDATE tokens SET revoked_ms = ? WHERE id = ?", [nowMs, id]);
    return true;
  }

  /** Returns the token whose secret this is, when it is in force. */
  find(secret: string): Token | undefined {
    const read = readSecret("dlk", secret);
    if (read === undefined) return undefined;
    const row = this.#statements.get.get(read.id);
    if (row === undefined || !sameHash(row.hash as Uint8Array, read.hash)) return undefined;
    return this.#inForce(tokenOf(row));
  }

  /** Returns a token in force by its id, for who has proved it otherwise. */
  byId(id: string): Token | undefined {
    const token = this.#get(id);
    return token && this.#inForce(token);
  }

  #inForce(token: Token): Token | undefined {
    const nowMs = this.#nowMs();
    if (!inForce(token, nowMs)) return undefined;
    if (nowMs - (token.lastUsedMs ?? 0) > usedEveryMs) {
      this.#statements.use.run(nowMs, token.id);
    }
    return token;
  }

  #get(id: string): Token | undefined {
    const row = this.#statements.get.get(id);
    return row && tokenOf(row);
  }

  #run(sql: string, values: readonly (string | number | null | Uint8Array)[]): void {
    this.#database.sql.prepare(sql).run(...values);
  }
}

function inForce({ revokedMs, expiresMs }: Token, nowMs: number): boolean {
  return revokedMs === null && (expiresMs === null || nowMs < expiresMs);
}

function tokenOf(row: Row): Token {
  const time = (value: unknown) => value === null ? null : Number(value);
  return {
    id: String(row.id),
    name: String(row.name),
    scopes: String(row.scopes).split(" ") as Scope[],
    createdMs: Number(row.created_ms),
    createdBy: String(row.created_by),
    expiresMs: time(row.expires_ms),
    lastUsedMs: time(row.last_used_ms),
    revokedMs: time(row.revoked_ms),
  };
}
