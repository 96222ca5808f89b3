/**
 * How often each file of a carousel comes round. Receivers tune in at any time and wait for the next
 * pass, half a period on average; the mean over all of them is least when the period goes with the square
 * root of size over popularity (the square-root rule of broadcast scheduling: Ammar and Wong 1985, Vaidya
 * and Hameed 1999). Pure.
 *
 * @module
 */

/** A file as the rule sees it. */
export interface RuledFile {
  /** What one pass takes on the wire, headers and repair symbols included. */
  readonly wireBytes: number;
  /** How often it is asked for, relative to the others; 0 means never. */
  readonly popularity: number;
  /** The longest time from the start of one pass to the start of the next. */
  readonly acquisitionMs: number;
}

/** What the rule gives a file. */
export interface Period {
  /** From the start of one pass to the start of the next. */
  readonly periodMs: number;
  /** One pass at the full rate of the carousel. */
  readonly passMs: number;
  /** Share of the carousel's rate, 0 to 1. */
  readonly share: number;
  /** From tuning in to the last packet, on average. */
  readonly meanWaitMs: number;
}

/** The plan of a carousel. */
export interface CarouselPlan {
  /** Of each file, in the order given. */
  readonly periods: readonly Period[];
  /** The rate that it takes to keep every acquisition time. */
  readonly neededBitsPerSecond: number;
  /** Whether that is within the rate. When it is not, periods are longer than they should be. */
  readonly fits: boolean;
  /** Over all who ask, by popularity. */
  readonly meanWaitMs: number;
}

/**
 * Returns the periods that make the mean wait least, while no file waits longer than it may.
 *
 * @param bitsPerSecond What is left for the carousel, above 0.
 */
export function planCarousel(files: readonly RuledFile[], bitsPerSecond: number): CarouselPlan {
  const passes = files.map(({ wireBytes }) => wireBytes * 8000 / bitsPerSecond);
  const load = sum(files.map(({ acquisitionMs }, at) => passes[at] / acquisitionMs));
  const periods = load > 1
    ? files.map(({ acquisitionMs }) => acquisitionMs * load)
    : leastPeriods(files, passes);
  const total = sum(files.map(({ popularity }) => popularity)) || 1;
  const rows = periods.map((periodMs, at): Period => {
    const passMs = passes[at];
    return { periodMs, passMs, share: passMs / periodMs, meanWaitMs: periodMs / 2 + passMs };
  });
  return {
    periods: rows,
    neededBitsPerSecond: load * bitsPerSecond,
    fits: load <= 1,
    meanWaitMs: sum(rows.map(({ meanWaitMs }, at) => meanWaitMs * files[at].popularity)) / total,
  };
}

/**
 * The mean wait that no schedule goes below, without limits on single files: to the start of a pass
 * `(sum of sqrt(popularity * pass))^2 / 2`, and then the pass.
 */
export function leastMeanWaitMs(files: readonly RuledFile[], bitsPerSecond: number): number {
  const total = sum(files.map(({ popularity }) => popularity)) || 1;
  const passes = files.map(({ wireBytes }) => wireBytes * 8000 / bitsPerSecond);
  const roots = sum(passes.map((passMs, at) => Math.sqrt(files[at].popularity / total * passMs)));
  const whole = sum(passes.map((passMs, at) => files[at].popularity / total * passMs));
  return roots ** 2 / 2 + whole;
}

/** Periods by the rule; files that would wait too long get their longest, the others share the rest. */
function leastPeriods(files: readonly RuledFile[], passes: readonly number[]): number[] {
  const atLimit = new Set<number>();
  for (;;) {
    let left = 1;
    let roots = 0;
    for (const [at, { popularity, acquisitionMs }] of files.entries()) {
      if (atLimit.has(at)) left -= passes[at] / acquisitionMs;
      else roots += Math.sqrt(popularity * passes[at]);
    }
    const periods = files.map(({ popularity, acquisitionMs }, at) => {
      if (atLimit.has(at)) return acquisitionMs;
      return roots / left * Math.sqrt(passes[at] / popularity);
    });
    const limited = atLimit.size;
    for (const [at, periodMs] of periods.entries()) {
      if (!(periodMs <= files[at].acquisitionMs)) atLimit.add(at);
    }
    if (atLimit.size === limited) return periods;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
