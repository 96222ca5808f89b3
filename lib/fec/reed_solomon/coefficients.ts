/**
 * The Reed-Solomon code over 256 elements (RFC 5510 §8): source symbols are the values of a polynomial
 * at alpha^0 to alpha^(k-1), repair symbols its values at alpha^k and on. The generator matrix of the
 * RFC, Vkk^-1 times Vkn with V[i][j] = alpha^(i j), holds Lagrange's coefficients, which need no matrix
 * to be inverted.
 *
 * @module
 */

import { alphaPower, inverse, multiply } from "../raptorq/octets.ts";

/** Symbols, source and repair, that a block may have: more points than these there are not. */
export const maxSymbols = 255;

/** The coefficients of one number of source symbols. */
export class Coefficients {
  readonly symbols: number;
  /** 1 over the product of alpha^i - alpha^j over all j but i. */
  readonly #weights: Uint8Array;
  readonly #rows = new Map<number, Uint8Array>();

  /** @throws {RangeError} When a block cannot have so many symbols. */
  constructor(symbols: number) {
    if (!(Number.isInteger(symbols) && symbols >= 1 && symbols <= maxSymbols)) {
      throw new RangeError(
        `Cannot code by Reed-Solomon: need 1 to 255 source symbols: received ${symbols}`,
      );
    }
    this.symbols = symbols;
    this.#weights = Uint8Array.from({ length: symbols }, (_, i) => {
      let product = 1;
      for (let j = 0; j < symbols; j++) {
        if (j !== i) product = multiply(product, alphaPower(i) ^ alphaPower(j));
      }
      return inverse(product);
    });
  }

  /** How much of each source symbol is in the repair symbol `esi`, which is from k to 254. */
  row(esi: number): Uint8Array {
    const known = this.#rows.get(esi);
    if (known !== undefined) return known;
    const point = alphaPower(esi);
    let product = 1;
    for (let j = 0; j < this.symbols; j++) product = multiply(product, point ^ alphaPower(j));
    const row = this.#weights.map((weight, i) =>
      multiply(multiply(product, weight), inverse(point ^ alphaPower(i)))
    );
    this.#rows.set(esi, row);
    return row;
  }
}

const known = new Map<number, Coefficients>();

/** The coefficients of blocks of `symbols`; they are kept, 64 KiB at most for each number. */
export function coefficientsOf(symbols: number): Coefficients {
  let coefficients = known.get(symbols);
  if (coefficients === undefined) {
    known.set(symbols, coefficients = new Coefficients(symbols));
    if (known.size > mostKnown) known.delete(known.keys().next().value as number);
  }
  return coefficients;
}

/** Objects differ in their two block sizes; senders use a few again and again. */
const mostKnown = 16;
