/**
 * The interface of the schemes that make repair symbols.
 *
 * @module
 */

import type { FecOti } from "./oti.ts";

/** A source block as it lies in an object: its symbols one behind the other. */
export interface SourceBlock {
  /** The bytes; the last symbol may be short, and is coded with zeros behind it. */
  readonly bytes: Uint8Array;
  /** Bytes of a symbol. */
  readonly symbolBytes: number;
}

/** A symbol that is no piece of the object. */
export interface RepairSymbol {
  /** Encoding symbol ID: the number of source symbols, or more. */
  readonly esi: number;
  /** As long as a symbol. */
  readonly bytes: Uint8Array;
}

/** Makes the repair symbols of one source block. */
export interface RepairSource {
  /** Returns the repair symbol with this ESI. */
  repair(esi: number): Uint8Array;
}

/** What an object says of its blocks. */
type BlockLimits = "maxSourceBlockSymbols" | "maxEncodingSymbols";

/** One scheme. */
export interface ErasureCode {
  /** How many different repair symbols a block of so many source symbols has, in such an object. */
  repairSymbols(symbols: number, oti: Pick<FecOti, BlockLimits>): number;
  /**
   * About how many octets are added up to decode a block: the measure of what a stranger's may cost.
   *
   * @param symbols Source symbols of the block.
   * @param missing How many of them are missing; as many as can be when absent.
   */
  decodeWork(symbols: number, symbolBytes: number, missing?: number): number;
  encoder(block: SourceBlock): RepairSource;
  /**
   * Fills in the source symbols that are missing, in place.
   *
   * @param missing ESIs of the source symbols that are not there.
   * @param repair Repair symbols, each ESI once.
   * @returns Whether it worked; otherwise it takes more symbols, and nothing was written.
   */
  decode(block: SourceBlock, missing: readonly number[], repair: readonly RepairSymbol[]): boolean;
}
