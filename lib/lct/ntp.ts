/**
 * NTP seconds of 32 bits, as LCT and FLUTE write times. They wrap on 2036-02-07T06:28:16Z.
 *
 * @module
 */

/** Seconds from the NTP epoch (1900) to the Unix epoch (1970). */
const ntpToUnixSeconds = 2_208_988_800;

/** A wall clock time as NTP writes it. */
export interface NtpTime {
  /** Modulo 2^32. */
  readonly seconds: number;
  /** In units of 2^-32 s. */
  readonly fraction: number;
}

/**
 * Writes a time as NTP does.
 *
 * @param unixMs Milliseconds since the Unix epoch.
 */
export function toNtp(unixMs: number): NtpTime {
  const whole = Math.floor(unixMs / 1000);
  const fraction = Math.floor(((unixMs - whole * 1000) / 1000) * 2 ** 32);
  return { seconds: (whole + ntpToUnixSeconds) % 2 ** 32, fraction };
}

/**
 * Resolves 32-bit NTP seconds to the time nearest to `nearMs`, so within 68 years of it.
 *
 * @returns Milliseconds since the Unix epoch.
 */
export function fromNtp(seconds: number, fraction: number, nearMs: number): number {
  const nearSeconds = Math.floor(nearMs / 1000);
  const ahead = serialDifference(seconds, toNtp(nearMs).seconds);
  return (nearSeconds + ahead) * 1000 + (fraction / 2 ** 32) * 1000;
}

/**
 * `a - b` in serial arithmetic of 32 bits (RFC 1982): positive when `a` is later, across a wrap
 * too.
 */
export function serialDifference(a: number, b: number): number {
  return (a - b) | 0;
}
