/**
 * Numbered topology snapshots: a new number only when the topology is another one.
 *
 * @module
 */

import {
  type CacheNode,
  type DeclaredTopology,
  type NodeRecord,
  parseSnapshot,
  type TopologySnapshot,
} from "#topology";
import type { Database } from "./database.ts";

/** What a snapshot says beside its number. */
type Content = Omit<TopologySnapshot, "number" | "controlId" | "issuedMs">;

/** How many old snapshots are kept for people to compare. */
const keptSnapshots = 100;

/** Furthest that a node's number may pull ours forward in one step. */
const maxSkip = 2 ** 32;

/** Nothing declared. */
const nothingDeclared: DeclaredTopology = { sites: [], cacheGroups: [] };

/** The topology, as declared by operators and as nodes registered. */
export class Snapshots {
  readonly #database: Database;
  #declared: DeclaredTopology;
  #current: TopologySnapshot;

  constructor(database: Database, nodes: readonly NodeRecord[], nowMs: number) {
    this.#database = database;
    const declared = database.meta("declared_topology");
    this.#declared = declared === undefined ? nothingDeclared : JSON.parse(declared);
    const row = database.sql
      .prepare("SELECT body FROM snapshots ORDER BY number DESC LIMIT 1").get();
    const stored = row && parseSnapshot(JSON.parse(String(row.body)));
    this.#current = stored ?? this.#issue(1, contentOf(this.#declared, nodes), nowMs);
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

  /** Takes over who is there now; returns whether that made a new snapshot. */
  update(nodes: readonly NodeRecord[], nowMs: number): boolean {
    const content = contentOf(this.#declared, nodes);
    const { number, controlId: _id, issuedMs: _ms, ...held } = this.#current;
    if (canonical(content) === canonical(held)) return false;
    this.#current = this.#issue(number + 1, content, nowMs);
    return true;
  }

  /** Replaces what operators declared; returns whether that made a new snapshot. */
  declare(declared: DeclaredTopology, nodes: readonly NodeRecord[], nowMs: number): boolean {
    this.#database.setMeta("declared_topology", JSON.stringify(declared));
    this.#declared = declared;
    return this.update(nodes, nowMs);
  }

  /**
   * Goes above a number that a node holds: this control was restored from an old copy, and no number
   * may mean two topologies. Returns whether that made a new snapshot.
   */
  raiseAbove(number: number, nowMs: number): boolean {
    if (number <= this.#current.number || number > this.#current.number + maxSkip) return false;
    const { number: _number, controlId: _id, issuedMs: _ms, ...content } = this.#current;
    this.#current = this.#issue(number + 1, content, nowMs);
    return true;
  }

  #issue(number: number, content: Content, issuedMs: number): TopologySnapshot {
    const snapshot = { ...content, number, controlId: this.#database.controlId, issuedMs };
    this.#database.transaction(() => {
      this.#database.sql.prepare("INSERT INTO snapshots (number, body) VALUES (?, ?)")
        .run(number, JSON.stringify(snapshot));
      this.#database.sql.prepare("DELETE FROM snapshots WHERE number <= ?")
        .run(number - keptSnapshots);
    });
    return snapshot;
  }
}

function contentOf(declared: DeclaredTopology, nodes: readonly NodeRecord[]): Content {
  const inOrder = [...nodes].sort((a, b) => a.id < b.id ? -1 : 1);
  const of = (role: string) => inOrder.filter((node) => node.role === role);
  const regions = new Map<string, { id: string; url: string }[]>();
  for (const { id, url, region = "default" } of of("stb")) {
    regions.set(region, [...regions.get(region) ?? [], { id, url }]);
  }
  return {
    ...declared,
    shields: of("shield").map(cacheOf),
    edges: of("edge").map(cacheOf),
    headends: of("headend").map(({ id, url }) => ({ id, url })),
    stbRegions: [...regions].map(([id, stbs]) => ({ id, stbs }))
      .sort((a, b) => a.id < b.id ? -1 : 1),
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
