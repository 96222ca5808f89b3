/**
 * The code of one block size: its numbers of symbols, and which intermediate symbols each encoding
 * symbol is the sum of (RFC 6330 §5.3.3, §5.3.5).
 *
 * @module
 */

import { rand } from "./random.ts";
import { systematicRow } from "./systematic_indices.ts";

/** The numbers of one block size, by their letters in RFC 6330 §5.3.3.3. */
export interface Code {
  /** K', source symbols with padding. */
  readonly sourceSymbols: number;
  /** J, systematic index. */
  readonly systematicIndex: number;
  /** S, LDPC symbols. */
  readonly ldpcSymbols: number;
  /** H, HDPC symbols. */
  readonly hdpcSymbols: number;
  /** W, LT symbols. */
  readonly ltSymbols: number;
  /** L = K' + S + H, intermediate symbols. */
  readonly intermediateSymbols: number;
  /** P = L - W, permanently inactivated symbols. */
  readonly inactiveSymbols: number;
  /** P1, the smallest prime that is P or more. */
  readonly inactivePrime: number;
}

/**
 * Returns the code of a block.
 *
 * @param symbols K, source symbols without padding.
 * @throws {RangeError} When no block has so many.
 */
export function codeOf(symbols: number): Code {
  const row = systematicRow(symbols);
  const intermediateSymbols = row.sourceSymbols + row.ldpcSymbols + row.hdpcSymbols;
  const inactiveSymbols = intermediateSymbols - row.ltSymbols;
  const inactivePrime = primeFrom(inactiveSymbols);
  return { ...row, intermediateSymbols, inactiveSymbols, inactivePrime };
}

/** f[d] of RFC 6330 §5.3.5.2, from d = 1. */
const degrees = Uint32Array.of(
  ...[5243, 529531, 704294, 791675, 844104, 879057, 904023, 922747, 937311, 948962],
  ...[958494, 966438, 973160, 978921, 983914, 988283, 992138, 995565, 998631, 1001391],
  ...[1003887, 1006157, 1008229, 1010129, 1011876, 1013490, 1014983, 1016370, 1017662, 1048576],
);

/** Most intermediate symbols that one encoding symbol is the sum of: 30 LT and 3 inactive ones. */
export const maxDegree = 33;

/**
 * Writes which intermediate symbols an encoding symbol is the sum of (RFC 6330 §5.3.5.3, §5.3.5.4).
 *
 * @param isi Internal symbol ID: the ESI of a source symbol, ESI + K' - K of a repair symbol.
 * @param into Takes up to {@link maxDegree} numbers of columns; a column may occur twice, and then
 * cancels.
 * @returns How many were written.
 */
export function columnsOf(code: Code, isi: number, into: Int32Array): number {
  const { systematicIndex, ltSymbols, inactiveSymbols, inactivePrime } = code;
  const a0 = (53591 + systematicIndex * 997) | 1; // made odd
  const b0 = 10267 * (systematicIndex + 1);
  const y = (b0 + Math.imul(isi, a0)) >>> 0;
  const degree = degreeOf(rand(y, 0, 2 ** 20), ltSymbols);
  const step = 1 + rand(y, 1, ltSymbols - 1);
  let column = rand(y, 2, ltSymbols);
  let count = 0;
  into[count++] = column;
  for (let more = 1; more < degree; more++) {
    column = (column + step) % ltSymbols;
    into[count++] = column;
  }
  const inactiveDegree = degree < 4 ? 2 + rand(isi, 3, 2) : 2;
  const inactiveStep = 1 + rand(isi, 4, inactivePrime - 1);
  let inactive = rand(isi, 5, inactivePrime);
  for (let at = 0; at < inactiveDegree; at++) {
    if (at > 0) inactive = (inactive + inactiveStep) % inactivePrime;
    while (inactive >= inactiveSymbols) inactive = (inactive + inactiveStep) % inactivePrime;
    into[count++] = ltSymbols + inactive;
  }
  return count;
}

/** Deg[v] (RFC 6330 §5.3.5.2). */
function degreeOf(v: number, ltSymbols: number): number {
  let degree = 1;
  while (v >= degrees[degree - 1]) degree++;
  return Math.min(degree, ltSymbols - 2);
}

function primeFrom(least: number): number {
  for (let candidate = Math.max(2, least);; candidate++) {
    let divisor = 2;
    while (divisor * divisor <= candidate && candidate % divisor !== 0) divisor++;
    if (divisor * divisor > candidate) return candidate;
  }
}
