/**
 * HTTP dates (RFC 9110 §5.6.7), read strictly: what is not one of the three forms is no date.
 *
 * @module
 */

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

const day = days.join("|");
const longDay = "Sunday|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday";
const month = `(?<month>${months.join("|")})`;
const time = "(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)";

const forms = [
  new RegExp(`^(?:${day}), (?<date>\\d\\d) ${month} (?<year>\\d{4}) ${time} GMT$`),
  new RegExp(`^(?:${longDay}), (?<date>\\d\\d)-${month}-(?<year>\\d\\d) ${time} GMT$`),
  new RegExp(`^(?:${day}) ${month} (?<date>\\d\\d| \\d) ${time} (?<year>\\d{4})$`),
];

/**
 * Reads an HTTP date: IMF-fixdate, or the obsolete RFC 850 and asctime forms that recipients must
 * accept. Names are case-sensitive. The day name is not checked against the date.
 *
 * @param nowMs Only decides the century of an RFC 850 date: one that would lie more than 50 years
 * ahead of it lies in the past.
 * @returns Milliseconds since the Unix epoch, or `undefined` when it is no HTTP date.
 */
export function parseHttpDate(text: string, nowMs: number = Date.now()): number | undefined {
  for (const form of forms) {
    const parts = form.exec(text)?.groups;
    if (parts) return toMs(parts, nowMs);
  }
  return undefined;
}

function toMs(parts: Record<string, string>, nowMs: number): number | undefined {
  const date = Number(parts.date);
  const hour = Number(parts.hour);
  const minute = Number(parts.minute);
  const second = Number(parts.second);
  if (hour > 23 || minute > 59 || second > 60) return undefined; // 60: a leap second
  const year = parts.year.length === 2
    ? fullYear(Number(parts.year), new Date(nowMs).getUTCFullYear())
    : Number(parts.year);
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, months.indexOf(parts.month), date);
  if (midnight.getUTCDate() !== date) return undefined; // 31 Apr, 0 Jan
  return midnight.getTime() + ((hour * 60 + minute) * 60 + second) * 1000;
}

function fullYear(twoDigits: number, yearNow: number): number {
  const year = Math.floor(yearNow / 100) * 100 + 100 + twoDigits;
  return year > yearNow + 50 ? (year - 100 > yearNow + 50 ? year - 200 : year - 100) : year;
}

/**
 * Writes an IMF-fixdate, for example `Sun, 06 Nov 1994 08:49:37 GMT`.
 *
 * @param ms Milliseconds since the Unix epoch; the part below a second is dropped.
 * @throws {RangeError} When the year does not have four digits.
 */
export function formatHttpDate(ms: number): string {
  const year = new Date(ms).getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) {
    throw new RangeError(`Cannot format HTTP date: need a year from 0 to 9999: received ${ms} ms`);
  }
  return new Date(ms).toUTCString();
}
