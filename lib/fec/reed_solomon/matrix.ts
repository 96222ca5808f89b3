/**
 * Small matrices over 256 elements.
 *
 * @module
 */

import { inverse, multiply } from "../raptorq/octets.ts";

/** Inverts a square matrix, in place; `undefined` when it has no inverse. */
export function invert(rows: readonly Uint8Array[]): Uint8Array[] | undefined {
  const size = rows.length;
  const left = rows.map((row) => row.slice());
  const right = rows.map((_, at) => {
    const row = new Uint8Array(size);
    row[at] = 1;
    return row;
  });
  for (let column = 0; column < size; column++) {
    const pivot = left.findIndex((row, at) => at >= column && row[column] !== 0);
    if (pivot === -1) return undefined;
    for (const side of [left, right]) [side[pivot], side[column]] = [side[column], side[pivot]];
    const factor = inverse(left[column][column]);
    for (const side of [left, right]) scale(side[column], factor);
    for (let row = 0; row < size; row++) {
      const times = left[row][column];
      if (row === column || times === 0) continue;
      addTimes(left[row], left[column], times);
      addTimes(right[row], right[column], times);
    }
  }
  return right;
}

function scale(row: Uint8Array, factor: number): void {
  for (let at = 0; at < row.length; at++) row[at] = multiply(row[at], factor);
}

function addTimes(to: Uint8Array, from: Uint8Array, factor: number): void {
  for (let at = 0; at < to.length; at++) to[at] ^= multiply(from[at], factor);
}
