/**
 * The schemes that are built in. A build without one leaves out its entry and its import here: a
 * receiver then passes over its repair symbols and asks the edge for what is missing, and a sender says
 * that it cannot code.
 *
 * @module
 */

import type { ErasureCode } from "./erasure_code.ts";
import { fecEncodingIds } from "./oti.ts";
import * as raptorQ from "./raptorq/block.ts";
import * as reedSolomon from "./reed_solomon/block.ts";
import { repairSymbols } from "./reed_solomon/oti.ts";

/** Largest ESI of RaptorQ, and one more. */
const mostRaptorQ = 2 ** 24;

/** What the plan of a block costs for each symbol, and how many sums each symbol is in, as measured. */
const raptorQWork = { plan: 5000, sums: 5 };

/** The codes by FEC encoding ID. */
export const erasureCodes: ReadonlyMap<number, ErasureCode> = new Map<number, ErasureCode>([
  [fecEncodingIds.raptorQ, {
    repairSymbols: (symbols) => mostRaptorQ - symbols,
    decodeWork: (symbols, symbolBytes) =>
      symbols * (raptorQWork.plan + raptorQWork.sums * symbolBytes),
    encoder: (block) => new raptorQ.BlockEncoder(block),
    decode: raptorQ.decodeBlock,
  }],
  [fecEncodingIds.reedSolomon8, {
    repairSymbols,
    // Each source symbol goes into each that is missing, and no more are than there is repair for.
    decodeWork: (symbols, symbolBytes, missing = 255) =>
      symbols * Math.min(missing, symbols, 255 - symbols) * symbolBytes,
    encoder: (block) => new reedSolomon.BlockEncoder(block),
    decode: reedSolomon.decodeBlock,
  }],
]);
