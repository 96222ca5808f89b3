/**
 * Tells when the health of a node changes: for the log and the counters, since nobody asks just then.
 *
 * @module
 */

import type { HealthReason } from "./health.ts";
import type { Membership } from "./nodes.ts";

/** A change: why a node is not available now, or that it is. */
export interface HealthChange {
  readonly id: string;
  readonly reason: HealthReason | "available";
}

/** Remembers who was unavailable, and why. */
export class HealthWatch {
  #away = new Map<string, HealthReason>();

  /** What has changed since the last look. Who left the topology is not told of. */
  look(membership: Membership, nowMs: number): readonly HealthChange[] {
    const away = new Map<string, HealthReason>();
    for (const { record: { id } } of membership.list()) {
      const reason = membership.view(id, nowMs)?.health.reason;
      if (reason !== undefined) away.set(id, reason);
    }
    const changes: HealthChange[] = [];
    for (const [id, reason] of away) {
      if (this.#away.get(id) !== reason) changes.push({ id, reason });
    }
    for (const id of this.#away.keys()) {
      if (!away.has(id) && membership.get(id)) changes.push({ id, reason: "available" });
    }
    this.#away = away;
    return changes;
  }
}
