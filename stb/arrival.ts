/**
 * One object on its way from the satellite into the cache: streamed to those who read along,
 * repaired, verified, committed.
 *
 * @module
 */

import type { Fill } from "#cache";
import type { FdtFile, ReceivingObject } from "#flute";
import { matchesFile, namesOneVersion } from "./digests.ts";
import type { Repairer, RepairPlace, RepairTiming } from "./repairer.ts";
import { formatRoads } from "./road.ts";
import { entityTagOf, isPlaylist } from "./stored_head.ts";

/** What became of an object; the words are metric labels. */
export type ArrivalOutcome =
  | "complete"
  /** Whole with the help of the internet. */
  | "repaired"
  /** A purge had taken it before it was whole. */
  | "purged"
  /** A newer version of the same name was whole first. */
  | "superseded"
  /** The store did not take it. */
  | "not_admitted"
  /** Holes that nobody could mend; a later pass of a carousel may. */
  | "unrepaired"
  /** Bytes that are not what the FDT says, and no server that has the right ones. */
  | "corrupt"
  /** An encoding that cannot be undone. */
  | "undecodable"
  /** The receiver let go of it before it was whole. */
  | "dropped";

/** What an arrival works with. */
export interface ArrivalHome {
  openFill(key: string, file: FdtFile, expectedBytes: number | undefined): Fill;
  /** Whether the cache may keep it, as far as purges are concerned. */
  admits(key: string, file: FdtFile): boolean;
  readonly repairer: Repairer;
  /** Where to repair from, and how long to wait before. */
  repairTerms(arrival: Arrival): RepairTiming & {
    readonly tiers: readonly (readonly RepairPlace[])[];
  };
  /** Object bytes that came since the last call. */
  came(arrival: Arrival, bytes: { readonly satellite: number; readonly repair: number }): void;
  /**
   * Called for each end: an arrival that ended `unrepaired` may end `again`. `content` is what was
   * stored.
   */
  ended(
    arrival: Arrival,
    outcome: ArrivalOutcome,
    options: { readonly again?: boolean; readonly content?: Uint8Array },
  ): void;
  /** Longest object that is fetched whole into memory, in bytes. */
  readonly mostBytes: number;
}

/** One object on its way. */
export class Arrival {
  readonly #home: ArrivalHome;
  #fill: Fill | undefined;
  /** Bytes handed to the fill. */
  #written = 0;
  #told = { satellite: 0, repair: 0 };
  #mending = false;
  #settled = false;
  #gaveUp = false;
  /** Set when a newer version of the same name is in the cache. */
  superseded = false;

  constructor(readonly key: string, readonly object: ReceivingObject, home: ArrivalHome) {
    this.#home = home;
  }

  /** Whether it can be read while it arrives: nothing to decode, and worth the trouble. */
  get #streams(): boolean {
    const { contentType, contentEncoding } = this.object.file;
    return contentEncoding === undefined && !isPlaylist(this.key, contentType);
  }

  /** Players who read along. */
  get readers(): number {
    return this.#fill?.readers ?? 0;
  }

  /**
   * Whether nobody can mend it now. Nobody reads along any more then: the next pass of a carousel may
   * be an hour away.
   */
  get gaveUp(): boolean {
    return this.#gaveUp;
  }

  /** Whether players can join. */
  get readable(): boolean {
    return this.#fill !== undefined && !this.#settled;
  }

  /** Whether its bytes are being asked for on the internet. */
  get mending(): boolean {
    return this.#mending;
  }

  /**
   * Hands on what is contiguous. The last bytes wait until all are verified: a reader who was given
   * wrong ones is cut off and never takes them for the whole.
   */
  progress(): void {
    this.#count();
    if (!this.#streams || this.#settled || this.#gaveUp || this.superseded) return;
    const { object } = this;
    if (object.contiguousBytes === this.#written || object.complete) return;
    if (!this.#home.admits(this.key, object.file)) return;
    this.#fill ??= this.#home.openFill(this.key, object.file, object.transferLength);
    this.#fill.write(object.body.subarray(this.#written, object.contiguousBytes));
    this.#written = object.contiguousBytes;
  }

  /** All bytes are there: verify and commit. */
  async complete(): Promise<void> {
    this.#count();
    const content = await this.object.content();
    if (content === "digest_mismatch") return await this.#fetchWhole();
    if (typeof content === "string") return this.#fail("undecodable");
    await this.#commit(content);
  }

  /** The transmission ended with holes. */
  async mend(): Promise<void> {
    if (this.#mending || this.object.complete) return;
    this.#mending = true;
    this.#count();
    const { repairer } = this.#home;
    const { tiers, ...timing } = this.#home.repairTerms(this);
    await repairer.backOff(timing);
    // A content-encoded object cannot be mended in parts: its ranges are of other bytes.
    // Neither can one that nothing tells from another version: parts of two would pass for the whole.
    if (!this.object.repairable || !namesOneVersion(this.object.file)) await this.#fetchWhole();
    else if (!this.object.complete) {
      const etag = this.object.file.etag;
      const mended = await repairer.mend(this.object, { key: this.key, etag, tiers });
      if (!mended) this.#fail("unrepaired");
    }
    this.#mending = false;
  }

  /** The receiver let go of it. */
  drop(): void {
    this.#count();
    if (!this.#settled && !this.object.complete) this.#fail("dropped");
  }

  async #fetchWhole(): Promise<void> {
    const { key, object: { file } } = this;
    const { repairer, mostBytes } = this.#home;
    this.#abandon("bytes that the FDT does not name");
    const { tiers } = this.#home.repairTerms(this);
    const encoded = file.contentEncoding !== undefined;
    const bytes = await repairer.fetchWhole({
      key,
      expected: {
        bytes: file.contentLength ?? (encoded ? undefined : file.transferLength),
        etag: file.etag,
      },
      tiers,
      mostBytes,
      verify: (bytes) => Promise.resolve(matchesFile(file, bytes)),
    });
    if (bytes === undefined) return this.#fail(this.object.complete ? "corrupt" : "unrepaired");
    this.#told = { satellite: 0, repair: bytes.length };
    this.#home.came(this, { satellite: 0, repair: bytes.length });
    await this.#commit(bytes);
    this.object.release();
  }

  async #commit(content: Uint8Array): Promise<void> {
    if (this.#settled) return;
    if (this.superseded) return this.#fail("superseded");
    if (!this.#home.admits(this.key, this.object.file)) return this.#fail("purged");
    this.#settled = true;
    const fill = this.#fill ?? this.#home.openFill(this.key, this.object.file, content.length);
    fill.write(content.subarray(this.#written));
    const stored = await fill.commit({ source: formatRoads(this.roads) });
    const outcome = this.#told.repair > 0 ? "repaired" : "complete";
    this.#home.ended(this, stored ? outcome : "not_admitted", { content });
  }

  /** Bytes of the object by road. */
  get roads(): { readonly satellite: number; readonly repair: number } {
    return this.#told;
  }

  /** What players know the version by. */
  get tag(): string | undefined {
    return entityTagOf(this.object.file);
  }

  #fail(outcome: ArrivalOutcome): void {
    if (this.#settled) return;
    // What is not complete may still be, by a later pass: it is whole then, or ends once more.
    this.#settled = outcome !== "unrepaired";
    const before = this.#gaveUp;
    this.#gaveUp = true;
    this.#abandon(`an object that is ${outcome}`);
    this.#home.ended(this, outcome, { again: before });
  }

  /** Ends those who read along with an error; what comes later goes to a new fill. */
  #abandon(reason: string): void {
    this.#fill?.abort(reason);
    this.#fill = undefined;
    this.#written = 0;
  }

  #count(): void {
    const { receivedBytes, repairedBytes } = this.object;
    const now = { satellite: receivedBytes - repairedBytes, repair: repairedBytes };
    const more = {
      satellite: now.satellite - this.#told.satellite,
      repair: now.repair - this.#told.repair,
    };
    if (this.#settled || more.satellite + more.repair === 0) return;
    this.#told = now;
    this.#home.came(this, more);
  }
}
