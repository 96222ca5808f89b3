/**
 * Repair symbols of one object, kept until a block has as many symbols as it needs.
 *
 * @module
 */

import { blockBytes, type ErasureCode, type Partition, type RepairSymbol } from "#fec";

/** What is kept of one block. */
interface Kept {
  readonly symbols: Map<number, Uint8Array>;
  /** Times that a code could not solve the block: it takes so many symbols more. */
  failures: number;
}

/** More failures than chance explains: what was kept is false, and is forgotten. */
const mostFailures = 6;

/** The repair symbols of all blocks of one object. A block keeps no more than it has holes, and 6. */
export class RepairSymbols {
  readonly #code: ErasureCode;
  readonly #cut: Partition;
  readonly #blocks = new Map<number, Kept>();

  constructor(code: ErasureCode, cut: Partition) {
    this.#code = code;
    this.#cut = cut;
  }

  /**
   * Keeps a copy of a symbol.
   *
   * @param missing Source symbols that the block lacks, 1 or more.
   */
  keep(sbn: number, esi: number, symbol: Uint8Array, missing: number): "stored" | "duplicate" {
    let block = this.#blocks.get(sbn);
    if (block === undefined) this.#blocks.set(sbn, block = { symbols: new Map(), failures: 0 });
    if (block.symbols.has(esi) || block.symbols.size >= missing + mostFailures) return "duplicate";
    block.symbols.set(esi, symbol.slice());
    return "stored";
  }

  /** Whether a block that lacks so many source symbols is worth a try. */
  enough(sbn: number, missing: number): boolean {
    const block = this.#blocks.get(sbn);
    return block !== undefined && block.symbols.size >= missing + block.failures;
  }

  /**
   * How many missing source symbols of a block those that are kept make up for. One less than there
   * are: with exactly enough, one block in a hundred cannot be solved.
   */
  worth(sbn: number): number {
    const block = this.#blocks.get(sbn);
    return block === undefined ? 0 : Math.max(0, block.symbols.size - block.failures - 1);
  }

  /**
   * Writes the missing source symbols of a block into the object.
   *
   * @returns Whether it worked.
   */
  decode(sbn: number, missing: readonly number[], body: Uint8Array): boolean {
    const block = this.#blocks.get(sbn);
    if (block === undefined) return false;
    const { start, end } = blockBytes(this.#cut, sbn);
    const repair: RepairSymbol[] = [...block.symbols].map(([esi, bytes]) => ({ esi, bytes }));
    const source = { bytes: body.subarray(start, end), symbolBytes: this.#cut.symbolBytes };
    const solved = this.#code.decode(source, missing, repair);
    if (solved || ++block.failures > mostFailures) this.forget(sbn);
    return solved;
  }

  /** Forgets a block. */
  forget(sbn: number): void {
    this.#blocks.delete(sbn);
  }
}
