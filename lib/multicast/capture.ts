/**
 * Capture files: UDP datagrams as tcpdump and Wireshark keep them (pcap and pcapng read, pcap
 * written), so that what was on the air can be looked at elsewhere and played again. Pure.
 *
 * @module
 */

import { isMulticast, parseIpv4, type UdpAddress } from "./address.ts";

/** A datagram of a capture. */
export interface CapturedDatagram {
  /** Wall clock, in milliseconds since the Unix epoch. */
  readonly timeMs: number;
  readonly from: UdpAddress;
  readonly to: UdpAddress;
  readonly payload: Uint8Array;
}

/** Why a file is no capture that can be read. */
export type CaptureRejection = "unknown_format";

/** Link types whose frames can be opened, with the bytes before the IP header. */
const linkHeaderBytes: Record<number, number> = { 1: 14, 101: 0, 113: 16, 228: 0, 276: 20 };
const rawIp = 101;

/**
 * Reads the IPv4 UDP datagrams of a capture; everything else in it is passed over, and so is what
 * was cut off.
 *
 * @returns Payloads are views of `file`.
 */
export function readCapture(file: Uint8Array): CapturedDatagram[] | CaptureRejection {
  if (file.length < 24) return "unknown_format";
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const magic = view.getUint32(0);
  if (magic === 0x0a0d0d0a) return readPcapng(file, view);
  const little = magic === 0xd4c3b2a1 || magic === 0x4d3cb2a1;
  if (!little && magic !== 0xa1b2c3d4 && magic !== 0xa1b23c4d) return "unknown_format";
  const nanoseconds = magic === 0x4d3cb2a1 || magic === 0xa1b23c4d;
  return readPcap(file, view, { little, perMs: nanoseconds ? 1e6 : 1e3 });
}

/** Writes a pcap of raw IPv4 packets with valid checksums, time in microseconds. */
export function writeCapture(datagrams: readonly CapturedDatagram[]): Uint8Array {
  const bytes = datagrams.reduce((sum, { payload }) => sum + 16 + 28 + payload.length, 24);
  const file = new Uint8Array(bytes);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0xa1b2c3d4);
  view.setUint16(4, 2);
  view.setUint16(6, 4);
  view.setUint32(16, 65_535);
  view.setUint32(20, rawIp);
  let offset = 24;
  for (const datagram of datagrams) {
    const packetBytes = 28 + datagram.payload.length;
    const wholeMs = Math.floor(datagram.timeMs);
    view.setUint32(offset, Math.floor(wholeMs / 1000));
    view.setUint32(offset + 4, (wholeMs % 1000) * 1000 + (datagram.timeMs - wholeMs) * 1000);
    view.setUint32(offset + 8, packetBytes);
    view.setUint32(offset + 12, packetBytes);
    writePacket(file.subarray(offset + 16, offset + 16 + packetBytes), datagram);
    offset += 16 + packetBytes;
  }
  return file;
}

function readPcap(
  file: Uint8Array,
  view: DataView,
  { little, perMs }: { little: boolean; perMs: number },
): CapturedDatagram[] {
  const found: CapturedDatagram[] = [];
  const link = view.getUint32(20, little);
  for (let offset = 24; offset + 16 <= file.length;) {
    const timeMs = view.getUint32(offset, little) * 1000 +
      view.getUint32(offset + 4, little) / perMs;
    const bytes = view.getUint32(offset + 8, little);
    const frame = file.subarray(offset + 16, offset + 16 + bytes);
    const datagram = readFrame(frame, link, timeMs);
    if (datagram) found.push(datagram);
    offset += 16 + bytes;
  }
  return found;
}

/**
 * Section headers, interface descriptions and enhanced packets; time in microseconds unless an
 * option says else.
 */
function readPcapng(file: Uint8Array, view: DataView): CapturedDatagram[] {
  const found: CapturedDatagram[] = [];
  let little = true;
  let interfaces: { link: number; unitsPerMs: number }[] = [];
  for (let offset = 0; offset + 12 <= file.length;) {
    if (view.getUint32(offset) === 0x0a0d0d0a) {
      little = view.getUint32(offset + 8, true) === 0x1a2b3c4d;
      interfaces = [];
    }
    const type = view.getUint32(offset, little);
    const bytes = view.getUint32(offset + 4, little);
    if (bytes < 12 || offset + bytes > file.length) break;
    if (type === 1 && bytes >= 20) {
      const unitsPerMs = timeUnitsPerMs(view, offset, { bytes, little });
      interfaces.push({ link: view.getUint16(offset + 8, little), unitsPerMs });
    } else if (type === 6 && bytes >= 32) {
      const on = interfaces[view.getUint32(offset + 8, little)];
      const time = view.getUint32(offset + 12, little) * 2 ** 32 +
        view.getUint32(offset + 16, little);
      const length = Math.min(view.getUint32(offset + 20, little), bytes - 32);
      const frame = file.subarray(offset + 28, offset + 28 + length);
      const datagram = on && readFrame(frame, on.link, time / on.unitsPerMs);
      if (datagram) found.push(datagram);
    }
    offset += bytes;
  }
  return found;
}

/** Option if_tsresol of an interface description block. */
function timeUnitsPerMs(
  view: DataView,
  block: number,
  { bytes, little }: { bytes: number; little: boolean },
): number {
  const end = block + bytes - 4;
  for (let offset = block + 16; offset + 4 <= end;) {
    const code = view.getUint16(offset, little);
    const length = view.getUint16(offset + 2, little);
    if (code === 9 && length === 1 && offset + 5 <= end) {
      const resolution = view.getUint8(offset + 4);
      const perSecond = resolution & 0x80 ? 2 ** (resolution & 0x7f) : 10 ** resolution;
      return perSecond / 1000;
    }
    offset += 4 + Math.ceil(length / 4) * 4;
  }
  return 1000;
}

function readFrame(frame: Uint8Array, link: number, timeMs: number): CapturedDatagram | undefined {
  const skip = linkHeaderBytes[link];
  if (skip === undefined) return undefined;
  const ip = frame.subarray(skip);
  if (ip.length < 20 || ip[0] >> 4 !== 4 || ip[9] !== 17) return undefined;
  const fragment = ((ip[6] & 0x3f) << 8) | ip[7]; // more fragments, or not the first
  const udp = ip.subarray((ip[0] & 15) * 4);
  if (fragment !== 0 || udp.length < 8) return undefined;
  const length = udp[4] * 256 + udp[5];
  if (length < 8 || length > udp.length) return undefined;
  return {
    timeMs,
    from: { host: ip.subarray(12, 16).join("."), port: udp[0] * 256 + udp[1] },
    to: { host: ip.subarray(16, 20).join("."), port: udp[2] * 256 + udp[3] },
    payload: udp.subarray(8, length),
  };
}

function writePacket(packet: Uint8Array, { from, to, payload }: CapturedDatagram): void {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  packet[0] = 0x45;
  view.setUint16(2, packet.length);
  packet[8] = isMulticast(to.host) ? 1 : 64; // TTL
  packet[9] = 17;
  packet.set(parseIpv4(from.host) ?? [], 12);
  packet.set(parseIpv4(to.host) ?? [], 16);
  view.setUint16(10, checksum(packet.subarray(0, 20), 0));
  view.setUint16(20, from.port);
  view.setUint16(22, to.port);
  view.setUint16(24, packet.length - 20);
  packet.set(payload, 28);
  // The pseudo header: addresses, protocol and UDP length.
  const pseudo = sumWords(packet.subarray(12, 20)) + 17 + packet.length - 20;
  view.setUint16(26, checksum(packet.subarray(20), pseudo) || 0xffff);
}

function checksum(bytes: Uint8Array, initial: number): number {
  let sum = initial + sumWords(bytes);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

function sumWords(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] << 8) | (bytes[i + 1] ?? 0);
  return sum;
}
