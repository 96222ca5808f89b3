/**
 * What RaptorQ adds to the object transmission information: `Z N Al` (RFC 6330 §3.3.3).
 *
 * @module
 */

import { fecEncodingIds, type FecOti } from "../oti.ts";

/** The scheme-specific part. */
export interface RaptorQSpecific {
  /** Z, source blocks, 1 to 256. */
  readonly sourceBlocks: number;
  /** N, sub-blocks of each. */
  readonly subBlocks: number;
  /** Al, what T is a multiple of, in bytes. */
  readonly alignment: number;
}

/** Reads it; `undefined` when it is not there or breaks its own rules. */
export function readRaptorQ({ symbolBytes, schemeSpecific }: FecOti): RaptorQSpecific | undefined {
  if (schemeSpecific?.length !== 4) return undefined;
  const [z, high, low, alignment] = schemeSpecific;
  const subBlocks = high * 256 + low;
  // Z has 8 bits and may be 256 (RFC 6330 §4.4.1.2); some write that as 0.
  const sourceBlocks = z === 0 ? 256 : z;
  if (alignment === 0 || symbolBytes % alignment !== 0) return undefined;
  if (subBlocks < 1 || subBlocks > symbolBytes / alignment) return undefined;
  return { sourceBlocks, subBlocks, alignment };
}

/**
 * The object transmission information of an object, without sub-blocks.
 *
 * @param transferLength F in bytes, 1 or more.
 * @param maxSourceBlockSymbols Most symbols of a block: larger ones protect better and take longer.
 * @throws {RangeError} When that would take more than 255 blocks.
 */
export function raptorQOti(
  transferLength: number,
  symbolBytes: number,
  maxSourceBlockSymbols: number,
): FecOti & { readonly schemeSpecific: Uint8Array } {
  const symbols = Math.ceil(transferLength / symbolBytes);
  const sourceBlocks = Math.ceil(symbols / maxSourceBlockSymbols);
  if (sourceBlocks < 1 || sourceBlocks > 255) {
    throw new RangeError(
      `Cannot code by RaptorQ: need 1 to 255 source blocks: received ${sourceBlocks}`,
    );
  }
  const schemeSpecific = Uint8Array.of(sourceBlocks, 0, 1, symbolBytes % 4 === 0 ? 4 : 1);
  return { encodingId: fecEncodingIds.raptorQ, transferLength, symbolBytes, schemeSpecific };
}
