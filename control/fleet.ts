/**
 * The set-top boxes: who they are, which purges they have applied, how reception is in each region.
 * They are no part of the topology snapshot, so that ten thousand homes that come and go renumber
 * nothing. What was watched is never asked and never kept.
 *
 * @module
 */

import type { BoxFigures } from "#topology";
import type { Database } from "./database.ts";

/** A box as it registers. */
export interface BoxRecord {
  readonly id: string;
  readonly region: string;
  readonly version: string;
  /** Where it serves players; boxes that a gateway reports for have none. */
  readonly url?: string;
}

/** What a box says of itself. */
export interface BoxReport {
  readonly appliedSeq: number;
  readonly figures?: BoxFigures;
}

/** A box. Times are wall clock in milliseconds since the Unix epoch. */
export interface Box extends BoxRecord {
  readonly appliedSeq: number;
  readonly lastSeenMs: number;
  readonly figures?: BoxFigures;
}

/** Bounds of the fleet. */
export interface FleetOptions {
  readonly most: number;
  /** How often a box is asked to report, in milliseconds. */
  readonly reportMs: number;
  /** Silence after which a box is taken out, in milliseconds. */
  readonly expiryMs: number;
}

/** How the boxes of one region are. */
export interface RegionView {
  readonly id: string;
  readonly boxes: number;
  /** Boxes that missed more than two reports. */
  readonly late: number;
  /** Boxes by version, most first; at most 16 versions. */
  readonly versions: readonly { readonly version: string; readonly boxes: number }[];
  readonly packetsExpected: number;
  readonly packetsLost: number;
  /** Share of multicast packets that never came, since the boxes started. */
  readonly lossRatio: number;
  /** Boxes that lost more than one packet in a hundred since their last report. */
  readonly lossy: number;
  readonly repairRequests: number;
  readonly repairBytes: number;
  readonly bytesByRoad: Readonly<Record<string, number>>;
  /** The lowest purge that a box of the region stands at, and how many have not applied the last. */
  readonly lowestSeq: number;
  readonly behind: number;
}

/** What became of a report; the words are metric labels. */
export type FleetOutcome = "registered" | "renewed" | "name_taken" | "full";

interface Kept extends Box {
  /** Share of packets lost between the last two reports. */
  readonly recentLoss: number;
}

/** Written to disk together, so that a fleet that comes at once costs few transactions. */
const writeDelayMs = 200;
const lossyShare = 0.01;
/** Ten thousand boxes report once a minute, a few every two seconds. */
const msPerBox = 6;
const shortestReportMs = 2000;

/** The fleet. Names and regions survive a restart of control, figures come again by themselves. */
export class Fleet {
  readonly #database: Database;
  readonly #options: FleetOptions;
  readonly #boxes = new Map<string, Kept>();
  readonly #unwritten = new Map<string, BoxRecord | undefined>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Called when the boxes that just came could not be kept on disk. */
  onFault: (error: unknown) => void = () => {};

  constructor(database: Database, options: FleetOptions, nowMs: number) {
    this.#database = database;
    this.#options = options;
    database.sql.exec(
      `CREATE TABLE IF NOT EXISTS boxes (
        id TEXT PRIMARY KEY, region TEXT NOT NULL, version TEXT NOT NULL) STRICT`,
    );
    const rows = database.sql.prepare("SELECT id, region, version FROM boxes LIMIT ?")
      .all(options.most);
    for (const { id, region, version } of rows) {
      const record = { id: String(id), region: String(region), version: String(version) };
      this.#boxes.set(record.id, { ...record, appliedSeq: 0, lastSeenMs: nowMs, recentLoss: 0 });
    }
  }

  /** How many boxes there are. */
  get size(): number {
    return this.#boxes.size;
  }

  /** How often a box is asked to report, in milliseconds: a small fleet may do so more often. */
  get reportMs(): number {
    const { reportMs } = this.#options;
    return Math.min(reportMs, Math.max(shortestReportMs, this.#boxes.size * msPerBox));
  }

  /** All boxes, in no order. */
  boxes(): Iterable<Box> {
    return this.#boxes.values();
  }

  get(id: string): Box | undefined {
    return this.#boxes.get(id);
  }

  /** Whether a box has missed more than two reports. */
  isLate({ lastSeenMs }: Box, nowMs: number): boolean {
    return nowMs - lastSeenMs > 2.5 * this.#options.reportMs;
  }

  /** Takes a report; a box that is not known is registered by it while there is room. */
  report(record: BoxRecord, { appliedSeq, figures }: BoxReport, nowMs: number): FleetOutcome {
    const known = this.#boxes.get(record.id);
    if (known === undefined && this.#boxes.size >= this.#options.most) return "full";
    const { id, region, version, url } = record;
    if (known?.url !== undefined && url !== undefined && known.url !== url) {
      if (!this.isLate(known, nowMs)) return "name_taken";
    }
    const recentLoss = lossBetween(known?.figures, figures) ?? known?.recentLoss ?? 0;
    const kept = { id, region, version, url, appliedSeq, lastSeenMs: nowMs, recentLoss };
    this.#boxes.set(id, { ...kept, figures: figures ?? known?.figures });
    if (known?.region !== region || known.version !== version) {
      this.#write(id, { id, region, version });
    }
    return known === undefined ? "registered" : "renewed";
  }

  /** The wall clock stepped so far: what was heard was heard as long ago as before. */
  shift(stepMs: number): void {
    for (const [id, box] of this.#boxes) {
      this.#boxes.set(id, { ...box, lastSeenMs: box.lastSeenMs + stepMs });
    }
  }

  /** Takes a box out; false when it was none. */
  leave(id: string): boolean {
    if (!this.#boxes.delete(id)) return false;
    this.#write(id, undefined);
    return true;
  }

  /** Takes out boxes that were silent for too long; returns how many. */
  expire(nowMs: number): number {
    let count = 0;
    for (const { id, lastSeenMs } of this.#boxes.values()) {
      if (nowMs - lastSeenMs > this.#options.expiryMs && this.leave(id)) count++;
    }
    return count;
  }

  /** The regions in order of name. */
  regions(lastSeq: number, nowMs: number): readonly RegionView[] {
    const regions = new Map<string, Kept[]>();
    for (const box of this.#boxes.values()) {
      const boxes = regions.get(box.region);
      if (boxes) boxes.push(box);
      else regions.set(box.region, [box]);
    }
    return [...regions].sort(([a], [b]) => a < b ? -1 : 1)
      .map(([id, boxes]) => this.#region(id, boxes, lastSeq, nowMs));
  }

  /** Writes what still waits. */
  close(): void {
    clearTimeout(this.#timer);
    this.#flush();
  }

  #region(id: string, boxes: readonly Kept[], lastSeq: number, nowMs: number): RegionView {
    const versions = new Map<string, number>();
    const bytesByRoad: Record<string, number> = {};
    const sums = { packetsExpected: 0, packetsLost: 0, repairRequests: 0, repairBytes: 0 };
    let late = 0, lossy = 0, behind = 0, lowestSeq = Infinity;
    for (const box of boxes) {
      versions.set(box.version, (versions.get(box.version) ?? 0) + 1);
      if (this.isLate(box, nowMs)) late++;
      if (box.recentLoss > lossyShare) lossy++;
      if (box.appliedSeq < lastSeq) behind++;
      lowestSeq = Math.min(lowestSeq, box.appliedSeq);
      if (box.figures) addTo(sums, bytesByRoad, box.figures);
    }
    const { packetsExpected, packetsLost } = sums;
    return {
      id,
      boxes: boxes.length,
      late,
      versions: [...versions].sort((a, b) => b[1] - a[1]).slice(0, 16)
        .map(([version, boxes]) => ({ version, boxes })),
      ...sums,
      lossRatio: packetsExpected === 0 ? 0 : packetsLost / packetsExpected,
      lossy,
      bytesByRoad,
      lowestSeq,
      behind,
    };
  }

  #write(id: string, record: BoxRecord | undefined): void {
    this.#unwritten.set(id, record);
    this.#timer ??= setTimeout(() => this.#flush(), writeDelayMs);
  }

  #flush(): void {
    this.#timer = undefined;
    if (this.#unwritten.size === 0) return;
    const { sql } = this.#database;
    try {
      this.#database.transaction(() => {
        const put = sql.prepare(
          "INSERT OR REPLACE INTO boxes (id, region, version) VALUES (?, ?, ?)",
        );
        const drop = sql.prepare("DELETE FROM boxes WHERE id = ?");
        for (const [id, record] of this.#unwritten) {
          if (record) put.run(id, record.region, record.version);
          else drop.run(id);
        }
      });
      this.#unwritten.clear();
    } catch (error) {
      // They stay in memory, and are written with the next box that comes or goes.
      this.onFault(error);
    }
  }
}

function addTo(
  sums: {
    packetsExpected: number;
    packetsLost: number;
    repairRequests: number;
    repairBytes: number;
  },
  bytesByRoad: Record<string, number>,
  figures: BoxFigures,
): void {
  sums.packetsExpected += figures.packetsExpected;
  sums.packetsLost += figures.packetsLost;
  sums.repairRequests += figures.repairRequests;
  sums.repairBytes += figures.repairBytes;
  for (const [road, bytes] of Object.entries(figures.bytesByRoad)) {
    if (!(road in bytesByRoad) && Object.keys(bytesByRoad).length >= 16) continue;
    bytesByRoad[road] = (bytesByRoad[road] ?? 0) + bytes;
  }
}

/** Share of packets lost between two reports; `undefined` when they do not follow each other. */
function lossBetween(
  before: BoxFigures | undefined,
  now: BoxFigures | undefined,
): number | undefined {
  if (now === undefined) return undefined;
  const restarted = before === undefined || now.uptimeSeconds < before.uptimeSeconds;
  const expected = now.packetsExpected - (restarted ? 0 : before.packetsExpected);
  const lost = now.packetsLost - (restarted ? 0 : before.packetsLost);
  return expected <= 0 ? undefined : lost / expected;
}
