/**
 * Objects that an FDT announced and of which not one packet came: the receiver has nothing to end,
 * yet there is something to repair. Pure.
 *
 * @module
 */

import type { FdtFile } from "#flute";

/** An announced object. */
interface Announced<Where> {
  readonly file: FdtFile;
  readonly where: Where;
  readonly namedMs: number;
  /** When an object that was announced later began to arrive. */
  laterMs: number | undefined;
}

/** One channel's announcements. */
interface Announcements<Where> {
  /** TOIs named so far, oldest first. */
  readonly known: Set<FdtFile["toi"]>;
  readonly waiting: Map<FdtFile["toi"], Announced<Where>>;
}

/** Time for reordered packets after a later object began, in milliseconds. */
const laterMs = 500;
/** Time for the first packet after the announcement, in milliseconds. */
const silentMs = 3000;
const maxKnown = 4096;

/** Watches the announcements of channels; `Where` is what the caller wants back with a file. */
export class MissingObjects<Where> {
  readonly #channels = new Map<string, Announcements<Where>>();

  /**
   * Notes what an FDT instance names. The first one of a channel names what was sent before we came:
   * nothing of it is waited for.
   */
  named(channel: string, files: readonly FdtFile[], where: Where, nowMs: number): void {
    let seen = this.#channels.get(channel);
    const first = seen === undefined;
    if (seen === undefined) {
      this.#channels.set(channel, seen = { known: new Set(), waiting: new Map() });
    }
    for (const file of files) {
      if (seen.known.has(file.toi)) continue;
      seen.known.add(file.toi);
      if (!first) seen.waiting.set(file.toi, { file, where, namedMs: nowMs, laterMs: undefined });
    }
    for (const oldest of seen.known) {
      if (seen.known.size <= maxKnown) break;
      seen.known.delete(oldest);
      seen.waiting.delete(oldest);
    }
  }

  /** Notes that an object began to arrive. */
  started(channel: string, file: FdtFile, nowMs: number): void {
    const seen = this.#channels.get(channel);
    if (seen === undefined) return;
    seen.waiting.delete(file.toi);
    const order = [...seen.known];
    const at = order.indexOf(file.toi);
    for (const [toi, announced] of seen.waiting) {
      if (order.indexOf(toi) < at) announced.laterMs ??= nowMs;
    }
  }

  /** Returns, once, what should have come by now. */
  due(nowMs: number): { readonly file: FdtFile; readonly where: Where }[] {
    const due: { file: FdtFile; where: Where }[] = [];
    for (const { waiting } of this.#channels.values()) {
      for (const [toi, { file, where, namedMs, laterMs: passedMs }] of waiting) {
        const passed = passedMs !== undefined && nowMs - passedMs >= laterMs;
        if (!passed && nowMs - namedMs < silentMs) continue;
        waiting.delete(toi);
        due.push({ file, where });
      }
    }
    return due;
  }

  /** Forgets a channel that is no longer received. */
  forget(channel: string): void {
    this.#channels.delete(channel);
  }
}
