/**
 * Numbered topology snapshots: what operators declared and which caches and headends are there. A new
 * number only when one of the two is another one.
 *
 * @module
 */

import * as v from "valibot";
import {
  type CacheNode,
  type DeclaredTopology,
  declaredTopologySchema,
  type NodeRecord,
  nothingDeclared,
  parseSnapshot,
  type TopologySnapshot,
} from "#topology";
import type { Database } from "./database.ts";
import { type Change, diff } from "./topology_diff.ts";

/** What a snapshot says beside its number. */
type Content = Omit<TopologySnapshot, "number" | "controlId" | "issuedMs">;

/** How many old snapshots are kept, and how many of those that changed what was declared. */
const keptSnapshots = 100;

/** Furthest that a node's number may pull ours forward in one step. */
const maxSkip = 2 ** 32;

/** One line of the list of snapshots. */
export interface SnapshotEntry {
  readonly number: number;
  /** When it was issued, in milliseconds since the Unix epoch. */
  readonly issuedMs: number;
  /** Whether it was operators who changed it: then it can be rolled back to at any time. */
  readonly declared: boolean;
}

/** What became of an edit. */
export type Edit =
  | { readonly kind: "declared"; readonly number: number; readonly changed: boolean }
  | { readonly kind: "outdated"; readonly number: number }
  | { readonly kind: "unknown"; readonly number: number };

/** Who edits, on top of which number; without one, on top of whatever there is. */
export interface EditOptions {
  readonly nodes: readonly NodeRecord[];
  readonly nowMs: number;
  readonly expected?: number;
}

/** The topology, as declared by operators and as nodes registered. */
export class Snapshots {
  readonly #database: Database;
  #declared: DeclaredTopology;
  #declaredSince: number;
  #current: TopologySnapshot;

  constructor(database: Database, nodes: readonly NodeRecord[], nowMs: number) {
    this.#database = database;
    this.#declared = storedDeclaration(database);
    const row = database.sql
      .prepare("SELECT body FROM snapshots ORDER BY number DESC LIMIT 1").get();
    const stored = row && parseSnapshot(JSON.parse(String(row.body)));
    const number = stored?.number ?? 1;
    this.#current = stored ?? this.#issue(1, contentOf(this.#declared, nodes), nowMs);
    const since = database.sql.prepare("SELECT MAX(number) AS number FROM declarations").get();
    this.#declaredSince = Number(since?.number ?? 0) || number;
    if (!since?.number) this.#markDeclared(number);
    this.update(nodes, nowMs);
  }

  /** The newest snapshot. */
  get current(): TopologySnapshot {
    return this.#current;
  }

  /** What operators declared. */
  get declared(): DeclaredTopology {
    return this.#declared;
  }

  /** The number since which it is what it is. */
  get declaredSince(): number {
    return this.#declaredSince;
  }

  /** Takes over who is there now; returns whether that made a new snapshot. */
  update(nodes: readonly NodeRecord[], nowMs: number): boolean {
    const content = contentOf(this.#declared, nodes);
    if (canonical(content) === canonical(contentIn(this.#current))) return false;
    this.#current = this.#issue(this.#current.number + 1, content, nowMs);
    return true;
  }

  /**
   * Replaces what operators declared, if it is still what it was at `expected`: nodes that came or
   * went since then are in nobody's way.
   */
  declare(declared: DeclaredTopology, { nodes, nowMs, expected }: EditOptions): Edit {
    const { number } = this.#current;
    if (expected !== undefined && (expected < this.#declaredSince || expected > number)) {
      return { kind: "outdated", number: this.#declaredSince };
    }
    if (canonical(declared) === canonical(this.#declared)) {
      return { kind: "declared", number, changed: false };
    }
    const content = contentOf(declared, nodes);
    this.#current = this.#issue(number + 1, content, nowMs, declared);
    this.#declared = declared;
    this.#declaredSince = number + 1;
    return { kind: "declared", number: number + 1, changed: true };
  }

  /** Declares again what was declared at number `to`, under a new number. The nodes stay those of today. */
  rollback(to: number, options: EditOptions): Edit {
    const old = this.get(to);
    if (old === undefined) return { kind: "unknown", number: to };
    return this.declare(declaredIn(old), options);
  }

  /** The snapshot of a number; `undefined` when it is kept no longer, or never was. */
  get(number: number): TopologySnapshot | undefined {
    if (number === this.#current.number) return this.#current;
    const row = this.#database.sql
      .prepare("SELECT body FROM snapshots WHERE number = ?").get(number);
    return row && parseSnapshot(JSON.parse(String(row.body)));
  }

  /** The snapshots that are kept, newest first. */
  list(): readonly SnapshotEntry[] {
    const rows = this.#database.sql.prepare(
      `SELECT s.number, s.body ->> 'issuedMs' AS issued_ms, d.number IS NOT NULL AS declared
         FROM snapshots s LEFT JOIN declarations d ON d.number = s.number
         ORDER BY s.number DESC`,
    ).all();
    return rows.map(({ number, issued_ms, declared }) => ({
      number: Number(number),
      issuedMs: Number(issued_ms),
      declared: declared === 1,
    }));
  }

  /** What changed from one number to another; `undefined` when one of them is not kept. */
  diff(from: number, to: number): readonly Change[] | undefined {
    const [before, after] = [this.get(from), this.get(to)];
    return before && after && diff(contentIn(before), contentIn(after));
  }

  /**
   * Goes above a number that a node holds: this control was restored from an old copy, and no number
   * may mean two topologies. Returns whether that made a new snapshot.
   */
  raiseAbove(number: number, nowMs: number): boolean {
    if (number <= this.#current.number || number > this.#current.number + maxSkip) return false;
    this.#current = this.#issue(number + 1, contentIn(this.#current), nowMs);
    return true;
  }

  #issue(
    number: number,
    content: Content,
    issuedMs: number,
    declared?: DeclaredTopology,
  ): TopologySnapshot {
    const snapshot = { ...content, number, controlId: this.#database.controlId, issuedMs };
    this.#database.transaction(() => {
      this.#database.sql.prepare("INSERT INTO snapshots (number, body) VALUES (?, ?)")
        .run(number, JSON.stringify(snapshot));
      if (declared !== undefined) {
        this.#database.setMeta("declared_topology", JSON.stringify(declared));
        this.#markDeclared(number);
      }
      this.#trim(number);
    });
    return snapshot;
  }

  #markDeclared(number: number): void {
    this.#database.sql.prepare("INSERT OR IGNORE INTO declarations (number) VALUES (?)")
      .run(number);
  }

  /** The newest ones stay, and the newest that operators made. */
  #trim(number: number): void {
    const { sql } = this.#database;
    sql.prepare(
      `DELETE FROM declarations WHERE number NOT IN
        (SELECT number FROM declarations ORDER BY number DESC LIMIT ?)`,
    ).run(keptSnapshots);
    sql.prepare(
      `DELETE FROM snapshots
         WHERE number <= ? AND number NOT IN (SELECT number FROM declarations)`,
    ).run(number - keptSnapshots);
  }
}

/** What is stored as declared; parts that an older control did not know are empty. */
function storedDeclaration(database: Database): DeclaredTopology {
  const stored = database.meta("declared_topology");
  if (stored === undefined) return nothingDeclared;
  const parsed = v.safeParse(declaredTopologySchema, JSON.parse(stored));
  if (parsed.success) return parsed.output;
  throw new Error(`need a declared topology of this version: received ${stored.slice(0, 80)}`);
}

function contentIn({ number: _n, controlId: _id, issuedMs: _ms, ...content }: TopologySnapshot) {
  return content;
}

function declaredIn(snapshot: TopologySnapshot): DeclaredTopology {
  const { shields: _s, edges: _e, headends: _h, ...declared } = contentIn(snapshot);
  return declared;
}

function contentOf(declared: DeclaredTopology, nodes: readonly NodeRecord[]): Content {
  const inOrder = [...nodes].sort((a, b) => a.id < b.id ? -1 : 1);
  const of = (role: string) => inOrder.filter((node) => node.role === role);
  return {
    ...declared,
    shields: of("shield").map(cacheOf),
    edges: of("edge").map(cacheOf),
    headends: of("headend").map(({ id, url }) => ({ id, url })),
  };
}

function cacheOf({ id, url, cacheGroup, weight = 1 }: NodeRecord): CacheNode {
  return cacheGroup === undefined ? { id, url, weight } : { id, url, cacheGroup, weight };
}

/** One text for equal contents, whatever the order of their properties. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner) => {
    if (inner === null || typeof inner !== "object" || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => a < b ? -1 : 1));
  });
}
