/**
 * How an object is cut into source blocks and symbols: RFC 5052 §9.1, the rule of FEC encoding IDs 0, 5
 * and 128 to 130, and RFC 6330 §4.4.1.2, which says the number of blocks instead of their size.
 *
 * @module
 */

import { fecEncodingIds, type FecOti } from "./oti.ts";
import { readRaptorQ } from "./raptorq/oti.ts";
import { areSound } from "./reed_solomon/oti.ts";
import { maxBlockSymbols } from "./raptorq/systematic_indices.ts";

/**
 * An object cut into blocks: the first `largeBlocks` have `largeSymbols` symbols, the rest
 * `smallSymbols`.
 */
export interface Partition {
  /** Bytes of the object, L. */
  readonly bytes: number;
  /** Bytes of every symbol but the last, E. */
  readonly symbolBytes: number;
  /** Symbols of the object, T. */
  readonly symbols: number;
  /** Source blocks, N. */
  readonly blocks: number;
  /** Symbols of a large block, A_large. */
  readonly largeSymbols: number;
  /** Symbols of a small block, A_small. */
  readonly smallSymbols: number;
  /** How many blocks are large, I. */
  readonly largeBlocks: number;
}

/** Why an object with such parameters is not collected. */
export type PartitionRejection = "unsupported_fec" | "bad_fec_parameters" | "object_too_large";

/**
 * Cuts an object.
 *
 * @param bytes L, 0 or more.
 * @param symbolBytes E, 1 or more.
 * @param maxSourceBlockSymbols B, 1 or more.
 */
export function partition(
  bytes: number,
  symbolBytes: number,
  maxSourceBlockSymbols: number,
): Partition {
  const symbols = Math.ceil(bytes / symbolBytes);
  return partitionInto(bytes, symbolBytes, Math.ceil(symbols / maxSourceBlockSymbols));
}

/** Cuts an object into a given number of blocks; `blocks` is 0 for an empty object only. */
export function partitionInto(bytes: number, symbolBytes: number, blocks: number): Partition {
  const symbols = Math.ceil(bytes / symbolBytes);
  const smallSymbols = blocks === 0 ? 0 : Math.floor(symbols / blocks);
  const largeSymbols = blocks === 0 ? 0 : Math.ceil(symbols / blocks);
  const largeBlocks = symbols - smallSymbols * blocks;
  return { bytes, symbolBytes, symbols, blocks, largeSymbols, smallSymbols, largeBlocks };
}

/**
 * Cuts an object that somebody on the network describes, after checking that the description is
 * sound: nothing has been allocated when this refuses.
 *
 * @param oti Of Compact No-Code, RaptorQ or Reed-Solomon (5); other schemes are refused.
 * @param maxObjectBytes Largest object that the caller will hold.
 */
export function partitionOf(oti: FecOti, maxObjectBytes: number): Partition | PartitionRejection {
  const { encodingId, transferLength, symbolBytes } = oti;
  const cutInto = cutters.get(encodingId);
  if (cutInto === undefined) return "unsupported_fec";
  if (![transferLength, symbolBytes].every(Number.isSafeInteger)) return "bad_fec_parameters";
  if (transferLength < 0 || symbolBytes < 1 || symbolBytes > 65_535) return "bad_fec_parameters";
  if (transferLength > maxObjectBytes) return "object_too_large";
  return cutInto(oti);
}

/** How each scheme that is read cuts an object. */
const cutters = new Map<number, (oti: FecOti) => Partition | PartitionRejection>([
  [
    fecEncodingIds.noCode,
    cutPlain,
  ],
  [fecEncodingIds.raptorQ, cutRaptorQ],
  [fecEncodingIds.reedSolomon8, cutReedSolomon],
]);

function cutPlain(oti: FecOti): Partition | PartitionRejection {
  const { transferLength, symbolBytes, maxSourceBlockSymbols = 0 } = oti;
  if (!Number.isSafeInteger(maxSourceBlockSymbols) || maxSourceBlockSymbols < 1) {
    return "bad_fec_parameters";
  }
  const cut = partition(transferLength, symbolBytes, maxSourceBlockSymbols);
  // The payload ID has 16 bits for each of the two.
  return cut.blocks > 65_536 || cut.largeSymbols > 65_536 ? "bad_fec_parameters" : cut;
}

function cutReedSolomon(oti: FecOti): Partition | PartitionRejection {
  const { transferLength, symbolBytes, maxSourceBlockSymbols = 0 } = oti;
  if (!areSound(oti)) return "bad_fec_parameters";
  const cut = partition(transferLength, symbolBytes, maxSourceBlockSymbols);
  return cut.blocks > 2 ** 24 ? "bad_fec_parameters" : cut; // SBN has 24 bits
}

function cutRaptorQ(oti: FecOti): Partition | PartitionRejection {
  const specific = readRaptorQ(oti);
  if (specific === undefined) return "bad_fec_parameters";
  // A symbol of several sub-blocks lies scattered in the object.
  if (specific.subBlocks !== 1) return "unsupported_fec";
  const cut = partitionInto(oti.transferLength, oti.symbolBytes, specific.sourceBlocks);
  if (cut.symbols < cut.blocks) return "bad_fec_parameters";
  return cut.largeSymbols > maxBlockSymbols ? "bad_fec_parameters" : cut;
}

/** Symbols of source block `sbn`; 0 when there is no such block. */
export function blockSymbols(cut: Partition, sbn: number): number {
  if (sbn >= cut.blocks) return 0;
  return sbn < cut.largeBlocks ? cut.largeSymbols : cut.smallSymbols;
}

/** Number of the symbol within the object, or -1 when the object has no such symbol. */
export function symbolIndex(cut: Partition, sbn: number, esi: number): number {
  if (esi >= blockSymbols(cut, sbn)) return -1;
  if (sbn < cut.largeBlocks) return sbn * cut.largeSymbols + esi;
  return cut.largeBlocks * cut.largeSymbols + (sbn - cut.largeBlocks) * cut.smallSymbols + esi;
}

/** Where a source block lies in the object, in bytes. */
export function blockBytes(cut: Partition, sbn: number): { start: number; end: number } {
  const first = symbolIndex(cut, sbn, 0);
  const start = first * cut.symbolBytes;
  return { start, end: Math.min(start + blockSymbols(cut, sbn) * cut.symbolBytes, cut.bytes) };
}

/** The block and the number within it of a symbol of the object. */
export function blockOf(cut: Partition, index: number): { sbn: number; esi: number } {
  const large = cut.largeBlocks * cut.largeSymbols;
  const [first, before, size] = index < large
    ? [0, 0, cut.largeSymbols]
    : [cut.largeBlocks, large, cut.smallSymbols];
  const sbn = first + Math.floor((index - before) / size);
  return { sbn, esi: (index - before) % size };
}
