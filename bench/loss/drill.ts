/**
 * A drill in virtual time: live segments, or a file of a carousel, through bad weather, with and
 * without a way back.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { FluteReceiver, FluteSender, type ReceivingObject } from "#flute";
import { Channel, seeded, type Weather } from "./channel.ts";

/** How live segments are protected. */
export interface Protection {
  /** FEC encoding ID. */
  readonly encodingId: number;
  /** Repair symbols for each source symbol. */
  readonly overhead: number;
}

/** A live channel. */
export interface Live extends Protection {
  readonly segments: number;
  readonly segmentBytes: number;
  readonly segmentSeconds: number;
  /** The weather while a segment is sent. */
  readonly weather: (segment: number) => Weather;
  /** Bit/s of the way back; absent where there is none. */
  readonly repairRate?: number;
  readonly seed: number;
}

/** What became of it. */
export interface LiveOutcome {
  /** Segments that never came whole. */
  readonly lost: number;
  /**
   * Seconds without a picture: the length of each lost segment, and how much later than its play time
   * each other one was whole.
   */
  readonly stallSeconds: number;
  /** Bytes that came by the way back. */
  readonly repairedBytes: number;
  /** The last segment that was lost; -1 when none was. */
  readonly lastLost: number;
}

/** A segment is played so long after the last packet of it, in seconds: the player's buffer. */
const playAfterSeconds = 4;
/** From the end of a segment to the first byte of an answer: reorder window, back-off, round trip. */
const askSeconds = 0.5;
const startMs = Date.parse("2026-11-22T12:00:00Z");
const source = "192.0.2.7";

/** The same noise in every segment but for its first bytes: making it costs time too. */
function segmentBodies(count: number, bytes: number): Uint8Array[] {
  const random = seeded(17);
  const noise = Uint8Array.from({ length: bytes }, () => Math.floor(random() * 256));
  return Array.from({ length: count }, (_, segment) => {
    const body = noise.slice();
    new DataView(body.buffer).setUint32(0, segment);
    return body;
  });
}

/** Packets of each segment, with the FDT each two thirds of a second. */
export function liveProgramme(live: Protection & Pick<Live, "segments" | "segmentBytes">): {
  readonly bodies: readonly Uint8Array[];
  readonly packets: readonly (readonly Uint8Array[])[];
} {
  const sender = new FluteSender({ tsi: 10, encodingId: live.encodingId });
  const bodies = segmentBodies(live.segments, live.segmentBytes);
  const packets = bodies.map((body, segment) => {
    for (const toi of sender.tois.slice(0, -2)) sender.remove(toi, startMs);
    const toi = sender.add({ contentLocation: `http://dvb.gw/${segment}.m4s`, body }, startMs);
    const media = [...sender.objectPackets(toi, { repairShare: live.overhead })];
    const fdt = sender.fdtPackets(startMs);
    const third = Math.ceil(media.length / 3);
    const thirds = [0, 1, 2].map((at) => media.slice(at * third, (at + 1) * third));
    return [...fdt, ...thirds.flatMap((part) => [...part, ...fdt])];
  });
  return { bodies, packets };
}

/** Runs a live channel through the weather, and checks every byte of what came whole. */
export async function runLive(
  live: Live,
  { bodies, packets } = liveProgramme(live),
): Promise<LiveOutcome> {
  const objects = new Map<string, ReceivingObject>();
  const receiver = new FluteReceiver({
    onEvent: (event) => {
      if (event.kind === "object_started") {
        objects.set(event.object.file.contentLocation, event.object);
      }
    },
  });
  const channel = new Channel(live.seed);
  const outcome = { lost: 0, stallSeconds: 0, repairedBytes: 0, lastLost: -1 };
  let wayBackFreeAt = 0;
  for (const [segment, body] of bodies.entries()) {
    const endSeconds = (segment + 1) * live.segmentSeconds;
    let nowMs = startMs + segment * live.segmentSeconds * 1000;
    const stepMs = live.segmentSeconds * 900 / packets[segment].length;
    const carried = channel.carry(packets[segment], live.weather(segment));
    let heard = 0;
    for (const packet of carried) {
      receiver.receive(packet, source, nowMs += stepMs);
      if (++heard % 20 === 0) receiver.tick(nowMs);
    }
    nowMs = startMs + endSeconds * 1000;
    for (const packet of channel.rest()) receiver.receive(packet, source, nowMs);
    receiver.tick(nowMs);
    const location = `http://dvb.gw/${segment}.m4s`;
    const object = objects.get(location);
    objects.delete(location);
    if (object?.complete) {
      mustEqual(await object.content(), body);
      continue;
    }
    if (live.repairRate === undefined) {
      outcome.lost++;
      outcome.stallSeconds += live.segmentSeconds;
      outcome.lastLost = segment;
      object?.release();
      continue;
    }
    const bytes = repair(object, body);
    if (object !== undefined) mustEqual(await object.content(), body);
    outcome.repairedBytes += bytes;
    const begins = Math.max(endSeconds + askSeconds, wayBackFreeAt);
    wayBackFreeAt = begins + bytes * 8 / live.repairRate;
    outcome.stallSeconds += Math.max(0, wayBackFreeAt - endSeconds - playAfterSeconds);
  }
  return outcome;
}

/** Fills the holes from the edge, or fetches all of what no FDT told of; bytes fetched. */
function repair(object: ReceivingObject | undefined, body: Uint8Array): number {
  if (object === undefined) return body.length;
  let bytes = 0;
  for (let turn = 0; turn < 8 && !object.complete; turn++) {
    for (const [start, end] of object.holes()) {
      object.fill(start, body.subarray(start, end));
      bytes += end - start;
    }
  }
  return bytes;
}

/** A wrong byte would make every figure worthless. */
function mustEqual(received: Uint8Array | string, sent: Uint8Array): void {
  if (typeof received !== "string" && Buffer.compare(received, sent) === 0) return;
  const what = typeof received === "string" ? received : "other bytes";
  throw new Error(`Cannot go on with the drill: need the bytes that were sent: received ${what}`);
}

/** A file that comes round, and who waits for it. */
export interface Carousel {
  readonly encodingId: number;
  readonly fileBytes: number;
  readonly weather: (pass: number) => Weather;
  readonly mostPasses: number;
  readonly seed: number;
}

/** How many passes were sent until the file was whole, in fractions, and packets heard per symbol. */
export async function runCarousel(
  carousel: Carousel,
): Promise<{ readonly passes: number; readonly heard: number } | undefined> {
  const sender = new FluteSender({ tsi: 10, encodingId: carousel.encodingId });
  const [body] = segmentBodies(1, carousel.fileBytes);
  const toi = sender.add({ contentLocation: "http://dvb.gw/film.mp4", body }, startMs);
  const symbols = sender.size(toi)!.packets;
  let whole: ReceivingObject | undefined;
  const receiver = new FluteReceiver({
    onEvent: (event) => {
      if (event.kind === "complete") whole = event.object;
    },
  });
  const channel = new Channel(carousel.seed);
  const fdt = sender.fdtPackets(startMs);
  for (const packet of fdt) receiver.receive(packet, source, startMs);
  let sent = 0;
  let heard = 0;
  for (let pass = 0; pass < carousel.mostPasses; pass++) {
    const packets = function* () {
      for (const packet of pass === 0 ? sender.objectPackets(toi) : sender.freshPackets(toi)) {
        sent++;
        yield packet;
      }
    }();
    for (const packet of channel.carry(packets, carousel.weather(pass))) {
      heard++;
      const nowMs = startMs + sent;
      receiver.receive(packet, source, nowMs);
      if (sent % 20 === 0) receiver.tick(nowMs);
      if (whole === undefined) continue;
      mustEqual(await whole.content(), body);
      return { passes: sent / symbols, heard: heard / symbols };
    }
  }
  return undefined;
}
