/**
 * The two ways in which a configuration document writes time: durations and time points.
 *
 * @module
 */

const duration =
  /^(-)?P(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,12}(?:\.\d{1,12})?)S)?)?$/;

/**
 * Reads an ISO 8601 duration such as `PT5.005S`, in milliseconds, rounded.
 *
 * A year counts as 365 days and a month as 30, since the document gives no date to count from.
 *
 * @returns `undefined` for anything else, for a negative one, and for one without any part.
 */
export function parseDuration(text: string): number | undefined {
  const match = duration.exec(text);
  if (match === null || match[1] === "-" || /[PT]$/.test(text)) return undefined;
  const [years, months, days, hours, minutes, seconds] = match.slice(2).map((p) => Number(p ?? 0));
  const wholeDays = years * 365 + months * 30 + days;
  return Math.round((((wholeDays * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000);
}

/** Writes a duration of whole milliseconds, at least 0, in seconds: `PT5.005S`. */
export function formatDuration(ms: number): string {
  if (!Number.isSafeInteger(ms) || ms < 0) {
    throw new RangeError(`Cannot write duration: whole milliseconds of at least 0: received ${ms}`);
  }
  const fraction = ms % 1000;
  const point = fraction === 0 ? "" : `.${String(fraction).padStart(3, "0").replace(/0+$/, "")}`;
  return `PT${Math.floor(ms / 1000)}${point}S`;
}

const timePoint =
  /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:(?::(\d{1,9})F(\d{1,9}))|\.(\d{1,9}))?)?)?(Z|[+-]\d\d:\d\d)?$/;

/**
 * Reads an MPEG-7 time point such as `2099-06-26T07:01:50:000F1000`, in milliseconds since the Unix
 * epoch. No zone means UTC. The decimal fraction and the `Z` of ISO 8601, which MPEG-7 does not have,
 * are understood too.
 */
export function parseTimePoint(text: string): number | undefined {
  const match = timePoint.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour = "00", minute = "00", second = "00"] = match;
  const [, , , , , , , counts, perSecond, decimal, zone = "Z"] = match;
  const wholeMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`);
  const fraction = decimal === undefined
    ? Number(counts ?? 0) / Number(perSecond ?? 1)
    : Number(`0.${decimal}`);
  if (Number.isNaN(wholeMs) || !(fraction < 1)) return undefined;
  return wholeMs + Math.floor(fraction * 1000);
}

/** Writes milliseconds since the Unix epoch as an MPEG-7 time point without a zone, which is UTC. */
export function formatTimePoint(ms: number): string {
  const year = new Date(ms).getUTCFullYear();
  if (!Number.isSafeInteger(ms) || !(year >= 1 && year <= 9999)) {
    throw new RangeError(`Cannot write time point: a moment from year 1 to 9999: received ${ms}`);
  }
  const iso = new Date(ms).toISOString();
  const fraction = iso.slice(20, 23);
  return iso.slice(0, 19) + (fraction === "000" ? "" : `:${fraction}F1000`);
}
