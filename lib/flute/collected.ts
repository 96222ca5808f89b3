/**
 * An object under collection, as the program sees it.
 *
 * @module
 */

import { normalToi, type Toi } from "#lct";
import { erasureCodes, type Partition } from "#fec";
import { Assembly, type PutOutcome } from "./assembly.ts";
import { openContent } from "./content.ts";
import type {
  ContentRejection,
  EndReason,
  FillOutcome,
  FluteEvent,
  ReceivingObject,
} from "./events.ts";
import type { FdtFile } from "./fdt.ts";

/** What the receiver lends to its objects. */
export interface Owner {
  readonly progressBytes: number;
  readonly maxObjectBytes: number;
  emit(event: FluteEvent): void;
  /** All transfer bytes are there. */
  completed(object: Collected): void;
  /** Its digests do not hold: collect it anew. */
  corrupt(object: Collected): void;
  released(object: Collected): void;
}

/** How an object is cut, and by which scheme. */
export interface Shape {
  readonly cut: Partition;
  readonly encodingId: number;
}

/** Where an object came from, and what it may cost. */
export interface Origin {
  /** Asked before a block is decoded: whether so many octets may be added up now. */
  readonly mayWork: (octets: number) => boolean;
  readonly source: string;
  readonly tsi: number;
  readonly nowMs: number;
}

/** The `ReceivingObject` that programs are given, and the state of its reception window. */
export class Collected implements ReceivingObject {
  readonly source: string;
  readonly tsi: number;
  readonly toi: Toi;
  file: FdtFile;
  readonly firstPacketMs: number;
  lastPacketMs: number;
  packetsReceived = 0;
  repairedBytes = 0;
  /** When the reception window closes; infinite while nothing says so. */
  endAtMs = Infinity;
  endWhy: EndReason = "timeout";
  /** The end was told, and no packet has come since. */
  ended = false;
  /** FEC encoding ID: how payload IDs are read. */
  readonly encodingId: number;
  /** Most bytes that it keeps: what repairs it takes as much room as what it lacks. */
  readonly heldBytes: number;
  readonly #owner: Owner;
  readonly #assembly: Assembly;
  readonly #progress: FluteEvent;
  #toldBytes = 0;
  #content: Promise<Uint8Array | ContentRejection> | undefined;

  /** @throws RangeError when the machine has no memory for it. */
  constructor(owner: Owner, file: FdtFile, shape: Shape, { source, tsi, nowMs, mayWork }: Origin) {
    this.#owner = owner;
    const { cut, encodingId } = shape;
    const code = erasureCodes.get(encodingId);
    this.encodingId = encodingId;
    this.heldBytes = cut.bytes * (code === undefined ? 1 : 2);
    this.#assembly = new Assembly(cut, code, mayWork);
    this.#progress = { kind: "progress", object: this };
    this.source = source;
    this.tsi = tsi;
    this.toi = normalToi(file.toi);
    this.file = file;
    this.firstPacketMs = this.lastPacketMs = nowMs;
  }

  get transferLength(): number {
    return this.#assembly.cut.bytes;
  }
  get body(): Uint8Array {
    return this.#assembly.body;
  }
  get contiguousBytes(): number {
    return this.#assembly.contiguousBytes;
  }
  get receivedBytes(): number {
    return this.#assembly.receivedBytes;
  }
  get complete(): boolean {
    return this.#assembly.complete;
  }
  get packetsExpected(): number {
    return this.#assembly.cut.symbols;
  }
  get repairable(): boolean {
    return this.file.contentEncoding === undefined;
  }

  holes(): [start: number, end: number][] {
    return this.#assembly.holes();
  }

  /**
   * Takes the payload of a packet of this object; completion is told by the owner, progress here.
   */
  put(sbn: number, esi: number, packet: Uint8Array, offset: number): PutOutcome {
    const outcome = this.#assembly.put(sbn, esi, packet, offset);
    if (outcome !== "stored") return outcome;
    this.packetsReceived++;
    this.#grown();
    return outcome;
  }

  /** Decodes the blocks that had to wait, as far as they may now be. */
  mendWaiting(): void {
    const before = this.receivedBytes;
    this.#assembly.mendWaiting();
    if (this.receivedBytes > before) this.#grown();
  }

  fill(start: number, bytes: Uint8Array): FillOutcome {
    const whole = Number.isSafeInteger(start) && start >= 0;
    if (!whole || start + bytes.length > this.transferLength) return "out_of_range";
    if (this.complete) return "nothing_new";
    const added = this.#assembly.fill(start, bytes);
    this.repairedBytes += added;
    if (added === 0) return "nothing_new";
    this.#grown();
    return this.complete ? "completed" : "filled";
  }

  async verify(): Promise<boolean> {
    return typeof await this.content() !== "string";
  }

  content(): Promise<Uint8Array | ContentRejection> {
    if (!this.complete) return Promise.resolve("incomplete");
    this.#content ??= openContent(this.file, this.body, this.#owner.maxObjectBytes)
      .then((content) => {
        if (typeof content === "string") this.#owner.corrupt(this);
        return content;
      });
    return this.#content;
  }

  release(): void {
    this.#owner.released(this);
  }

  #grown(): void {
    if (this.complete) {
      this.#owner.completed(this);
    } else if (this.contiguousBytes >= this.#toldBytes + Math.max(1, this.#owner.progressBytes)) {
      this.#toldBytes = this.contiguousBytes;
      this.#owner.emit(this.#progress);
    }
  }
}
