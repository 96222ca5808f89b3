/**
 * A loop of MPEG-TS segments played for ever: each round carries later timestamps and the continuity
 * counters that follow, so a receiver sees one unbroken stream (ISO/IEC 13818-1 §2.4.3). Pure.
 *
 * @module
 */

const packetBytes = 188;
/** PTS, DTS and the base of the PCR count 90 kHz ticks in 33 bits. */
const timestampModulus = 2 ** 33;

/** Reads the 33 bits of a PTS or DTS, which marker bits split in three (§2.4.3.7). */
export function readTimestamp(bytes: Uint8Array, at: number): number {
  const high = bytes[at] >> 1 & 7;
  const middle = bytes[at + 1] << 7 | bytes[at + 2] >> 1;
  const low = bytes[at + 3] << 7 | bytes[at + 4] >> 1;
  return high * 2 ** 30 + middle * 2 ** 15 + low;
}

/** Writes a PTS or DTS; the marker bits and the prefix stay as they are. */
export function writeTimestamp(bytes: Uint8Array, at: number, ticks: number): void {
  const high = Math.floor(ticks / 2 ** 30);
  const rest = ticks % 2 ** 30;
  bytes[at] = bytes[at] & 0xf1 | high << 1;
  bytes[at + 1] = rest >> 22;
  bytes[at + 2] = bytes[at + 2] & 1 | rest >> 14 & 0xfe;
  bytes[at + 3] = rest >> 7;
  bytes[at + 4] = bytes[at + 4] & 1 | rest << 1 & 0xfe;
}

/** Reads the 33-bit base of a PCR (§2.4.3.5). */
export function readClockBase(bytes: Uint8Array, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 6);
  return view.getUint32(0) * 2 + (view.getUint8(4) >> 7);
}

/** Writes the base of a PCR; its extension, in 27 MHz ticks, stays. */
export function writeClockBase(bytes: Uint8Array, at: number, ticks: number): void {
  new DataView(bytes.buffer, bytes.byteOffset + at, 6).setUint32(0, Math.floor(ticks / 2));
  bytes[at + 4] = bytes[at + 4] & 0x7f | ticks % 2 << 7;
}

/** Where one segment has what must change from round to round. */
interface SegmentPlan {
  /** The packets with payload: where the counter is, and whose it is. */
  readonly counters: readonly { readonly at: number; readonly pid: number }[];
  readonly clocks: readonly number[];
  readonly timestamps: readonly number[];
  /** Packets with payload, by PID. */
  readonly packets: ReadonlyMap<number, number>;
}

/** Offsets of the PTS and DTS in the PES header that starts at `at`, if one starts there. */
function pesTimestamps(bytes: Uint8Array, at: number): number[] {
  const startsPes = bytes[at] === 0 && bytes[at + 1] === 0 && bytes[at + 2] === 1;
  const streamId = bytes[at + 3];
  // Audio (110x xxxx) and video (1110 xxxx) have the long header; PSI sections start differently.
  if (!startsPes || streamId < 0xc0 || streamId > 0xef) return [];
  const flags = bytes[at + 7] >> 6;
  if (flags === 3) return [at + 9, at + 14];
  return flags === 2 ? [at + 9] : [];
}

function planSegment(bytes: Uint8Array): SegmentPlan {
  const counters: { at: number; pid: number }[] = [];
  const clocks: number[] = [];
  const timestamps: number[] = [];
  const packets = new Map<number, number>();
  for (let at = 0; at < bytes.length; at += packetBytes) {
    if (bytes[at] !== 0x47) {
      throw new RangeError(
        `Cannot read a transport stream: packets must start with 0x47: received ${bytes[at]}`,
      );
    }
    const pid = (bytes[at + 1] & 0x1f) << 8 | bytes[at + 2];
    const adaptationBytes = bytes[at + 3] & 0x20 ? 1 + bytes[at + 4] : 0;
    if (adaptationBytes > 1 && bytes[at + 5] & 0x10) clocks.push(at + 6);
    if (!(bytes[at + 3] & 0x10)) continue;
    counters.push({ at: at + 3, pid });
    packets.set(pid, (packets.get(pid) ?? 0) + 1);
    const unitStarts = (bytes[at + 1] & 0x40) !== 0;
    if (unitStarts) timestamps.push(...pesTimestamps(bytes, at + 4 + adaptationBytes));
  }
  return { counters, clocks, timestamps, packets };
}

/** A loop of segments as an endless transport stream. */
export class EndlessTransportStream {
  readonly #segments: readonly Uint8Array[];
  readonly #segmentTicks: number;
  readonly #plans: readonly SegmentPlan[];
  /** For each segment, the packets with payload that come before it in its round, by PID. */
  readonly #before: readonly ReadonlyMap<number, number>[];
  readonly #round: ReadonlyMap<number, number>;

  /**
   * @param segments One round: whole packets, timestamps that rise by `segmentTicks` a segment.
   * @param segmentTicks Length of a segment in 90 kHz ticks.
   */
  constructor(segments: readonly Uint8Array[], segmentTicks: number) {
    this.#segments = segments;
    this.#segmentTicks = segmentTicks;
    this.#plans = segments.map(planSegment);
    const round = new Map<number, number>();
    this.#before = this.#plans.map(({ packets }) => {
      const before = new Map(round);
      for (const [pid, count] of packets) round.set(pid, (round.get(pid) ?? 0) + count);
      return before;
    });
    this.#round = round;
  }

  /**
   * Returns the bytes of segment `number`: always the same for the same number.
   *
   * @param number Counts from 0 without end; up to 2^35 it is exact.
   */
  segment(number: number): Uint8Array {
    const index = number % this.#segments.length;
    const round = Math.floor(number / this.#segments.length);
    const bytes = this.#segments[index].slice();
    const plan = this.#plans[index];
    const shift = round * this.#segments.length * this.#segmentTicks;
    for (const at of plan.timestamps) {
      writeTimestamp(bytes, at, (readTimestamp(bytes, at) + shift) % timestampModulus);
    }
    for (const at of plan.clocks) {
      writeClockBase(bytes, at, (readClockBase(bytes, at) + shift) % timestampModulus);
    }
    this.#count(bytes, index, round);
    return bytes;
  }

  #count(bytes: Uint8Array, index: number, round: number): void {
    const next = new Map<number, number>();
    for (const [pid, perRound] of this.#round) {
      next.set(pid, (round % 16 * perRound + (this.#before[index].get(pid) ?? 0)) % 16);
    }
    for (const { at, pid } of this.#plans[index].counters) {
      const counter = next.get(pid) ?? 0;
      bytes[at] = bytes[at] & 0xf0 | counter;
      next.set(pid, (counter + 1) % 16);
    }
  }
}
