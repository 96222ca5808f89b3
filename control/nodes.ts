/**
 * Which nodes there are, and what each has said last.
 *
 * @module
 */

import * as v from "valibot";
import { type NodeRecord, nodeRecordSchema } from "#topology";
import type { Database } from "./database.ts";

/** A node that registered. Times are wall clock in milliseconds since the Unix epoch. */
export interface Member {
  readonly record: NodeRecord;
  readonly appliedSeq: number;
  /** Number of the topology snapshot that it holds; 0 for none. */
  readonly snapshot: number;
  readonly lastSeenMs: number;
}

/** What a heartbeat says. */
export interface Report {
  readonly appliedSeq: number;
  readonly snapshot: number;
}

/** When a node counts as late, and when as gone. */
export interface MembershipOptions {
  readonly lateMs: number;
  readonly expiryMs: number;
  /** Most nodes. */
  readonly most: number;
}

/** What became of a registration; the words are metric labels. */
export type RegisterOutcome = "registered" | "renewed" | "name_taken" | "full";

/** The members. Survives a restart of control; who does not speak up afterwards expires. */
export class Membership {
  readonly #database: Database;
  readonly #options: MembershipOptions;
  readonly #members = new Map<string, Member>();

  /** Takes over who was a member before a restart; each gets the whole expiry time again. */
  constructor(database: Database, options: MembershipOptions, nowMs: number) {
    this.#database = database;
    this.#options = options;
    for (const row of database.sql.prepare("SELECT record FROM nodes ORDER BY id").all()) {
      const parsed = v.safeParse(nodeRecordSchema, JSON.parse(String(row.record)));
      if (!parsed.success) continue;
      const record = parsed.output;
      this.#members.set(record.id, { record, appliedSeq: 0, snapshot: 0, lastSeenMs: nowMs });
    }
  }

  /** All members in order of `id`. */
  list(): readonly Member[] {
    return [...this.#members.values()].sort((a, b) => a.record.id < b.record.id ? -1 : 1);
  }

  get(id: string): Member | undefined {
    return this.#members.get(id);
  }

  /** Whether a node has been silent for longer than it should. */
  isLate({ lastSeenMs }: Member, nowMs: number): boolean {
    return nowMs - lastSeenMs > this.#options.lateMs;
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
    const { appliedSeq, snapshot } = known ?? { appliedSeq: 0, snapshot: 0 };
    this.#members.set(record.id, { record, appliedSeq, snapshot, lastSeenMs: nowMs });
    return known ? "renewed" : "registered";
  }

  /** Notes what a member says of itself; who is no member is not listened to. */
  heartbeat(id: string, report: Report, nowMs: number): void {
    const member = this.#members.get(id);
    if (member) this.#members.set(id, { ...member, ...report, lastSeenMs: nowMs });
  }

  /** Takes a node out; false when it was no member. */
  leave(id: string): boolean {
    if (!this.#members.has(id)) return false;
    this.#database.sql.prepare("DELETE FROM nodes WHERE id = ?").run(id);
    return this.#members.delete(id);
  }

  /** Takes out who has been silent for too long; returns their names. */
  expire(nowMs: number): readonly string[] {
    const silent = this.list().filter((m) => nowMs - m.lastSeenMs > this.#options.expiryMs);
    for (const { record } of silent) this.leave(record.id);
    return silent.map(({ record }) => record.id);
  }

  #keep(record: NodeRecord): void {
    this.#database.sql
      .prepare("INSERT OR REPLACE INTO nodes (id, record) VALUES (?, ?)")
      .run(record.id, JSON.stringify(record));
  }
}
