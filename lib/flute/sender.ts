/**
 * The sending end of one FLUTE session: files in, ALC packets out. It holds no clock and no socket:
 * what to send when is the caller's schedule.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  encodeExtension,
  encodeExtFdt,
  encodeExtTime,
  encodeLctHeader,
  extensionTypes,
  fdtInstanceIds,
  toNtp,
} from "#lct";
import {
  blockSymbols,
  defaultBlockSymbols,
  encodeFti,
  type ErasureCode,
  erasureCodes,
  fecEncodingIds,
  type FecOti,
  partition,
  partitionOf,
  raptorQOti,
  reedSolomonOti,
} from "#fec";
import { writeXml, type XmlNode } from "#xml";
import { listedFile } from "./listed_file.ts";
import { encodeFdt, fdtFileNode } from "./fdt_encode.ts";
import type { FdtFile, FdtOti } from "./fdt.ts";
import type { FluteObject } from "./object.ts";
import { type PacketForm, repairPackets, sourcePackets } from "./passes.ts";

/** How a session is cut into packets. */
export interface FluteSenderOptions {
  /** Transport session identifier, 0 to 2^48-1. */
  readonly tsi: number;
  /**
   * Bytes of a symbol, E; one symbol a packet. 1400 leaves room for headers within an Ethernet
   * frame.
   */
  readonly symbolBytes?: number;
  /**
   * FEC encoding ID of files: 0 (Compact No-Code) by default, 6 (RaptorQ), which lets any symbols make
   * up for any that were lost, or 5 (Reed-Solomon), which does so within small blocks. FDTs are
   * always 0.
   */
  readonly encodingId?: number;
  /**
   * Most symbols of a source block, B; 64 by default, 1024 with RaptorQ, 170 with Reed-Solomon, which
   * has 254 at most. GPAC wants whole objects in one block: 65535.
   */
  readonly maxSourceBlockSymbols?: number;
  /**
   * How far in the future an FDT instance expires, 60 s by default; renewed when half of that is
   * left.
   */
  readonly fdtValiditySeconds?: number;
  /**
   * Where numbering begins, 1 by default; give a restarted sender a value that differs from the
   * last run's.
   */
  readonly firstToi?: number;
  /** Likewise for FDT instances; 0 by default. */
  readonly firstFdtInstanceId?: number;
  /** LCT header extensions that every packet carries, encoded. */
  readonly extensions?: readonly Uint8Array[];
}

/** Above this a document is split: known receivers keep its length in 16 bits. */
const mostFdtBytes = 60_000;

/** A share of repair symbols that no pass exceeds: a code with fewer makes no pass of them alone. */
const freshShare = 3;

/** Largest TOI handed out: the simplest receivers know 16 bits. */
const mostToi = 65_535;

/** How many different repair symbols a block of a file has, by the number of its source symbols. */
function mostRepair({ file: { oti } }: Listed, code: ErasureCode): (symbols: number) => number {
  return (symbols) => code.repairSymbols(symbols, oti);
}

function usualBlockSymbols(encodingId: number): number {
  if (encodingId === fecEncodingIds.reedSolomon8) return defaultBlockSymbols;
  return erasureCodes.has(encodingId) ? 1024 : 64;
}

/** A file of the session. */
interface Listed {
  readonly toi: number;
  readonly form: PacketForm;
  /** What makes its repair symbols. */
  readonly code: ErasureCode | undefined;
  /** Repair symbols of a block that were sent: others are new to every receiver. */
  repairSent: number;
  file: FdtFile;
  /** Its `File` element, and how many bytes that is in UTF-8, with something to spare. */
  entry: XmlNode;
  entryBytes: number;
  readonly page: Page;
}

/** Files that one FDT instance lists; its ID changes whenever the document does. */
interface Page {
  readonly files: Set<Listed>;
  entryBytes: number;
  instanceId: number;
  issuedMs: number;
  /** The document now on air; `undefined` when it has to be written anew. */
  document: Uint8Array | undefined;
}

/** Makes the packets of one session. */
export class FluteSender {
  readonly tsi: number;
  readonly #symbolBytes: number;
  readonly #encodingId: number;
  readonly #maxSourceBlockSymbols: number;
  readonly #validityMs: number;
  readonly #extensions: readonly Uint8Array[];
  readonly #listed = new Map<number, Listed>();
  /** TOIs that an unexpired FDT still binds, with the time when it expires. */
  readonly #retired = new Map<number, number>();
  readonly #pages: Page[] = [];
  #nextToi: number;
  #nextInstanceId: number;

  /** @throws RangeError for a value outside of its range. */
  constructor(options: FluteSenderOptions) {
    const { tsi, symbolBytes = 1400, fdtValiditySeconds = 60 } = options;
    const { encodingId = fecEncodingIds.noCode } = options;
    const coded = erasureCodes.has(encodingId);
    const { maxSourceBlockSymbols = usualBlockSymbols(encodingId) } = options;
    if (!coded && encodingId !== fecEncodingIds.noCode) {
      throw new RangeError(
        `Cannot make FLUTE sender: need a FEC encoding ID that can be coded: received ${encodingId}`,
      );
    }
    inRange("tsi", tsi, 0, 2 ** 48 - 1);
    inRange("symbolBytes", symbolBytes, 1, 65_000);
    inRange("maxSourceBlockSymbols", maxSourceBlockSymbols, 1, 65_535);
    inRange("fdtValiditySeconds", fdtValiditySeconds, 2, 2 ** 31 - 1);
    this.tsi = tsi;
    this.#extensions = options.extensions ?? [];
    this.#symbolBytes = symbolBytes;
    this.#encodingId = encodingId;
    this.#maxSourceBlockSymbols = maxSourceBlockSymbols;
    this.#validityMs = fdtValiditySeconds * 1000;
    this.#nextToi = inRange("firstToi", options.firstToi ?? 1, 1, mostToi);
    this.#nextInstanceId = inRange(
      "firstFdtInstanceId",
      options.firstFdtInstanceId ?? 0,
      0,
      fdtInstanceIds - 1,
    );
  }

  /** The TOIs now listed, in the order added. */
  get tois(): readonly number[] {
    return [...this.#listed.keys()];
  }

  /** Transfer bytes and packets of one pass over an object. */
  size(toi: number): { readonly bytes: number; readonly packets: number } | undefined {
    const listed = this.#listed.get(toi);
    return listed && { bytes: listed.form.cut.bytes, packets: listed.form.cut.symbols };
  }

  /**
   * Lists a file; the next FDT names it.
   *
   * @returns Its TOI, which names no other content until every FDT that named it has expired.
   * @throws RangeError when the object or its description cannot be carried, or 65535 files are
   * listed.
   */
  add(object: FluteObject, nowMs: number): number {
    const toi = this.#takeToi(nowMs);
    const { file, body } = listedFile(object, { toi, otiOf: (bytes) => this.#otiOf(bytes), nowMs });
    const oti = { ...file.oti, transferLength: body.length } as FecOti;
    const cut = partitionOf(oti, Infinity);
    if (typeof cut === "string") {
      const blocks = Math.ceil(body.length / this.#symbolBytes / this.#maxSourceBlockSymbols);
      throw new RangeError(
        `Cannot add FLUTE object: need at most 65536 source blocks: received ${blocks}`,
      );
    }
    const extensions = this.#extensions;
    const head = { tsi: this.tsi, toi, codepoint: oti.encodingId, extensions };
    const form = {
      cut,
      encodingId: oti.encodingId,
      body,
      header: encodeLctHeader(head),
      last: encodeLctHeader({ ...head, closeObject: true }),
    };
    const code = erasureCodes.get(oti.encodingId);
    const entry = fdtFileNode(file);
    const entryBytes = Buffer.byteLength(writeXml(entry));
    const page = this.#pageWithRoom(entryBytes);
    const listed: Listed = { toi, form, code, repairSent: 0, file, entry, entryBytes, page };
    page.files.add(listed);
    page.entryBytes += entryBytes;
    page.document = undefined;
    this.#listed.set(toi, listed);
    return toi;
  }

  /** Tells receivers, in the next FDT, that the same bytes were found fresh at the origin. */
  refresh(
    toi: number,
    changes: { readonly maxAgeSeconds?: number; readonly purgeSeq?: number },
    nowMs: number,
  ): void {
    const listed = this.#need(toi);
    const { maxAgeSeconds, purgeSeq = listed.file.purgeSeq } = changes;
    const cacheControl = maxAgeSeconds === undefined
      ? listed.file.cacheControl
      : { kind: "expires" as const, expiresMs: nowMs + maxAgeSeconds * 1000 };
    listed.file = { ...listed.file, cacheControl, purgeSeq };
    listed.page.entryBytes -= listed.entryBytes;
    listed.entry = fdtFileNode(listed.file);
    listed.entryBytes = Buffer.byteLength(writeXml(listed.entry));
    listed.page.entryBytes += listed.entryBytes;
    listed.page.document = undefined;
  }

  /** Takes a file off the list. A pass of `objectPackets` that has begun can be finished. */
  remove(toi: number, nowMs: number): void {
    const listed = this.#need(toi);
    const { page } = listed;
    this.#listed.delete(toi);
    this.#retired.set(toi, Math.max(nowMs, page.issuedMs + this.#validityMs));
    page.files.delete(listed);
    page.entryBytes -= listed.entryBytes;
    page.document = undefined;
    if (page.files.size === 0) this.#pages.splice(this.#pages.indexOf(page), 1);
  }

  /**
   * The packets that announce what is listed now: one FDT instance, more when the list is long,
   * none when it is empty. Send them every 0.5 to 1 s and before a new file.
   *
   * @param nowMs Wall clock: it is sent along as the receivers' clock.
   * @param options `closing` sets the A flag: the session ends soon.
   */
  fdtPackets(nowMs: number, { closing = false } = {}): Uint8Array[] {
    return this.#pages.flatMap((page) => {
      const half = this.#validityMs / 2;
      const age = nowMs - page.issuedMs;
      if (!page.document || age >= half || age < 0) this.#issue(page, nowMs);
      return this.#packetsOf(page, nowMs, closing);
    });
  }

  /**
   * One pass over an object: its source symbols in order, then repair symbols that were never sent
   * before; the B flag is on the last packet. An empty object has no packets.
   *
   * @param options.repairShare Repair symbols for each source symbol, rounded up in each block; without
   * an erasure code there are none.
   * @throws RangeError when the TOI is not listed.
   */
  objectPackets(toi: number, { repairShare = 0 } = {}): Iterable<Uint8Array> {
    const listed = this.#need(toi);
    return this.#whole(listed, this.#repairCounts(listed, repairShare));
  }

  *#whole(listed: Listed, counts: readonly number[]): Iterable<Uint8Array> {
    yield* sourcePackets(listed.form, { closes: counts.length === 0 });
    yield* this.#repair(listed, counts);
  }

  /**
   * One pass over an object by repair symbols alone, all of them new: a receiver that has some
   * symbols can use each of these, whichever it lost. Without an erasure code, or with one that has
   * too few of them (Reed-Solomon), as {@link objectPackets}.
   *
   * @param options.share Symbols for each source symbol, rounded up in each block.
   * @throws RangeError when the TOI is not listed.
   */
  freshPackets(toi: number, { share = 1 } = {}): Iterable<Uint8Array> {
    const listed = this.#need(toi);
    const { code, form: { cut: { largeSymbols } } } = listed;
    const fresh = code === undefined ? 0 : mostRepair(listed, code)(largeSymbols);
    if (fresh < freshShare * largeSymbols) {
      return this.objectPackets(toi);
    }
    return this.#repair(listed, this.#repairCounts(listed, share));
  }

  *#repair(listed: Listed, counts: readonly number[]): Iterable<Uint8Array> {
    const { form, code, repairSent: first } = listed;
    if (code === undefined || counts.length === 0) return;
    listed.repairSent = first + Math.max(...counts);
    yield* repairPackets(form, code, { counts, first, most: mostRepair(listed, code) });
  }

  #repairCounts(listed: Listed, share: number): number[] {
    const { form: { cut }, code } = listed;
    if (code === undefined || share <= 0) return [];
    const most = mostRepair(listed, code);
    return Array.from({ length: cut.blocks }, (_, sbn) => {
      const symbols = blockSymbols(cut, sbn);
      return Math.min(Math.ceil(symbols * share), most(symbols));
    });
  }

  #otiOf(bytes: number): FdtOti {
    const symbolBytes = this.#symbolBytes;
    const most = this.#maxSourceBlockSymbols;
    const plain = { encodingId: 0, symbolBytes, maxSourceBlockSymbols: most };
    if (this.#encodingId === fecEncodingIds.noCode || bytes === 0) return plain;
    if (this.#encodingId === fecEncodingIds.reedSolomon8) {
      return reedSolomonOti(bytes, symbolBytes, most);
    }
    // Z has 8 bits: very large objects get larger blocks.
    const fitting = Math.max(most, Math.ceil(bytes / symbolBytes / 255));
    const { encodingId, schemeSpecific } = raptorQOti(bytes, symbolBytes, fitting);
    return { encodingId, symbolBytes, schemeSpecific };
  }

  #need(toi: number): Listed {
    const listed = this.#listed.get(toi);
    if (listed) return listed;
    throw new RangeError(`Cannot find FLUTE object: need a listed TOI: received ${toi}`);
  }

  #takeToi(nowMs: number): number {
    for (const [toi, untilMs] of this.#retired) {
      if (untilMs > nowMs) break; // in the order of retirement, near enough
      this.#retired.delete(toi);
    }
    for (let tried = 0; tried < mostToi; tried++) {
      const toi = this.#nextToi;
      this.#nextToi = toi % mostToi + 1;
      if (!this.#listed.has(toi) && !this.#retired.has(toi)) return toi;
    }
    throw new RangeError("Cannot add FLUTE object: need a free TOI: received 65535 in use");
  }

  #pageWithRoom(entryBytes: number): Page {
    const found = this.#pages.find((page) => page.entryBytes + entryBytes <= mostFdtBytes);
    if (found) return found;
    const page = {
      files: new Set<Listed>(),
      entryBytes: 0,
      instanceId: 0,
      issuedMs: -Infinity,
      document: undefined,
    };
    this.#pages.push(page);
    return page;
  }

  #issue(page: Page, nowMs: number): void {
    page.instanceId = this.#nextInstanceId;
    this.#nextInstanceId = (this.#nextInstanceId + 1) % fdtInstanceIds;
    page.issuedMs = nowMs;
    const expiresNtp = toNtp(nowMs + this.#validityMs).seconds;
    const entries = [...page.files].map((listed) => listed.entry);
    const document = encodeFdt(
      { expiresNtp, full: this.#pages.length === 1, complete: false },
      entries,
    );
    page.document = new TextEncoder().encode(document);
  }

  #packetsOf(page: Page, nowMs: number, closing: boolean): Uint8Array[] {
    const body = page.document as Uint8Array;
    // One block, so that receivers which ignore partitioning read it too.
    const oti = {
      encodingId: 0,
      transferLength: body.length,
      symbolBytes: this.#symbolBytes,
      maxSourceBlockSymbols: Math.max(
        this.#maxSourceBlockSymbols,
        Math.ceil(body.length / this.#symbolBytes),
      ),
    };
    const now = toNtp(nowMs);
    const header = encodeLctHeader({
      tsi: this.tsi,
      toi: 0,
      codepoint: 0,
      closeSession: closing,
      extensions: [
        encodeExtFdt({ version: 1, instanceId: page.instanceId }),
        encodeExtension(extensionTypes.fti, encodeFti(oti)),
        encodeExtTime({ sentNtpSeconds: now.seconds, sentNtpFraction: now.fraction }),
        ...this.#extensions,
      ],
    });
    const cut = partition(body.length, oti.symbolBytes, oti.maxSourceBlockSymbols);
    return [...sourcePackets({ cut, encodingId: 0, body, header, last: header })];
  }
}

function inRange(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(
    `Cannot make FLUTE sender: ${name} must be ${least} to ${most}: received ${value}`,
  );
}
