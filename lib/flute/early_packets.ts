/**
 * Datagrams of files that no FDT has named yet: kept for a while, for the FDT often comes right
 * after (RFC 3926 §5).
 *
 * @module
 */

import type { Toi } from "#lct";

/** Datagrams of one file. */
interface Batch {
  readonly session: object;
  readonly toi: Toi;
  readonly packets: Uint8Array[];
  bytes: number;
  readonly sinceMs: number;
}

/** What one kept datagram costs beside its bytes. */
const overheadBytes = 128;

/** Keeps datagrams of all sessions of a receiver within one bound; the oldest file makes room. */
export class EarlyPackets {
  readonly #maxBytes: number;
  /** By session, then TOI. */
  readonly #sessions = new Map<object, Map<Toi, Batch>>();
  /** All of them, oldest first. */
  readonly #batches = new Set<Batch>();
  #heldBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Keeps a copy of a datagram.
   *
   * @returns False when it is larger than all the room there is.
   */
  keep(session: object, toi: Toi, packet: Uint8Array, nowMs: number): boolean {
    const bytes = packet.length + overheadBytes;
    if (bytes > this.#maxBytes) return false;
    for (const oldest of this.#batches) {
      if (this.#heldBytes + bytes <= this.#maxBytes) break;
      this.#forget(oldest);
    }
    const batch = this.#batchOf(session, toi, nowMs);
    batch.packets.push(packet.slice());
    batch.bytes += bytes;
    this.#heldBytes += bytes;
    return true;
  }

  /** Hands out and forgets the datagrams of one file, in the order they came. */
  take(session: object, toi: Toi): readonly Uint8Array[] {
    const batch = this.#sessions.get(session)?.get(toi);
    if (!batch) return [];
    this.#forget(batch);
    return batch.packets;
  }

  /** Forgets what is older than `sinceMs`. */
  forgetBefore(sinceMs: number): void {
    for (const batch of this.#batches) {
      if (batch.sinceMs >= sinceMs) return;
      this.#forget(batch);
    }
  }

  /** Forgets everything of a session. */
  forgetSession(session: object): void {
    for (const batch of [...this.#sessions.get(session)?.values() ?? []]) this.#forget(batch);
  }

  #batchOf(session: object, toi: Toi, nowMs: number): Batch {
    let files = this.#sessions.get(session);
    if (!files) this.#sessions.set(session, files = new Map());
    let batch = files.get(toi);
    if (!batch) {
      batch = { session, toi, packets: [], bytes: 0, sinceMs: nowMs };
      files.set(toi, batch);
      this.#batches.add(batch);
    }
    return batch;
  }

  #forget(batch: Batch): void {
    const files = this.#sessions.get(batch.session);
    files?.delete(batch.toi);
    if (files?.size === 0) this.#sessions.delete(batch.session);
    this.#batches.delete(batch);
    this.#heldBytes -= batch.bytes;
  }
}
