/**
 * What an object protected by Reed-Solomon says of itself (RFC 5510 §5.2), and how many symbols its
 * blocks have (§6).
 *
 * @module
 */

import { fecEncodingIds, type FecOti } from "../oti.ts";
import { maxSymbols } from "./coefficients.ts";

/** Most source symbols of a block where a sender does not say: half as many can repair them. */
export const defaultBlockSymbols = 170;

/**
 * The object transmission information of an object.
 *
 * @param transferLength L in bytes, 0 or more.
 * @param maxSourceBlockSymbols B, from 1 to 254; blocks with all of it have 255 symbols.
 */
export function reedSolomonOti(
  transferLength: number,
  symbolBytes: number,
  maxSourceBlockSymbols: number,
): FecOti {
  if (!(maxSourceBlockSymbols >= 1 && maxSourceBlockSymbols < maxSymbols)) {
    throw new RangeError(
      "Cannot code by Reed-Solomon: need blocks of 1 to 254 source symbols: " +
        `received ${maxSourceBlockSymbols}`,
    );
  }
  return {
    encodingId: fecEncodingIds.reedSolomon8,
    transferLength,
    symbolBytes,
    maxSourceBlockSymbols,
    maxEncodingSymbols: maxSymbols,
  };
}

/** Repair symbols of a block of k source symbols: n - k with n = floor(k max_n / B) (RFC 5510 §6). */
export function repairSymbols(
  symbols: number,
  { maxSourceBlockSymbols = symbols, maxEncodingSymbols = maxSymbols }: Pick<
    FecOti,
    "maxSourceBlockSymbols" | "maxEncodingSymbols"
  >,
): number {
  const all = Math.floor(symbols * maxEncodingSymbols / maxSourceBlockSymbols);
  return Math.min(all, maxSymbols) - symbols;
}

/** Whether B and max_n are such that blocks can be coded. */
export function areSound({ maxSourceBlockSymbols = 0, maxEncodingSymbols = 0 }: FecOti): boolean {
  return maxSourceBlockSymbols >= 1 && maxSourceBlockSymbols <= maxEncodingSymbols &&
    maxEncodingSymbols <= maxSymbols;
}
