/**
 * Which caches and headends there are, what each has said last, and whether traffic should go to it.
 *
 * @module
 */

import * as v from "valibot";
import { type NodeFigures, type NodeRecord, nodeRecordSchema } from "#topology";
import type { Database } from "./database.ts";
import {
  type AdminStatus,
  adminStatuses,
  type Health,
  judgeTier,
  NodeHealth,
  type Rates,
} from "./health.ts";

/** A node that registered. Times are wall clock in milliseconds since the Unix epoch. */
export interface Member {
  readonly record: NodeRecord;
  readonly appliedSeq: number;
  /** Number of the topology snapshot that it holds; 0 for none. */
  readonly snapshot: number;
  readonly registeredMs: number;
  readonly lastSeenMs: number;
}

/** What a heartbeat says. */
export interface Report {
  readonly appliedSeq: number;
  readonly snapshot: number;
  readonly figures?: NodeFigures;
}

/** When a node counts as late, as gone, and as unwell. */
export interface MembershipOptions {
  readonly lateMs: number;
  readonly expiryMs: number;
  /** Most nodes. */
  readonly most: number;
  /** How often nodes are asked to report, in milliseconds; 2000 by default. */
  readonly reportMs?: number;
  /** Share of answers with 5xx above which a node is unwell; never by default. */
  readonly errorRatio?: number;
  /** Share of a processor above which a node is unwell; never by default. */
  readonly load?: number;
  /** How long it must be well again, in milliseconds. */
  readonly recoverMs?: number;
}

/** What an operator said of a node. */
export interface NodeStatus {
  readonly status: AdminStatus;
  /** In the operator's words. */
  readonly statusReason: string;
}

/** What became of a registration; the words are metric labels. */
export type RegisterOutcome = "registered" | "renewed" | "name_taken" | "full";

/** A node with all that is known of it. */
export interface MemberView extends Member, NodeStatus {
  readonly health: Health;
  readonly figures: NodeFigures | undefined;
  readonly rates: Rates | undefined;
}

/** How long a judgement holds when nothing is heard, in milliseconds. */
const judgedMs = 250;

const reported: NodeStatus = { status: "REPORTED", statusReason: "" };

/** The members. Survives a restart of control; who does not speak up afterwards expires. */
export class Membership {
  readonly #database: Database;
  readonly #options: MembershipOptions;
  readonly #members = new Map<string, Member>();
  readonly #healths = new Map<string, NodeHealth>();
  readonly #statuses = new Map<string, NodeStatus>();
  /** What was judged of each tier, for a moment: every heartbeat and every routed client asks. */
  readonly #judged = new Map<NodeRecord["role"], { atMs: number; healths: Map<string, Health> }>();

  /** Takes over who was a member before a restart; each gets the whole expiry time again. */
  constructor(database: Database, options: MembershipOptions, nowMs: number) {
    this.#database = database;
    this.#options = options;
    for (const row of database.sql.prepare("SELECT id, status, reason FROM node_status").all()) {
      const status = adminStatuses.find((status) => status === row.status) ?? "REPORTED";
      this.#statuses.set(String(row.id), { status, statusReason: String(row.reason) });
    }
    for (const row of database.sql.prepare("SELECT record FROM nodes ORDER BY id").all()) {
      const parsed = v.safeParse(nodeRecordSchema, JSON.parse(String(row.record)));
      // Set-top boxes are the fleet's: an older control kept them here.
      if (!parsed.success || parsed.output.role === "stb") continue;
      this.#join(parsed.output, nowMs);
    }
  }

  /** How often nodes are asked to report, in milliseconds. */
  get reportMs(): number {
    return this.#options.reportMs ?? 2000;
  }

  /** All members in order of `id`. */
  list(): readonly Member[] {
    return [...this.#members.values()].sort((a, b) => a.record.id < b.record.id ? -1 : 1);
  }

  /** The records of those that belong in the topology. */
  inTopology(): readonly NodeRecord[] {
    return this.list().map(({ record }) => record)
      .filter(({ id }) => this.status(id).status !== "OFFLINE");
  }

  get(id: string): Member | undefined {
    return this.#members.get(id);
  }

  /** A member with all that is known of it. */
  view(id: string, nowMs: number): MemberView | undefined {
    const member = this.#members.get(id);
    const watch = this.#healths.get(id);
    if (member === undefined || watch === undefined) return undefined;
    return {
      ...member,
      ...this.status(id),
      health: this.#tier(member.record.role, nowMs).get(id) ?? { available: true },
      figures: watch.figures,
      rates: watch.rates(),
    };
  }

  /** What an operator said of a node, which may not have registered yet. */
  status(id: string): NodeStatus {
    return this.#statuses.get(id) ?? reported;
  }

  /** Notes what an operator says of a node; it outlives the node's registration. */
  setStatus(id: string, { status, statusReason }: NodeStatus, nowMs: number): void {
    const { sql } = this.#database;
    this.#judged.clear();
    if (status === "REPORTED") {
      sql.prepare("DELETE FROM node_status WHERE id = ?").run(id);
      this.#statuses.delete(id);
      return;
    }
    sql.prepare(
      "INSERT OR REPLACE INTO node_status (id, status, reason, since_ms) VALUES (?, ?, ?, ?)",
    ).run(id, status, statusReason, nowMs);
    this.#statuses.set(id, { status, statusReason });
  }

  /** Whether a node has been silent for longer than it should. */
  isLate({ lastSeenMs }: Member, nowMs: number): boolean {
    return nowMs - lastSeenMs > this.#options.lateMs;
  }

  /** Names of members that traffic should not go to, in order, at most 1024. */
  unavailable(role: NodeRecord["role"], nowMs: number): readonly string[] {
    const ids: string[] = [];
    for (const [id, { available }] of this.#tier(role, nowMs)) if (!available) ids.push(id);
    return ids.sort().slice(0, 1024);
  }

  /**
   * Adds a node or renews it. A name belongs to one URL as long as that node speaks: two nodes under
   * one name could answer for each other's purges.
   */
  register(record: NodeRecord, nowMs: number): RegisterOutcome {
    const known = this.#members.get(record.id);
    if (known && known.record.url !== record.url && !this.isLate(known, nowMs)) {
      return "name_taken";
    }
    if (!known && this.#members.size >= this.#options.most) return "full";
    if (!known || JSON.stringify(known.record) !== JSON.stringify(record)) this.#keep(record);
    if (!known) this.#join(record, nowMs);
    else this.#members.set(record.id, { ...known, record, lastSeenMs: nowMs });
    if (this.#healths.get(record.id)?.heard(undefined, nowMs)) this.#judged.clear();
    return known ? "renewed" : "registered";
  }

  /** Notes what a member says of itself; who is no member is not listened to. */
  heartbeat(id: string, { appliedSeq, snapshot, figures }: Report, nowMs: number): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    this.#members.set(id, { ...member, appliedSeq, snapshot, lastSeenMs: nowMs });
    if (this.#healths.get(id)?.heard(figures, nowMs)) this.#judged.clear();
  }

  /** The wall clock stepped so far: what was heard was heard as long ago as before. */
  shift(stepMs: number): void {
    for (const [id, member] of this.#members) {
      const { registeredMs, lastSeenMs } = member;
      const moved = { registeredMs: registeredMs + stepMs, lastSeenMs: lastSeenMs + stepMs };
      this.#members.set(id, { ...member, ...moved });
      this.#healths.get(id)?.shift(stepMs);
    }
    this.#judged.clear();
  }

  /** Takes a node out; false when it was no member. */
  leave(id: string): boolean {
    if (!this.#members.has(id)) return false;
    this.#database.sql.prepare("DELETE FROM nodes WHERE id = ?").run(id);
    this.#healths.delete(id);
    this.#judged.clear();
    return this.#members.delete(id);
  }

  /** Takes out who has been silent for too long; returns their names. */
  expire(nowMs: number): readonly string[] {
    const silent = this.list().filter((m) => nowMs - m.lastSeenMs > this.#options.expiryMs);
    for (const { record } of silent) this.leave(record.id);
    return silent.map(({ record }) => record.id);
  }

  #join(record: NodeRecord, nowMs: number): void {
    const { lateMs, errorRatio = Infinity, load = Infinity, recoverMs = 0 } = this.#options;
    const member = { record, appliedSeq: 0, snapshot: 0, registeredMs: nowMs, lastSeenMs: nowMs };
    this.#members.set(record.id, member);
    const limits = { lateMs, errorRatio, load, recoverMs };
    this.#healths.set(record.id, new NodeHealth(limits, nowMs));
    this.#judged.clear();
  }

  #tier(role: NodeRecord["role"], nowMs: number): ReadonlyMap<string, Health> {
    const last = this.#judged.get(role);
    const ageMs = nowMs - (last?.atMs ?? 0);
    if (last !== undefined && ageMs >= 0 && ageMs < judgedMs) return last.healths;
    const nodes = [...this.#healths].flatMap(([id, watch]) => {
      const is = this.#members.get(id)?.record.role;
      return is === role ? [{ id, status: this.status(id).status, watch }] : [];
    });
    const healths = judgeTier(nodes, nowMs);
    this.#judged.set(role, { atMs: nowMs, healths });
    return healths;
  }

  #keep(record: NodeRecord): void {
    this.#database.sql
      .prepare("INSERT OR REPLACE INTO nodes (id, record) VALUES (?, ?)")
      .run(record.id, JSON.stringify(record));
  }
}
