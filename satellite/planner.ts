/**
 * What the headend sends next: live at once, small repeating objects so that each comes round within
 * its acquisition latency, and the file carousel in what is left of the rate.
 *
 * Four levels, highest first; a higher one breaks in at any packet boundary:
 *
 * 1. repeating objects that would otherwise miss their latency (while all of these and live fit in the rate)
 * 2. live: announcements (new playlists and manifests), then segments, each in the order queued
 * 3. repeating objects that may come round again, earliest deadline first
 * 4. files: those that would miss their cycle, earliest deadline first, then by the square-root rule
 *
 * When live and repeating objects do not fit together, level 1 is empty: those who watch go before
 * those who tune in. Nothing here waits, sends or asks a clock.
 *
 * @module
 */

/** What a packet is for; the words are metric labels. */
export type Traffic = "live" | "playlist" | "init" | "configuration" | "fdt" | "file";

/** Where a packet goes: to the media group, or to the announcement group of DVB-NIP. */
export type Destination = "media" | "announcement";

/** One packet on its way out. */
export interface Outgoing {
  readonly packet: Uint8Array;
  readonly traffic: Traffic;
  /** `media` when absent. */
  readonly destination?: Destination;
  /** Call it when the packet was handed to the network: it is the last one of its live item. */
  readonly sent?: () => void;
}

/** Something that is sent once. */
export interface LiveItem {
  /** About what one pass takes on the wire, headers included. */
  readonly wireBytes: number;
  /** Makes the packets; called when the first of them is due. */
  open(nowMs: number): Iterable<Outgoing>;
  /** The last packet was handed to the network. Not called after `withdraw()`. */
  sent(): void;
}

/** Something that is sent again and again. */
export interface CarouselItem {
  /** The longest time from the start of one pass to the start of the next: the acquisition latency. */
  readonly acquisitionMs: number;
  /**
   * Makes it a file: sent only when nothing else is due, and with rate to spare again this soon after
   * the last start.
   */
  readonly refillMs?: number;
  /** How often a file is asked for, relative to other files; 1 by default. */
  readonly popularity?: number;
  /** About what one pass takes on the wire now, headers included. */
  wireBytes(): number;
  /** Makes the packets of one pass; called when the first of them is due. */
  open(nowMs: number): Iterable<Outgoing>;
}

/** Whether everything fits in the rate. */
export interface Admission {
  readonly rateBitsPerSecond: number;
  /** Live of the last half minute, on average. */
  readonly liveBitsPerSecond: number;
  /** What repeating objects take at the pace they are sent. */
  readonly repeatBitsPerSecond: number;
  /** What files need to come round within their cycle. */
  readonly fileBitsPerSecond: number;
  /** Live and repeating objects fit, the latter in half of the rate: no repeating object misses its latency. */
  readonly repeatsFit: boolean;
  /** Files fit too: none misses its cycle. */
  readonly holds: boolean;
}

/** How deep the live queue is. */
export interface QueueDepth {
  readonly items: number;
  readonly wireBytes: number;
}

/** A repeating object may come round again after this share of its latency... */
const dueShare = 0.75;
/** ...and goes before live when this share of it is left, which covers a late event loop. */
const guardShare = 0.1;
/**
 * The most that repeating objects may take of the rate. Where latencies differ, no order of passes keeps
 * every one at full load (the pinwheel problem); at half load this one does.
 */
const repeatShare = 0.5;
/** Files are planned with this share of the rate at least, however much live there is. */
const leastFileShare = 0.05;
/** Live is averaged over this many seconds. */
const liveWindowSeconds = 30;

/** One pass under way; one packet is fetched ahead so that the last one is known as such. */
class Pass {
  readonly #packets: Iterator<Outgoing>;
  #ahead: IteratorResult<Outgoing>;

  constructor(packets: Iterable<Outgoing>) {
    this.#packets = packets[Symbol.iterator]();
    this.#ahead = this.#packets.next();
  }

  get done(): boolean {
    return this.#ahead.done === true;
  }

  take(): Outgoing | undefined {
    if (this.#ahead.done) return undefined;
    const packet = this.#ahead.value;
    this.#ahead = this.#packets.next();
    return packet;
  }
}

interface LiveSlot {
  readonly item: LiveItem;
  pass?: Pass;
}

class CarouselSlot {
  pass?: Pass;

  constructor(readonly item: CarouselItem, public startedMs: number) {}

  get dueMs(): number {
    return this.startedMs + (this.item.refillMs ?? this.item.acquisitionMs * dueShare);
  }

  get latestStartMs(): number {
    return this.startedMs + this.item.acquisitionMs;
  }

  /** How much the mean wait of all who ask gains from a pass now, up to a factor. */
  worth(nowMs: number): number {
    const { popularity = 1, acquisitionMs } = this.item;
    // One that was never sent counts as if it had been due for a whole cycle.
    const waitedMs = Math.min(nowMs - this.startedMs, 2 * acquisitionMs);
    return waitedMs ** 2 * popularity / this.item.wireBytes();
  }
}

/** The planner of one transponder or multicast rate. */
export class CarouselPlanner {
  readonly #bitsPerSecond: number;
  readonly #announcements: LiveSlot[] = [];
  readonly #live: LiveSlot[] = [];
  readonly #repeats = new Map<CarouselItem, CarouselSlot>();
  readonly #files = new Map<CarouselItem, CarouselSlot>();
  readonly #liveRate = new LiveRate();
  /** Repeating objects in the middle of a pass, the one with the shortest latency last. */
  #running: CarouselSlot[] = [];
  /** Repeating objects between two passes, earliest latest start first; `undefined` when outdated. */
  #waiting: CarouselSlot[] | undefined;
  #urgentMs = Infinity;
  #runningFile: CarouselSlot | undefined;
  #admission: Admission | undefined;
  #admissionMs = -Infinity;

  /** @throws {RangeError} When the rate is not a positive number. */
  constructor({ bitsPerSecond }: { readonly bitsPerSecond: number }) {
    if (!(bitsPerSecond > 0)) {
      throw new RangeError(
        `Cannot plan a carousel: need a rate above 0 bit/s: received ${bitsPerSecond}`,
      );
    }
    this.#bitsPerSecond = bitsPerSecond;
  }

  /** What waits in the live queue, the item in the middle of its pass included. */
  get depth(): QueueDepth {
    const slots = [...this.#announcements, ...this.#live];
    return {
      items: slots.length,
      wireBytes: slots.reduce((sum, { item }) => sum + item.wireBytes, 0),
    };
  }

  /** Queues something to be sent once; announcements go before all segments. */
  queue(item: LiveItem, nowMs: number, options: { readonly announcement?: boolean } = {}): void {
    (options.announcement ? this.#announcements : this.#live).push({ item });
    this.#liveRate.add(item.wireBytes, nowMs);
  }

  /**
   * Adds something to repeat.
   *
   * @param options.startedMs When a first pass was started by other means; without it one is due at once.
   */
  repeat(item: CarouselItem, options: { readonly startedMs?: number } = {}): void {
    const slots = item.refillMs === undefined ? this.#repeats : this.#files;
    slots.set(item, new CarouselSlot(item, options.startedMs ?? -Infinity));
    this.#changed();
  }

  /** Tells that a pass of a repeating item was sent by other means: the FDT that goes before an object. */
  restarted(item: CarouselItem, nowMs: number): void {
    const slot = this.#repeats.get(item);
    if (slot === undefined) return;
    slot.startedMs = nowMs;
    this.#end(slot);
  }

  /** Drops an item of either kind at once, in the middle of a pass too. */
  withdraw(item: LiveItem | CarouselItem): void {
    for (const queue of [this.#announcements, this.#live]) {
      const at = queue.findIndex((slot) => slot.item === item);
      if (at >= 0) queue.splice(at, 1);
    }
    const carousel = item as CarouselItem;
    const slot = this.#repeats.get(carousel) ?? this.#files.get(carousel);
    if (slot === undefined) return;
    this.#repeats.delete(carousel);
    this.#files.delete(carousel);
    this.#end(slot);
  }

  /** Returns the next packet, or `undefined` when nothing is due. */
  next(nowMs: number): Outgoing | undefined {
    for (;;) {
      const chosen = this.#choose(nowMs);
      if (chosen === undefined) return undefined;
      const outgoing = "startedMs" in chosen
        ? this.#takeCarousel(chosen, nowMs)
        : this.#takeLive(chosen, nowMs);
      if (outgoing !== undefined) return outgoing;
    }
  }

  /** Whether the present load fits in the rate; renewed once a second and at each change. */
  admission(nowMs: number): Admission {
    if (this.#admission === undefined || nowMs - this.#admissionMs >= 1000) {
      this.#admission = this.#admit(nowMs);
      this.#admissionMs = nowMs;
    }
    return this.#admission;
  }

  #choose(nowMs: number): LiveSlot | CarouselSlot | undefined {
    const live = this.#announcements[0] ?? this.#live[0];
    if (live === undefined || this.admission(nowMs).repeatsFit) {
      const repeat = this.#urgent(nowMs);
      if (repeat !== undefined) return repeat;
    }
    return live ?? this.#dueRepeat(nowMs) ?? this.#dueFile(nowMs);
  }

  /** The repeating object that must be sent now: under way, or at its latest start. */
  #urgent(nowMs: number): CarouselSlot | undefined {
    const running = this.#running.at(-1);
    const waiting = this.#sorted();
    if (running !== undefined) {
      const shorter = waiting.find((slot) =>
        slot.dueMs <= nowMs && slot.item.acquisitionMs < running.item.acquisitionMs
      );
      return shorter ?? running;
    }
    return nowMs >= this.#urgentMs ? waiting[0] : undefined;
  }

  #dueRepeat(nowMs: number): CarouselSlot | undefined {
    return this.#sorted().find((slot) => slot.dueMs <= nowMs);
  }

  /**
   * The file to send: the one with the greatest wait squared times popularity over size, which keeps
   * the periods of the square-root rule (Vaidya and Hameed 1999), unless that would make one miss its
   * cycle.
   */
  #dueFile(nowMs: number): CarouselSlot | undefined {
    if (this.#runningFile !== undefined) return this.#runningFile;
    const due = [...this.#files.values()].filter((slot) => slot.dueMs <= nowMs);
    if (due.length <= 1) return due[0];
    due.sort((a, b) => compare(a.latestStartMs, b.latestStartMs));
    const best = due.reduce((a, b) => b.worth(nowMs) > a.worth(nowMs) ? b : a);
    return this.#isInTime(due, best, nowMs) ? best : due[0];
  }

  /** Whether all others start in time, earliest deadline first, if `first` goes before them. */
  #isInTime(due: readonly CarouselSlot[], first: CarouselSlot, nowMs: number): boolean {
    const { liveBitsPerSecond, repeatBitsPerSecond } = this.admission(nowMs);
    const left = this.#bitsPerSecond - liveBitsPerSecond - repeatBitsPerSecond;
    const msPerByte = 8000 / Math.max(left, this.#bitsPerSecond * leastFileShare);
    let startMs = nowMs + first.item.wireBytes() * msPerByte;
    for (const slot of due) {
      if (slot === first || slot.startedMs === -Infinity) continue;
      if (startMs > slot.latestStartMs) return false;
      startMs += slot.item.wireBytes() * msPerByte;
    }
    return true;
  }

  #takeLive(slot: LiveSlot, nowMs: number): Outgoing | undefined {
    slot.pass ??= new Pass(slot.item.open(nowMs));
    const outgoing = slot.pass.take();
    if (!slot.pass.done) return outgoing;
    const queue = this.#announcements[0] === slot ? this.#announcements : this.#live;
    const at = queue.indexOf(slot);
    if (at < 0) return outgoing; // withdrawn by its own packets
    queue.splice(at, 1);
    if (outgoing === undefined) slot.item.sent();
    return outgoing && { ...outgoing, sent: () => slot.item.sent() };
  }

  #takeCarousel(slot: CarouselSlot, nowMs: number): Outgoing | undefined {
    if (slot.pass === undefined) {
      slot.startedMs = nowMs;
      slot.pass = new Pass(slot.item.open(nowMs));
      if (slot.item.refillMs === undefined) this.#run(slot);
      else this.#runningFile = slot;
    }
    const outgoing = slot.pass.take();
    if (slot.pass.done) this.#end(slot);
    return outgoing;
  }

  #run(slot: CarouselSlot): void {
    this.#running.push(slot);
    this.#running.sort((a, b) => b.item.acquisitionMs - a.item.acquisitionMs);
    this.#waiting = undefined;
  }

  #end(slot: CarouselSlot): void {
    slot.pass = undefined;
    if (this.#runningFile === slot) this.#runningFile = undefined;
    this.#running = this.#running.filter((one) => one !== slot);
    this.#changed();
  }

  #changed(): void {
    this.#waiting = undefined;
    this.#admission = undefined;
  }

  /** Repeating objects between passes; also finds when the first of them must go before live. */
  #sorted(): readonly CarouselSlot[] {
    if (this.#waiting !== undefined) return this.#waiting;
    this.#waiting = [...this.#repeats.values()].filter((slot) => slot.pass === undefined);
    // Not by difference: two that were never sent are both at -Infinity.
    this.#waiting.sort((a, b) => compare(a.latestStartMs, b.latestStartMs));
    this.#urgentMs = Infinity;
    let beforeMs = 0;
    for (const { item, latestStartMs } of this.#waiting) {
      const guardMs = item.acquisitionMs * guardShare;
      this.#urgentMs = Math.min(this.#urgentMs, latestStartMs - guardMs - beforeMs);
      beforeMs += item.wireBytes() * 8000 / this.#bitsPerSecond;
    }
    return this.#waiting;
  }

  #admit(nowMs: number): Admission {
    const rate = this.#bitsPerSecond;
    const live = this.#liveRate.bitsPerSecond(nowMs);
    let repeatBits = 0;
    let repeatRate = 0;
    for (const { item } of this.#repeats.values()) {
      const bits = item.wireBytes() * 8;
      repeatBits += bits;
      repeatRate += bits / (item.acquisitionMs * dueShare / 1000);
    }
    // Within one cycle files also wait for the burst of live and one round of repeating objects.
    let cycleMs = Infinity;
    let fileRate = 0;
    for (const { item } of this.#files.values()) {
      cycleMs = Math.min(cycleMs, item.acquisitionMs);
      fileRate += item.wireBytes() * 8 / (item.acquisitionMs / 1000);
    }
    if (this.#files.size > 0) {
      fileRate += (repeatBits + this.#liveRate.burstBits) / (cycleMs / 1000);
    }
    const repeatsFit = live + repeatRate <= rate && repeatRate <= rate * repeatShare;
    return {
      rateBitsPerSecond: rate,
      liveBitsPerSecond: live,
      repeatBitsPerSecond: repeatRate,
      fileBitsPerSecond: fileRate,
      repeatsFit,
      holds: repeatsFit && live + repeatRate + fileRate <= rate,
    };
  }
}

function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Live bytes queued in each of the last seconds. */
class LiveRate {
  readonly #seconds: { readonly second: number; bytes: number }[] = [];

  add(bytes: number, nowMs: number): void {
    this.#forget(nowMs);
    const second = Math.floor(nowMs / 1000);
    const last = this.#seconds.at(-1);
    if (last?.second === second) last.bytes += bytes;
    else this.#seconds.push({ second, bytes });
  }

  bitsPerSecond(nowMs: number): number {
    this.#forget(nowMs);
    return this.#seconds.reduce((sum, { bytes }) => sum + bytes, 0) * 8 / liveWindowSeconds;
  }

  /** The most that was queued within one second. */
  get burstBits(): number {
    return this.#seconds.reduce((most, { bytes }) => Math.max(most, bytes), 0) * 8;
  }

  #forget(nowMs: number): void {
    const first = Math.floor(nowMs / 1000) - liveWindowSeconds;
    while (this.#seconds.length > 0 && this.#seconds[0].second <= first) this.#seconds.shift();
  }
}
