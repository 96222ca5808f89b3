/**
 * The binary rows of the constraint matrix: one equation a row, over the intermediate symbols (RFC 6330
 * §5.3.3.3). LDPC rows come first, then one row for each encoding symbol at hand.
 *
 * @module
 */

import { type Code, columnsOf, maxDegree } from "./code.ts";

/** Rows as lists of columns, one behind the other. */
export interface Rows {
  readonly count: number;
  /** Where the columns of a row begin; one more at the end. */
  readonly start: Int32Array;
  readonly columns: Int32Array;
}

/** Makes the rows of the encoding symbols with these internal symbol IDs. */
export function rowsOf(code: Code, isis: Int32Array): Rows {
  const { ldpcSymbols } = code;
  const count = ldpcSymbols + isis.length;
  const ldpc = ldpcRows(code);
  const ldpcColumns = ldpc.reduce((sum, row) => sum + row.length, 0);
  const start = new Int32Array(count + 1);
  const columns = new Int32Array(ldpcColumns + isis.length * maxDegree);
  let end = 0;
  for (const [row, members] of ldpc.entries()) {
    columns.set(members, end);
    start[row + 1] = end += members.length;
  }
  const members = new Int32Array(maxDegree);
  for (let at = 0; at < isis.length; at++) {
    const size = columnsOf(code, isis[at], members);
    for (let member = 0; member < size; member++) columns[end++] = members[member];
    start[ldpcSymbols + at + 1] = end;
  }
  return { count, start, columns: columns.subarray(0, end) };
}

/** The LDPC equations: sums that are zero. */
function ldpcRows(code: Code): number[][] {
  const { ldpcSymbols, ltSymbols, inactiveSymbols } = code;
  const plain = ltSymbols - ldpcSymbols;
  const rows: number[][] = Array.from({ length: ldpcSymbols }, (_, row) => [plain + row]);
  for (let column = 0; column < plain; column++) {
    const step = 1 + Math.floor(column / ldpcSymbols);
    for (let time = 0; time < 3; time++) {
      rows[(column + time * step) % ldpcSymbols].push(column);
    }
  }
  for (let row = 0; row < ldpcSymbols; row++) {
    rows[row].push(ltSymbols + row % inactiveSymbols, ltSymbols + (row + 1) % inactiveSymbols);
  }
  return rows;
}
