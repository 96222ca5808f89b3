/**
 * Which equation gives which intermediate symbol: rows with one unknown are taken one after the other,
 * and when there is none, an unknown is put aside ("inactivated") to be found at the end. This is the
 * first phase of RFC 6330 §5.4.2.2; only its choice of rows differs, which changes the work, never the
 * result.
 *
 * @module
 */

import type { Code } from "./code.ts";
import type { Rows } from "./rows.ts";

/** An order in which rows give columns. */
export interface Peeling {
  /** Rows in the order of use... */
  readonly pivotRows: Int32Array;
  /** ...and the column that each gives, from columns given before and inactive ones. */
  readonly pivotColumns: Int32Array;
  /** Columns that were put aside. */
  readonly inactive: Int32Array;
  /** Rows that were not used. */
  readonly spareRows: Int32Array;
}

/**
 * Finds the order. The columns from W on are inactive from the beginning.
 *
 * @param mostInactive The work after this grows with the cube of the columns that are put aside.
 * @returns `undefined` when more than `mostInactive` columns would have to be put aside.
 */
export function peel(code: Code, rows: Rows, mostInactive = Infinity): Peeling | undefined {
  return new Peeler(code, rows).run(mostInactive);
}

class Peeler {
  readonly #code: Code;
  readonly #rows: Rows;
  /** Rows of each column below W, one list behind the other. */
  readonly #rowStart: Int32Array;
  readonly #rowsOfColumn: Int32Array;
  /** Unknown columns of each row. */
  readonly #unknowns: Int32Array;
  readonly #known: Uint8Array;
  readonly #used: Uint8Array;
  /** Rows that had one unknown when they were put here. */
  readonly #ready: number[] = [];
  #left: number;
  readonly #inactive: number[] = [];

  constructor(code: Code, rows: Rows) {
    const { ltSymbols, intermediateSymbols } = code;
    this.#code = code;
    this.#rows = rows;
    this.#left = ltSymbols;
    this.#known = new Uint8Array(intermediateSymbols).fill(1, ltSymbols);
    this.#used = new Uint8Array(rows.count);
    this.#unknowns = new Int32Array(rows.count);
    this.#rowStart = new Int32Array(ltSymbols + 1);
    for (let row = 0; row < rows.count; row++) {
      for (let at = rows.start[row]; at < rows.start[row + 1]; at++) {
        if (rows.columns[at] >= ltSymbols) continue;
        this.#unknowns[row]++;
        this.#rowStart[rows.columns[at] + 1]++;
      }
    }
    for (let column = 0; column < ltSymbols; column++) {
      this.#rowStart[column + 1] += this.#rowStart[column];
    }
    this.#rowsOfColumn = new Int32Array(this.#rowStart[ltSymbols]);
    const next = this.#rowStart.slice();
    for (let row = 0; row < rows.count; row++) {
      for (let at = rows.start[row]; at < rows.start[row + 1]; at++) {
        const column = rows.columns[at];
        if (column < ltSymbols) this.#rowsOfColumn[next[column]++] = row;
      }
    }
  }

  run(mostInactive: number): Peeling | undefined {
    const { ltSymbols, intermediateSymbols, inactiveSymbols } = this.#code;
    const pivotRows: number[] = [];
    const pivotColumns: number[] = [];
    for (let row = 0; row < this.#rows.count; row++) {
      if (this.#unknowns[row] === 1) this.#ready.push(row);
    }
    while (this.#left > 0) {
      const row = this.#ready.pop();
      if (row === undefined) {
        if (this.#inactive.length + inactiveSymbols >= mostInactive) return undefined;
        this.#inactivate();
      } else if (this.#unknowns[row] === 1) {
        const column = this.#unknownOf(row);
        this.#used[row] = 1;
        pivotRows.push(row);
        pivotColumns.push(column);
        this.#settle(column);
      }
    }
    for (let column = ltSymbols; column < intermediateSymbols; column++) {
      this.#inactive.push(column);
    }
    const spareRows = Array.from({ length: this.#rows.count }, (_, row) => row)
      .filter((row) => this.#used[row] === 0);
    return {
      pivotRows: Int32Array.from(pivotRows),
      pivotColumns: Int32Array.from(pivotColumns),
      inactive: Int32Array.from(this.#inactive),
      spareRows: Int32Array.from(spareRows),
    };
  }

  #unknownOf(row: number): number {
    const { start, columns } = this.#rows;
    let at = start[row];
    while (this.#known[columns[at]] === 1) at++;
    return columns[at];
  }

  #settle(column: number): void {
    this.#known[column] = 1;
    this.#left--;
    for (let at = this.#rowStart[column]; at < this.#rowStart[column + 1]; at++) {
      const row = this.#rowsOfColumn[at];
      if (--this.#unknowns[row] === 1) this.#ready.push(row);
    }
  }

  /** Puts aside the column whose knowledge gives the most others. */
  #inactivate(): void {
    const column = this.#fromLargestComponent() ?? this.#fromShortestRow() ?? this.#anyUnknown();
    this.#inactive.push(column);
    this.#settle(column);
  }

  /** Rows with two unknowns link them; one of a linked group gives all of the group. */
  #fromLargestComponent(): number | undefined {
    const groups = new Groups(this.#code.ltSymbols);
    let best: number | undefined;
    for (let row = 0; row < this.#rows.count; row++) {
      if (this.#unknowns[row] !== 2) continue;
      const [a, b] = this.#unknownsOf(row);
      const joined = groups.join(a, b);
      if (best === undefined || groups.size(joined) > groups.size(best)) best = joined;
    }
    return best;
  }

  #fromShortestRow(): number | undefined {
    let shortest = -1;
    for (let row = 0; row < this.#rows.count; row++) {
      const count = this.#unknowns[row];
      if (count > 2 && (shortest < 0 || count < this.#unknowns[shortest])) shortest = row;
    }
    if (shortest < 0) return undefined;
    const rowCount = (column: number) => this.#rowStart[column + 1] - this.#rowStart[column];
    return this.#unknownsOf(shortest).reduce((a, b) => rowCount(b) > rowCount(a) ? b : a);
  }

  #anyUnknown(): number {
    return this.#known.indexOf(0);
  }

  #unknownsOf(row: number): number[] {
    const { start, columns } = this.#rows;
    const members = columns.subarray(start[row], start[row + 1]);
    return [...members].filter((column) => this.#known[column] === 0);
  }
}

/** Groups that are joined pair by pair. */
class Groups {
  readonly #parent: Int32Array;
  readonly #size: Int32Array;

  constructor(count: number) {
    this.#parent = Int32Array.from({ length: count }, (_, at) => at);
    this.#size = new Int32Array(count).fill(1);
  }

  /** Returns a member that stands for the joined group. */
  join(a: number, b: number): number {
    const [first, second] = [this.#head(a), this.#head(b)];
    if (first === second) return first;
    const [large, small] = this.#size[first] < this.#size[second]
      ? [second, first]
      : [first, second];
    this.#parent[small] = large;
    this.#size[large] += this.#size[small];
    return large;
  }

  size(member: number): number {
    return this.#size[this.#head(member)];
  }

  #head(member: number): number {
    let head = member;
    while (this.#parent[head] !== head) {
      head = this.#parent[head] = this.#parent[this.#parent[head]];
    }
    return head;
  }
}
