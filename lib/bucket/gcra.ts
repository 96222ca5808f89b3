/**
 * The Generic Cell Rate Algorithm in its form of a continuous-state leaky bucket (ITU-T I.371, Annex
 * A): a level that drains steadily and grows by one increment for each token. Pure, and exact in whole
 * numbers: a token is as many units as the window has microseconds, and a microsecond drains as many
 * units as the quota has tokens.
 *
 * @module
 */

/** What a bucket allows, as people say it. */
export interface Rate {
  /** Tokens in each window, 1 or more. */
  readonly quota: number;
  /** The window in milliseconds, 1 or more. */
  readonly windowMs: number;
  /** Tokens that may be taken at once after a pause, 1 or more. */
  readonly burst: number;
}

/** What a bucket allows, as it is reckoned. */
export interface Limit {
  /** Units of one token: the emission interval, in microseconds times the quota. */
  readonly tokenUnits: number;
  /** Units that drain in a microsecond. */
  readonly drainUnits: number;
  /** Units that fit: the burst tolerance and one token more. */
  readonly capacityUnits: number;
}

/** Whole numbers stay exact up to here; one bucket's worth is added on top of a full one. */
const maxCapacityUnits = 2 ** 51;

/**
 * Prepares a rate.
 *
 * @throws {RangeError} When a number is not whole and positive, or the burst is too long to reckon.
 */
export function limitOf({ quota, windowMs, burst }: Rate): Limit {
  const whole = [quota, windowMs, burst].every((part) => Number.isSafeInteger(part) && part >= 1);
  const tokenUnits = windowMs * 1000;
  const capacityUnits = burst * tokenUnits;
  if (!whole || !(capacityUnits <= maxCapacityUnits) || quota > maxCapacityUnits) {
    throw new RangeError(
      "Cannot limit: need whole numbers from 1, burst times window below 2^51 microseconds: " +
        `received ${quota} in ${windowMs} ms, burst ${burst}`,
    );
  }
  return { tokenUnits, drainUnits: quota, capacityUnits };
}

/**
 * Returns the level that is left of one `sinceUs` ago. A clock that steps back drains nothing.
 *
 * @param levelUnits The level at `atUs`.
 */
export function drained(
  levelUnits: number,
  { drainUnits }: Limit,
  { atUs, nowUs }: { readonly atUs: number; readonly nowUs: number },
): number {
  const elapsedUs = nowUs - atUs;
  if (elapsedUs <= 0) return levelUnits;
  // A product past 2^53 is not exact, but then it is far above any level.
  const left = levelUnits - elapsedUs * drainUnits;
  return left > 0 ? left : 0;
}

/** Microseconds until `tokens` more fit on a level; 0 when they do now, `Infinity` when never. */
export function waitUs(levelUnits: number, tokens: number, limit: Limit): number {
  const units = tokens * limit.tokenUnits;
  if (units > limit.capacityUnits) return Infinity;
  const over = levelUnits + units - limit.capacityUnits;
  return over > 0 ? Math.ceil(over / limit.drainUnits) : 0;
}

/** Whole tokens that fit on a level. */
export function roomFor(levelUnits: number, limit: Limit): number {
  return Math.max(0, Math.floor((limit.capacityUnits - levelUnits) / limit.tokenUnits));
}
