/**
 * The receiving end of FLUTE sessions: datagrams in, files out. It holds no clock and no socket.
 * Everything that a stranger can make it keep is bounded, and no datagram makes it throw.
 *
 * @module
 */

import {
  decodeExtTime,
  decodeLctHeader,
  emptyLctHeader,
  extensionContent,
  type LctHeader,
  serialDifference,
} from "#lct";
import {
  decodeFti,
  decodePayloadId,
  emptyPayloadId,
  erasureCodes,
  type FecOti,
  partitionOf,
} from "#fec";
import { Collected, type Owner } from "./collected.ts";
import { EarlyPackets } from "./early_packets.ts";
import type { DropReason, EndReason, FileRefusal, FluteEvent, ReceiveOutcome } from "./events.ts";
import { type FdtFile, sameFile } from "./fdt.ts";
import { parseFdt } from "./fdt_parse.ts";
import { defaultFluteLimits, type FluteLimits } from "./limits.ts";
import type { Binding, Session } from "./session.ts";
import { SessionTable } from "./session_table.ts";

/** What a receiver is made of. */
export interface FluteReceiverOptions {
  readonly limits?: Partial<FluteLimits>;
  /** Called inside `receive()`, `tick()` and `fill()`: return soon, and do not throw. */
  readonly onEvent: (event: FluteEvent) => void;
  /** Sessions to receive; all when absent. Asked for each packet of a session that is not known. */
  readonly wantTsi?: (tsi: number, source: string) => boolean;
  /**
   * Files to collect; all when absent. Asked when an FDT names a file that is not collected yet.
   */
  readonly wantFile?: (file: FdtFile, tsi: number) => boolean;
  /** FEC encoding IDs that are used; all that are built in when absent. */
  readonly schemes?: ReadonlySet<number>;
}

/**
 * More source blocks than any object needs: Reed-Solomon counts up to 2^24 of them, and what is
 * remembered of each is more than the few bytes that it then has.
 */
const mostBlocks = 65_536;

/** What a tag of an FDT costs to read, in bytes that cost as much. */
const tagBytes = 64;

/** How often expiry is looked at. */
const sweepMs = 1000;

/** Receives all sessions of one socket, that is of one group and port. */
export class FluteReceiver {
  readonly #limits: FluteLimits;
  readonly #options: FluteReceiverOptions;
  readonly #sessions: SessionTable;
  readonly #early: EarlyPackets;
  readonly #counters = new Map<ReceiveOutcome, number>();
  readonly #header = emptyLctHeader();
  readonly #payloadId = emptyPayloadId();
  readonly #owner: Owner;
  #fileCount = 0;
  #receivingBytes = 0;
  #sweptMs = -Infinity;

  constructor(options: FluteReceiverOptions) {
    this.#options = options;
    this.#limits = { ...defaultFluteLimits, ...options.limits };
    this.#sessions = new SessionTable(this.#limits);
    this.#early = new EarlyPackets(this.#limits.maxEarlyBytes);
    this.#owner = {
      progressBytes: this.#limits.progressBytes,
      maxObjectBytes: this.#limits.maxObjectBytes,
      emit: options.onEvent,
      completed: (object) => this.#completed(object),
      corrupt: (object) => this.#collectAnew(object),
      released: (object) => this.#released(object),
    };
  }

  /** Datagrams by outcome since the start; outcomes that never came are absent. */
  get counters(): ReadonlyMap<ReceiveOutcome, number> {
    return this.#counters;
  }

  /** Bytes now held for incomplete objects and for datagrams that no FDT has named. */
  get heldBytes(): number {
    return this.#receivingBytes + this.#early.heldBytes;
  }

  /** Sessions now known. */
  get sessions(): number {
    return this.#sessions.count;
  }

  /**
   * Takes one datagram. What it needs of `packet` is copied.
   *
   * @param source Address of the sender: two senders with the same TSI are two sessions.
   * @param nowMs Wall clock, in milliseconds since the Unix epoch.
   * @returns What the datagram was good for, as counted.
   */
  receive(packet: Uint8Array, source: string, nowMs: number): ReceiveOutcome {
    const outcome = this.#take(packet, source, nowMs);
    this.#counters.set(outcome, (this.#counters.get(outcome) ?? 0) + 1);
    return outcome;
  }

  /** Closes reception windows and forgets what has expired. Call it about every 20 ms. */
  tick(nowMs: number): void {
    for (const session of this.#sessions.all()) {
      session.fecAllowance.at(nowMs);
      for (const object of session.receiving) {
        object.mendWaiting();
        this.#checkEnd(object, nowMs);
      }
    }
    if (nowMs - this.#sweptMs < sweepMs && nowMs >= this.#sweptMs) return;
    this.#sweptMs = nowMs;
    this.#early.forgetBefore(nowMs - this.#limits.earlyMs);
    for (const session of [...this.#sessions.all()]) this.#sweep(session, nowMs);
  }

  #take(packet: Uint8Array, source: string, nowMs: number): ReceiveOutcome {
    const header = decodeLctHeader(packet, this.#header);
    if (typeof header === "string") return header;
    if (header.tsi === undefined) return "no_tsi";
    const session = this.#sessionOf(source, header.tsi, nowMs);
    if (typeof session === "string") return session;
    session.lastPacketMs = nowMs;
    session.fecAllowance.at(nowMs);
    if (header.timeOffset !== 0) observeClock(session, packet, header, nowMs);
    if (header.toi === undefined) return header.closeSession ? "no_payload" : "no_toi";
    if (header.toi === 0) return this.#takeFdt(session, packet, header, nowMs);
    const binding = session.bindings.get(header.toi);
    if (binding) return this.#takeFile(session, binding, packet, header, nowMs);
    return this.#early.keep(session, header.toi, packet, nowMs) ? "early" : "early_full";
  }

  /** The session of a packet, known or begun. */
  #sessionOf(
    source: string,
    tsi: number,
    nowMs: number,
  ): Session | "not_wanted" | "too_many_sessions" {
    const known = this.#sessions.find(source, tsi);
    if (known) return known;
    if (this.#options.wantTsi?.(tsi, source) === false) return "not_wanted";
    const idlest = this.#sessions.inTheWay(nowMs);
    if (idlest === "all_busy") return "too_many_sessions";
    if (idlest) this.#endSession(idlest);
    return this.#sessions.open({ source, tsi, nowMs });
  }

  #endSession(session: Session): void {
    for (const object of [...session.receiving]) this.#letGo(object, "session_ended");
    this.#early.forgetSession(session);
    this.#fileCount -= session.bindings.size;
    session.bindings.clear();
    this.#sessions.remove(session);
  }

  #sweep(session: Session, nowMs: number): void {
    if (nowMs - session.lastPacketMs >= this.#limits.sessionIdleMs) {
      this.#endSession(session);
      return;
    }
    for (const [toi, binding] of session.bindings) {
      if (!session.expired(binding.expiresNtp, nowMs)) continue;
      if (binding.object) {
        if (!binding.object.ended) this.#end(binding.object, "fdt_expired");
        this.#letGo(binding.object, "fdt_expired");
      }
      session.bindings.delete(toi);
      this.#fileCount--;
    }
  }

  // The FDT

  #takeFdt(
    session: Session,
    packet: Uint8Array,
    header: LctHeader,
    nowMs: number,
  ): ReceiveOutcome {
    const taken = session.fdt.take(packet, header);
    if (taken === "part") return "fdt";
    if (taken === "repeated") return "fdt_repeated";
    if (typeof taken === "string") return taken;
    const { instanceId, document } = taken;
    session.fdtAllowance.at(nowMs);
    const tags = tagsOf(document);
    if (tags > this.#limits.maxFdtTags) return "fdt_too_large";
    if (!session.fdtAllowance.take(document.length + tagBytes * tags)) {
      session.fdt.forget(instanceId);
      return "fdt_too_often";
    }
    const instance = parseFdt(document, { nowMs, maxFiles: this.#limits.maxFiles });
    if (typeof instance === "string") return instance;
    if (session.expired(instance.expiresNtp, nowMs)) {
      session.fdt.forget(instanceId); // our clock may be set later
      return "fdt_expired";
    }
    session.proven = true;
    const { source, tsi } = session;
    this.#options.onEvent({ kind: "fdt", source, tsi, instanceId, instance });
    for (const file of instance.files) this.#bind(session, file, instance.expiresNtp, nowMs);
    return "fdt";
  }

  #bind(session: Session, file: FdtFile, expiresNtp: number, nowMs: number): void {
    const known = session.bindings.get(file.toi);
    if (known && sameFile(known.file, file)) {
      known.file = file;
      if (known.object) known.object.file = file;
      if (serialDifference(expiresNtp, known.expiresNtp) > 0) known.expiresNtp = expiresNtp;
      const again = known.state === "unwanted" && this.#options.wantFile?.(file, session.tsi);
      if (again) known.state = "announced";
      return;
    }
    if (known?.object) this.#letGo(known.object, "superseded");
    if (!known && this.#fileCount >= this.#limits.maxFiles) {
      this.#refuse(session, file, "too_many_files");
      return;
    }
    if (!known) this.#fileCount++;
    const wanted = this.#options.wantFile?.(file, session.tsi) !== false;
    const binding: Binding = {
      file,
      expiresNtp,
      state: wanted ? "announced" : "unwanted",
      object: undefined,
    };
    session.bindings.set(file.toi, binding);
    const empty = file.transferLength === 0 && wanted;
    if (empty) this.#start(session, binding, {}, nowMs);
    this.#replay(session, binding, nowMs);
  }

  /** Datagrams that came before their FDT: already counted, now used. */
  #replay(session: Session, binding: Binding, nowMs: number): void {
    for (const packet of this.#early.take(session, binding.file.toi)) {
      const header = decodeLctHeader(packet);
      if (typeof header !== "string") this.#takeFile(session, binding, packet, header, nowMs);
    }
  }

  // Files

  #takeFile(
    session: Session,
    binding: Binding,
    packet: Uint8Array,
    header: LctHeader,
    nowMs: number,
  ): ReceiveOutcome {
    if (binding.state === "complete") return "already_complete";
    if (binding.state === "unwanted") return "not_wanted";
    if (binding.state === "refused") return "refused";
    const object = binding.object ?? this.#start(session, binding, otiOf(packet, header), nowMs);
    if (!object) return "refused";
    const outcome = this.#put(object, packet, header);
    if (object.complete) return outcome;
    object.lastPacketMs = nowMs;
    object.ended = false;
    if (object.endWhy === "later_object") object.endAtMs = Infinity;
    if (header.closeObject) armEnd(object, "b_flag", nowMs + this.#limits.reorderMs);
    return outcome;
  }

  #put(object: Collected, packet: Uint8Array, header: LctHeader): ReceiveOutcome {
    const id = decodePayloadId(object.encodingId, packet, header.headerBytes, this.#payloadId);
    if (typeof id === "string") {
      return packet.length === header.headerBytes ? "no_payload" : "bad_payload_length";
    }
    const offset = header.headerBytes + id.bytes;
    if (offset === packet.length) return "no_payload";
    return object.put(id.sbn, id.esi, packet, offset);
  }

  /** Begins to collect a file, at its first packet. */
  #start(
    session: Session,
    binding: Binding,
    told: Partial<FecOti>,
    nowMs: number,
  ): Collected | undefined {
    const made = this.#make(session, binding.file, told, nowMs);
    if (typeof made === "string") {
      binding.state = "refused";
      this.#refuse(session, binding.file, made);
      return undefined;
    }
    for (const other of session.receiving) {
      if (other.endAtMs !== Infinity || other.ended) continue;
      armEnd(other, "later_object", nowMs + this.#limits.laterObjectMs);
    }
    binding.state = "receiving";
    binding.object = made;
    session.receiving.add(made);
    this.#receivingBytes += made.heldBytes;
    this.#options.onEvent({ kind: "object_started", object: made });
    if (made.complete) this.#completed(made);
    return made;
  }

  #make(
    session: Session,
    file: FdtFile,
    told: Partial<FecOti>,
    nowMs: number,
  ): Collected | FileRefusal {
    const oti = mergeOti(file, told);
    if (typeof oti === "string") return oti;
    const { encodingId } = oti;
    if (this.#options.schemes?.has(encodingId) === false) return "unsupported_fec";
    const { maxObjectBytes, maxReceivingBytes } = this.#limits;
    const held = erasureCodes.has(encodingId) ? 2 : 1;
    const cut = partitionOf(oti, Math.min(maxObjectBytes, maxReceivingBytes / held));
    if (typeof cut === "string") return cut;
    const work = erasureCodes.get(encodingId)?.decodeWork(cut.largeSymbols, cut.symbolBytes) ?? 0;
    if (cut.blocks > mostBlocks) return "bad_fec_parameters";
    if (work > this.#limits.maxFecBlockWork) return "fec_block_too_large";
    this.#makeRoom(session, cut.bytes * held);
    try {
      const mayWork = (octets: number) => session.fecAllowance.take(octets);
      const shape = { cut, encodingId };
      return new Collected(this.#owner, file, shape, { ...originOf(session), nowMs, mayWork });
    } catch {
      return "no_memory";
    }
  }

  #makeRoom(session: Session, bytes: number): void {
    while (session.receiving.size >= this.#limits.maxObjects) {
      this.#letGo(leastRecentlyFed(session.receiving) as Collected, "memory");
    }
    while (this.#receivingBytes + bytes > this.#limits.maxReceivingBytes) {
      const all = [...this.#sessions.all()].flatMap((one) => [...one.receiving]);
      this.#letGo(leastRecentlyFed(all) as Collected, "memory");
    }
  }

  #refuse(session: Session, file: FdtFile, why: FileRefusal): void {
    this.#options.onEvent({ kind: "refused", ...originOf(session), file, why });
  }

  // The end of an object

  #checkEnd(object: Collected, nowMs: number): void {
    if (object.ended) return;
    if (nowMs >= object.endAtMs) this.#end(object, object.endWhy);
    else if (nowMs - object.lastPacketMs >= this.#limits.objectTimeoutMs) {
      this.#end(object, "timeout");
    }
  }

  #end(object: Collected, why: EndReason): void {
    object.ended = true;
    object.endAtMs = Infinity;
    this.#options.onEvent({ kind: "ended_with_holes", object, why });
  }

  #completed(object: Collected): void {
    const binding = this.#detach(object);
    if (binding) binding.state = "complete";
    this.#options.onEvent({ kind: "complete", object });
  }

  #letGo(object: Collected, why: DropReason): void {
    const binding = this.#detach(object);
    if (!binding) return;
    // What the program does not want any more is not begun again; what lost its room may be.
    binding.state = why === "released" ? "unwanted" : "announced";
    this.#options.onEvent({ kind: "dropped", object, why });
  }

  /** Takes an object out of the books; `undefined` when it was out before. */
  #detach(object: Collected): Binding | undefined {
    const session = this.#sessions.find(object.source, object.tsi);
    if (!session?.receiving.delete(object)) return undefined;
    this.#receivingBytes -= object.heldBytes;
    const binding = session.bindings.get(object.toi);
    if (binding?.object !== object) return undefined;
    binding.object = undefined;
    return binding;
  }

  #released(object: Collected): void {
    this.#letGo(object, "released");
    const binding = this.#bindingOfComplete(object);
    if (binding) binding.state = "unwanted";
  }

  #collectAnew(object: Collected): void {
    const binding = this.#bindingOfComplete(object);
    if (binding) binding.state = "announced";
  }

  /** The binding of an object that was completed, unless the TOI means other content by now. */
  #bindingOfComplete(object: Collected): Binding | undefined {
    const binding = this.#sessions.find(object.source, object.tsi)?.bindings.get(object.toi);
    return binding?.state === "complete" && sameFile(binding.file, object.file)
      ? binding
      : undefined;
  }
}

function originOf({ source, tsi }: Session): { source: string; tsi: number } {
  return { source, tsi };
}

function observeClock(session: Session, packet: Uint8Array, header: LctHeader, nowMs: number) {
  const seconds = decodeExtTime(packet, header.timeOffset)?.sentNtpSeconds;
  if (seconds !== undefined) session.clock.observe(seconds, nowMs);
}

/** What a packet says of its object: at least the FEC encoding ID, which is the codepoint. */
function otiOf(packet: Uint8Array, { codepoint, ftiOffset }: LctHeader): Partial<FecOti> {
  const told = ftiOffset === 0
    ? undefined
    : decodeFti(codepoint, extensionContent(packet, ftiOffset));
  return told ?? { encodingId: codepoint };
}

/**
 * The FDT wins over what the packet tells; a length may follow from the content's when it is not
 * encoded.
 */
function mergeOti(file: FdtFile, told: Partial<FecOti>): FecOti | FileRefusal {
  const plainLength = file.contentEncoding === undefined ? file.contentLength : undefined;
  const transferLength = file.transferLength ?? told.transferLength ?? plainLength;
  if (transferLength === undefined) return "length_unknown";
  return {
    encodingId: file.oti.encodingId ?? told.encodingId ?? 0,
    transferLength,
    symbolBytes: file.oti.symbolBytes ?? told.symbolBytes ?? 0,
    maxSourceBlockSymbols: file.oti.maxSourceBlockSymbols ?? told.maxSourceBlockSymbols ?? 0,
    maxEncodingSymbols: file.oti.maxEncodingSymbols ?? told.maxEncodingSymbols,
    schemeSpecific: file.oti.schemeSpecific ?? told.schemeSpecific,
  };
}

/** How many tags a document has at most. */
function tagsOf(document: Uint8Array): number {
  let tags = 0;
  for (let at = document.indexOf(0x3c); at >= 0; at = document.indexOf(0x3c, at + 1)) tags++;
  return tags;
}

function armEnd(object: Collected, why: EndReason, atMs: number): void {
  object.endWhy = why;
  object.endAtMs = atMs;
}

function leastRecentlyFed(objects: Iterable<Collected>): Collected | undefined {
  let least: Collected | undefined;
  for (const object of objects) {
    if (!least || object.lastPacketMs < least.lastPacketMs) least = object;
  }
  return least;
}
