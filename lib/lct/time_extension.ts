/**
 * EXT_TIME: the sender's clock on the air (RFC 5651 §5.2.3). For a receiver without another clock
 * it decides when an FDT instance has expired.
 *
 * @module
 */

import { encodeExtension, extensionTypes } from "./extensions.ts";

/** What an EXT_TIME says; each part may be absent. */
export interface ExtTime {
  /** Sender current time, NTP seconds modulo 2^32. */
  readonly sentNtpSeconds?: number;
  /** Its fraction, in units of 2^-32 s; only with `sentNtpSeconds`. */
  readonly sentNtpFraction?: number;
  /** Expected residual time of the session, in milliseconds. */
  readonly residualMs?: number;
  /** When the session was last changed, NTP seconds modulo 2^32. */
  readonly lastChangedNtpSeconds?: number;
}

const sctHigh = 0x8000;
const sctLow = 0x4000;
const ert = 0x2000;
const slc = 0x1000;

/**
 * Reads EXT_TIME at `offset` of a decoded header.
 *
 * @returns `undefined` when its length does not agree with its flags.
 */
export function decodeExtTime(packet: Uint8Array, offset: number): ExtTime | undefined {
  const words = packet[offset + 1];
  const use = (packet[offset + 2] << 8) | packet[offset + 3];
  const flags = [sctHigh, sctLow, ert, slc];
  if (1 + flags.filter((flag) => use & flag).length > words) return undefined;
  if ((use & sctLow) && !(use & sctHigh)) return undefined;
  let at = offset;
  const next = (flag: number) => use & flag ? readUint32(packet, at += 4) : undefined;
  return {
    sentNtpSeconds: next(sctHigh),
    sentNtpFraction: next(sctLow),
    residualMs: next(ert),
    lastChangedNtpSeconds: next(slc),
  };
}

/**
 * Encodes EXT_TIME with the parts that are given.
 *
 * @throws RangeError for a fraction without seconds.
 */
export function encodeExtTime(time: ExtTime): Uint8Array {
  if (time.sentNtpFraction !== undefined && time.sentNtpSeconds === undefined) {
    throw new RangeError("Cannot encode EXT_TIME: a fraction needs its seconds: received none");
  }
  const parts: [flag: number, value: number | undefined][] = [
    [sctHigh, time.sentNtpSeconds],
    [sctLow, time.sentNtpFraction],
    [ert, time.residualMs],
    [slc, time.lastChangedNtpSeconds],
  ];
  const present = parts.filter(([, value]) => value !== undefined) as [number, number][];
  const content = new Uint8Array(2 + 4 * present.length);
  const view = new DataView(content.buffer);
  view.setUint16(0, present.reduce((use, [flag]) => use | flag, 0));
  present.forEach(([, value], i) => view.setUint32(2 + 4 * i, value));
  return encodeExtension(extensionTypes.time, content);
}

function readUint32(packet: Uint8Array, at: number): number {
  return ((packet[at] << 24) | (packet[at + 1] << 16) | (packet[at + 2] << 8) | packet[at + 3]) >>>
    0;
}
