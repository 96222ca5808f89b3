/**
 * The FLUTE sessions of a headend: objects go in, the planner gets what to send of them. An object is
 * listed in its session's FDT from the moment its first packet is due, so an FDT never runs ahead.
 *
 * @module
 */

import { type FluteObject, FluteSender } from "#flute";
import { wireBytes } from "#multicast";
import type {
  CarouselItem,
  CarouselPlanner,
  Destination,
  LiveItem,
  Outgoing,
  Traffic,
} from "./planner.ts";

/** What a broadcast works with. */
export interface BroadcastOptions {
  readonly planner: CarouselPlanner;
  /** Wall clock in milliseconds since the Unix epoch: for FDT expiry, not for pacing. */
  readonly wallMs: () => number;
  /** The longest time between two repetitions of an FDT. */
  readonly fdtAcquisitionMs: number;
  /** How long an object stays listed after its only pass, so that receivers which lost the FDT learn of it. */
  readonly listedAfterMs: number;
  readonly protection?: Protection;
  /** Where the packets go; to the media group when absent. */
  readonly destination?: Destination;
  /** LCT header extensions of every packet. */
  readonly extensions?: readonly Uint8Array[];
  /** Bytes of a symbol; 1400 when absent. */
  readonly symbolBytes?: number;
}

/** How packets are protected from loss. */
export interface Protection {
  /** FEC encoding ID: 0 (none), 5 (Reed-Solomon, RFC 5510) or 6 (RaptorQ, RFC 6330). */
  readonly encodingId: number;
  /** Repair symbols for each source symbol of live objects and files. */
  readonly share: number;
}

/** Nothing but source symbols. */
const unprotected: Protection = { encodingId: 0, share: 0 };

/** Something handed to the broadcast. */
export interface Ticket {
  /** Whether its first packet was taken. */
  readonly begun: boolean;
  /** Drops it at once: no packet more, and the next FDT names neither it nor what it was to replace. */
  withdraw(): void;
}

/** Something that is repeated until it is withdrawn or replaced. */
export interface CarriedTicket extends Ticket {
  /** Bytes of the object. */
  readonly bytes: number;
  /** About what one pass takes on the wire, headers and repair symbols included. */
  wireBytes(): number;
  /** The same bytes were found fresh at the origin again. */
  refresh(changes: { readonly maxAgeSeconds?: number; readonly purgeSeq?: number }): void;
}

/** How something is repeated. */
export interface CarryOptions {
  readonly traffic: Traffic;
  readonly acquisitionMs: number;
  /** Makes it a file; see {@link CarouselItem}. */
  readonly refillMs?: number;
  /** How often a file is asked for, relative to other files. */
  readonly popularity?: number;
  /** The older version, dropped when the first packet of this one is due. */
  readonly replaces?: Ticket;
  /** The first pass was sent. */
  readonly onSent?: () => void;
}

/** LCT header and FEC payload ID of a packet with a TSI and TOI of 16 bits. */
const headerBytes = 16;
const symbolBytes = 1400;

/** Packets with a TSI each. */
export class Broadcast {
  readonly #options: BroadcastOptions;
  readonly #sessions = new Map<number, Session>();

  constructor(options: BroadcastOptions) {
    this.#options = options;
  }

  /** Sends an object once, as live. */
  send(
    tsi: number,
    object: FluteObject,
    options: { readonly onSent: () => void; readonly nowMs: number },
  ): Ticket {
    const shipment = new Shipment(this.#session(tsi), object, "live", options.onSent);
    this.#options.planner.queue(shipment, options.nowMs);
    return shipment;
  }

  /** Repeats an object; unless it is a file, its first pass goes out before all segments. */
  carry(tsi: number, object: FluteObject, nowMs: number, options: CarryOptions): CarriedTicket {
    const carried = new Carried(this.#session(tsi), object, options);
    if (options.refillMs !== undefined) this.#options.planner.repeat(carried);
    else this.#options.planner.queue(carried.announcement(), nowMs, { announcement: true });
    return carried;
  }

  #session(tsi: number): Session {
    let session = this.#sessions.get(tsi);
    if (session === undefined) {
      session = new Session(tsi, this.#options);
      this.#sessions.set(tsi, session);
    }
    return session;
  }
}

/** Traffic with repair symbols; what comes round each second needs none. */
const protectedTraffic: ReadonlySet<Traffic> = new Set(["live", "file"]);

/** One FLUTE session and its FDT, which is repeated while it lists something. */
class Session {
  readonly planner: CarouselPlanner;
  readonly protection: Protection;
  readonly #sender: FluteSender;
  readonly #options: BroadcastOptions;
  readonly #fdt: CarouselItem;
  /** Objects that were sent and stay listed for a while, in the order of their time. */
  readonly #leaving: { readonly toi: number; readonly untilMs: number }[] = [];
  #fdtWireBytes = 0;
  #repeats = false;

  constructor(tsi: number, options: BroadcastOptions) {
    const wallMs = options.wallMs();
    this.planner = options.planner;
    this.protection = options.protection ?? unprotected;
    this.#options = options;
    // After a restart the numbers of the last run still mean its objects to receivers.
    this.#sender = new FluteSender({
      tsi,
      symbolBytes: options.symbolBytes ?? symbolBytes,
      extensions: options.extensions,
      encodingId: this.protection.encodingId,
      firstToi: 1 + Math.floor(wallMs / 1000) % 60_000,
      firstFdtInstanceId: Math.floor(wallMs / 1000) % 2 ** 20,
    });
    this.#fdt = {
      acquisitionMs: options.fdtAcquisitionMs,
      wireBytes: () => this.#fdtWireBytes,
      open: () => this.#fdtPackets(),
    };
  }

  /** Lists an object and returns its TOI. */
  list(object: FluteObject): number {
    return this.#sender.add(object, this.#options.wallMs());
  }

  /** The FDT as it is now, then one pass over an object. */
  *announced(toi: number, traffic: Traffic, nowMs: number): Iterable<Outgoing> {
    yield* this.#fdtPackets();
    if (this.#repeats) this.planner.restarted(this.#fdt, nowMs);
    else this.planner.repeat(this.#fdt, { startedMs: nowMs });
    this.#repeats = true;
    yield* this.pass(toi, traffic);
  }

  /** One pass over an object; live objects and files with what protects them. */
  *pass(toi: number, traffic: Traffic): Iterable<Outgoing> {
    const repairShare = protectedTraffic.has(traffic) ? this.protection.share : 0;
    yield* this.#bound(this.#sender.objectPackets(toi, { repairShare }), traffic);
  }

  /** One more pass over a file: symbols that nobody has yet, if there is a code that makes such. */
  *freshPass(toi: number, traffic: Traffic): Iterable<Outgoing> {
    const share = 1 + this.protection.share;
    yield* this.#bound(this.#sender.freshPackets(toi, { share }), traffic);
  }

  /** Packets with what they are for and where they go. */
  *#bound(packets: Iterable<Uint8Array>, traffic: Traffic): Iterable<Outgoing> {
    const { destination } = this.#options;
    for (const packet of packets) yield { packet, traffic, destination };
  }

  refresh(toi: number, changes: { maxAgeSeconds?: number; purgeSeq?: number }): void {
    this.#sender.refresh(toi, changes, this.#options.wallMs());
  }

  /** Takes an object off the list now, if it is on it. */
  unlist(toi: number): void {
    if (this.#sender.size(toi)) this.#sender.remove(toi, this.#options.wallMs());
    if (this.#sender.tois.length > 0 || !this.#repeats) return;
    this.planner.withdraw(this.#fdt);
    this.#repeats = false;
  }

  /** Takes an object off the list after the time that receivers have to learn of it. */
  unlistLater(toi: number): void {
    const untilMs = this.#options.wallMs() + this.#options.listedAfterMs;
    this.#leaving.push({ toi, untilMs });
  }

  #fdtPackets(): Outgoing[] {
    const wallMs = this.#options.wallMs();
    const stays = this.#leaving.findIndex(({ untilMs }) => untilMs > wallMs);
    const gone = this.#leaving.splice(0, stays < 0 ? this.#leaving.length : stays);
    for (const { toi } of gone) this.unlist(toi);
    const packets = this.#sender.fdtPackets(wallMs);
    this.#fdtWireBytes = packets.reduce((sum, packet) => sum + wireBytes(packet.length), 0);
    return [...this.#bound(packets, "fdt")];
  }
}

/** An object that is sent once. */
class Shipment implements LiveItem, Ticket {
  readonly #session: Session;
  readonly #object: FluteObject;
  readonly #traffic: Traffic;
  readonly #onSent: () => void;
  #toi: number | undefined;
  #withdrawn = false;

  constructor(session: Session, object: FluteObject, traffic: Traffic, onSent: () => void) {
    this.#session = session;
    this.#object = object;
    this.#traffic = traffic;
    this.#onSent = onSent;
  }

  get wireBytes(): number {
    return objectWireBytes(this.#object.body.length, this.#session.protection.share);
  }

  get begun(): boolean {
    return this.#toi !== undefined;
  }

  open(nowMs: number): Iterable<Outgoing> {
    this.#toi = this.#session.list(this.#object);
    return this.#session.announced(this.#toi, this.#traffic, nowMs);
  }

  sent(): void {
    if (this.#withdrawn || this.#toi === undefined) return;
    this.#session.unlistLater(this.#toi);
    this.#onSent();
  }

  withdraw(): void {
    if (this.#withdrawn) return;
    this.#withdrawn = true;
    this.#session.planner.withdraw(this);
    if (this.#toi !== undefined) this.#session.unlist(this.#toi);
  }
}

/** An object that is repeated. */
class Carried implements CarouselItem, CarriedTicket {
  readonly #session: Session;
  readonly #object: FluteObject;
  readonly #options: CarryOptions;
  #announcement: LiveItem | undefined;
  #toi: number | undefined;
  #withdrawn = false;

  constructor(session: Session, object: FluteObject, options: CarryOptions) {
    this.#session = session;
    this.#object = object;
    this.#options = options;
  }

  get acquisitionMs(): number {
    return this.#options.acquisitionMs;
  }

  get refillMs(): number | undefined {
    return this.#options.refillMs;
  }

  get #isFile(): boolean {
    return this.refillMs !== undefined;
  }

  get bytes(): number {
    return this.#object.body.length;
  }

  get begun(): boolean {
    return this.#toi !== undefined;
  }

  get popularity(): number | undefined {
    return this.#options.popularity;
  }

  wireBytes(): number {
    const share = this.#isFile ? this.#session.protection.share : 0;
    return objectWireBytes(this.bytes, share);
  }

  /** The first pass, as live; repetition begins with it. */
  announcement(): LiveItem {
    this.#announcement = {
      wireBytes: this.wireBytes(),
      open: (nowMs) => {
        this.#session.planner.repeat(this, { startedMs: nowMs });
        return this.#firstPass(nowMs);
      },
      sent: () => this.#withdrawn || this.#options.onSent?.(),
    };
    return this.#announcement;
  }

  open(nowMs: number): Iterable<Outgoing> {
    if (this.#toi === undefined) return this.#firstFilePass(nowMs);
    const { traffic } = this.#options;
    return this.#isFile
      ? this.#session.freshPass(this.#toi, traffic)
      : this.#session.pass(this.#toi, traffic);
  }

  refresh(changes: { readonly maxAgeSeconds?: number; readonly purgeSeq?: number }): void {
    if (this.#toi !== undefined && !this.#withdrawn) this.#session.refresh(this.#toi, changes);
  }

  withdraw(): void {
    if (this.#withdrawn) return;
    this.#withdrawn = true;
    if (!this.begun) this.#options.replaces?.withdraw(); // nobody else would
    if (this.#announcement) this.#session.planner.withdraw(this.#announcement);
    this.#session.planner.withdraw(this);
    if (this.#toi !== undefined) this.#session.unlist(this.#toi);
  }

  *#firstFilePass(nowMs: number): Iterable<Outgoing> {
    yield* this.#firstPass(nowMs);
    this.#options.onSent?.();
  }

  #firstPass(nowMs: number): Iterable<Outgoing> {
    this.#options.replaces?.withdraw();
    this.#toi = this.#session.list(this.#object);
    return this.#session.announced(this.#toi, this.#options.traffic, nowMs);
  }
}

/** About what one pass over an object takes on the wire, headers included. */
export function objectWireBytes(bytes: number, repairShare: number): number {
  const packets = Math.ceil(bytes / symbolBytes);
  const repair = Math.ceil(packets * repairShare);
  return bytes + packets * wireBytes(headerBytes) + repair * wireBytes(headerBytes + symbolBytes);
}
