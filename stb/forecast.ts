/**
 * Whether an object that a player asks for is about to arrive by satellite, so that waiting a moment
 * costs less than the internet. Pure: the caller brings the clock and waits.
 *
 * Segments are numbered: `/one/seg-7.ts` and `/one/seg-8.ts` are one family. Who asks for the number
 * after the highest seen asks for what is on its way (ETSI TS 103 769 clause 8.3, "next in sequence").
 *
 * @module
 */

/** How patient the forecast is, in milliseconds. */
export interface ForecastLimits {
  /** Longest wait it ever recommends. */
  readonly maxWaitMs: number;
  /** Wait for an object that was announced but of which nothing came yet. */
  readonly announcedWaitMs: number;
  /** Time between two numbers while only one was seen. */
  readonly firstIntervalMs: number;
  /** Families remembered; the one silent for longest makes room. */
  readonly maxFamilies: number;
}

/** Patience of a home: about two segments of usual length. */
export const defaultForecastLimits: ForecastLimits = {
  maxWaitMs: 4000,
  announcedWaitMs: 1500,
  firstIntervalMs: 2000,
  maxFamilies: 1024,
};

/** Numbers this far ahead of the highest seen are worth waiting for. */
const maxAhead = 2;

interface Family {
  highest: number;
  /** When the highest was first seen. */
  seenMs: number;
  /** Smoothed time between two numbers. */
  intervalMs: number;
  /** The highest is here, or will never be. */
  over: boolean;
}

/**
 * Splits a key at the last number of its file name, the extension aside (`.mp4` is no number);
 * `undefined` when it has none.
 */
export function familyOf(key: string): { family: string; number: number } | undefined {
  const [, path] = /^([^?]*)/.exec(key) ?? [];
  const [, folder, stem, extension] = /^(.*\/)([^/]*?)(\.[A-Za-z][^./]*)?$/s.exec(path) ?? [];
  const [, before, digits, after] = /^(.*\D)?(\d{1,15})(\D*)$/s.exec(stem ?? "") ?? [];
  if (digits === undefined) return undefined;
  const family = `${folder}${before ?? ""}#${after}${extension ?? ""}`;
  return { family, number: Number(digits) };
}

/** Learns the rhythm of each family of numbered objects. */
export class Forecast {
  readonly #limits: ForecastLimits;
  /** In the order last seen, so that the first is the one to forget. */
  readonly #families = new Map<string, Family>();

  constructor(limits: Partial<ForecastLimits> = {}) {
    this.#limits = { ...defaultForecastLimits, ...limits };
  }

  /** Notes that an object was announced, or began to arrive, by satellite. */
  seen(key: string, nowMs: number): void {
    const name = familyOf(key);
    if (name === undefined) return;
    const known = this.#families.get(name.family);
    if (known !== undefined && name.number <= known.highest) return;
    const intervalMs = known === undefined
      ? this.#limits.firstIntervalMs
      : smooth(known, (nowMs - known.seenMs) / (name.number - known.highest));
    this.#families.delete(name.family);
    this.#families.set(name.family, {
      highest: name.number,
      seenMs: nowMs,
      intervalMs,
      over: false,
    });
    if (this.#families.size > this.#limits.maxFamilies) {
      for (const oldest of this.#families.keys()) {
        this.#families.delete(oldest);
        break;
      }
    }
  }

  /** Notes that an object is here, or was given up: nobody need wait for it any more. */
  over(key: string): void {
    const name = familyOf(key);
    const family = name && this.#families.get(name.family);
    if (family !== undefined && family.highest === name?.number) family.over = true;
  }

  /**
   * How long the first byte of an object that is not here is worth waiting for, in milliseconds.
   *
   * @returns 0 when it will not come by satellite soon: a number that has passed, one far ahead, or
   *   a family that fell silent.
   */
  waitMs(key: string, nowMs: number): number {
    const name = familyOf(key);
    const family = name && this.#families.get(name.family);
    if (name === undefined || family === undefined) return 0;
    const { maxWaitMs, announcedWaitMs } = this.#limits;
    const ahead = name.number - family.highest;
    if (ahead < 0 || ahead > maxAhead) return 0;
    const silenceMs = Math.max(0, nowMs - family.seenMs);
    if (ahead === 0) return family.over ? 0 : Math.max(0, announcedWaitMs - silenceMs);
    const dueMs = ahead * family.intervalMs - silenceMs;
    const lateMs = family.intervalMs / 2 + announcedWaitMs;
    if (dueMs + lateMs <= 0) return 0;
    return Math.min(maxWaitMs, dueMs + lateMs);
  }
}

/** Moves a quarter of the way to the newest interval, which may not be absurd. */
function smooth(known: Family, intervalMs: number): number {
  const sane = Math.min(Math.max(intervalMs, 50), 30_000);
  return known.intervalMs + (sane - known.intervalMs) / 4;
}
