/**
 * The withdrawal list on the headend's disk, so that a restart does not make boxes give up more than
 * they have to.
 *
 * @module
 */

import * as v from "valibot";
import type { Withdrawals } from "#notice";
import { type LogEntry, parseLogEntry } from "#purge";
import { replaceFile } from "./document_file.ts";
import { WithdrawalList } from "./withdrawal_list.ts";

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const schema = v.object({ logId: v.string(), afterSeq: whole, entries: v.array(v.unknown()) });

/** A list and its file. */
export class WithdrawalFile {
  readonly list: WithdrawalList;
  readonly #path: string;
  #writing: Promise<void> = Promise.resolve();
  #dirty = false;

  private constructor(path: string, kept: Withdrawals | undefined) {
    this.#path = path;
    this.list = new WithdrawalList(kept);
  }

  /** Reads the file; without one, or with a damaged one, the list is empty. */
  static async open(path: string): Promise<WithdrawalFile> {
    return new WithdrawalFile(path, await read(path));
  }

  /** Notes what was applied, and writes the list in the background, once for what comes together. */
  note(logId: string | undefined, entries: readonly LogEntry[], appliedSeq: number): void {
    if (logId === undefined) return;
    this.list.note(logId, entries, appliedSeq);
    if (this.#dirty) return;
    this.#dirty = true;
    this.#writing = this.#writing.then(() => this.#write());
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    this.#dirty = false;
    // What cannot be kept costs boxes their cache after the next restart, and nothing else.
    await replaceFile(this.#path, JSON.stringify(this.list.withdrawals)).catch(() => {});
  }
}

async function read(path: string): Promise<Withdrawals | undefined> {
  try {
    const { entries, ...place } = v.parse(schema, JSON.parse(await Deno.readTextFile(path)));
    const known = entries.map(parseLogEntry);
    return known.includes(undefined) ? undefined : { ...place, entries: known as LogEntry[] };
  } catch {
    return undefined;
  }
}
