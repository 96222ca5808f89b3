/**
 * The sessions that a receiver knows, by source and TSI, bounded in number.
 *
 * @module
 */

import { Session, type SessionBounds } from "./session.ts";

/** What bounds the table and each session in it. */
export interface SessionLimits extends SessionBounds {
  readonly maxSessions: number;
}

/** A session that had an FDT and spoke this recently does not make room for a new one. */
const busySessionMs = 2000;

/** Sessions by source and TSI. */
export class SessionTable {
  readonly #limits: SessionLimits;
  readonly #sessions = new Map<string, Map<number, Session>>();
  #count = 0;
  /** Most packets are of the session of the packet before. */
  #last: Session | undefined;

  constructor(limits: SessionLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#count;
  }

  find(source: string, tsi: number): Session | undefined {
    if (this.#last?.tsi === tsi && this.#last.source === source) return this.#last;
    const known = this.#sessions.get(source)?.get(tsi);
    if (known) this.#last = known;
    return known;
  }

  /** Opens a session that is not there; the caller has made room. */
  open(origin: { readonly source: string; readonly tsi: number; readonly nowMs: number }): Session {
    const session = new Session(origin, this.#limits);
    let ofSource = this.#sessions.get(origin.source);
    if (!ofSource) this.#sessions.set(origin.source, ofSource = new Map());
    ofSource.set(origin.tsi, session);
    this.#count++;
    return session;
  }

  remove(session: Session): void {
    const ofSource = this.#sessions.get(session.source);
    if (!ofSource?.delete(session.tsi)) return;
    if (ofSource.size === 0) this.#sessions.delete(session.source);
    this.#count--;
    if (this.#last === session) this.#last = undefined;
  }

  *all(): Generator<Session> {
    for (const ofSource of this.#sessions.values()) yield* ofSource.values();
  }

  /**
   * Which session has to end before another one can be opened: the idlest of those that never had
   * an FDT, else the idlest of all, unless that is busy. `undefined` when there is room.
   */
  inTheWay(nowMs: number): Session | "all_busy" | undefined {
    if (this.#count < this.#limits.maxSessions) return undefined;
    let idlest: Session | undefined;
    for (const session of this.all()) {
      if (!idlest || endsBefore(session, idlest)) idlest = session;
    }
    const busy = !idlest || (idlest.proven && nowMs - idlest.lastPacketMs < busySessionMs);
    return busy ? "all_busy" : idlest;
  }
}

/** Strangers' sessions first, and of like ones the idler. */
function endsBefore(a: Session, b: Session): boolean {
  return a.proven === b.proven ? a.lastPacketMs < b.lastPacketMs : b.proven;
}
