/**
 * The LCT header up to its extensions, in every size of its fields (RFC 5651 §5.1).
 *
 * @module
 */

import { indexExtensions } from "./extensions.ts";

/** Transport object identifier, up to 112 bits: a number when safe (below 2^53), else a bigint. */
export type Toi = number | bigint;

/** Why a datagram is not an LCT packet. */
export type LctRejection =
  /** Shorter than a header word, or than its HDR_LEN says. */
  | "truncated"
  | "bad_version"
  /** HDR_LEN leaves no room for the fields that the flags announce. */
  | "header_too_short"
  /** An extension with HEL 0, which would never end. */
  | "extension_empty"
  /** An extension that reaches past the header. */
  | "extension_overrun";

/**
 * A decoded header. One object can be used again for each packet: `decodeLctHeader` writes all of
 * it. Offsets are in bytes from the start of the packet; 0 stands for an extension that is absent.
 */
export interface LctHeader {
  /** Where the payload begins (for ALC: the FEC payload ID). */
  headerBytes: number;
  /** In FLUTE the FEC encoding ID, in ROUTE the kind of object. */
  codepoint: number;
  /** The two protocol-specific bits. */
  psi: number;
  /** A: the session ends soon. */
  closeSession: boolean;
  /** B: no more packets of this object soon. */
  closeObject: boolean;
  /** Size of the congestion control information, which begins at offset 4: 4, 8, 12 or 16. */
  cciBytes: number;
  /** Absent when the packet carries none, which ALC forbids. */
  tsi: number | undefined;
  toi: Toi | undefined;
  /** Where the extensions begin; they end at `headerBytes`. */
  extensionsOffset: number;
  timeOffset: number;
  ftiOffset: number;
  fdtOffset: number;
  cencOffset: number;
  naciOffset: number;
  /** Extensions whose type came before in the same header; the first one counts. */
  repeatedExtensions: number;
}

/** Returns a header to decode into. */
export function emptyLctHeader(): LctHeader {
  return {
    headerBytes: 0,
    codepoint: 0,
    psi: 0,
    closeSession: false,
    closeObject: false,
    cciBytes: 4,
    tsi: undefined,
    toi: undefined,
    extensionsOffset: 0,
    timeOffset: 0,
    ftiOffset: 0,
    fdtOffset: 0,
    cencOffset: 0,
    naciOffset: 0,
    repeatedExtensions: 0,
  };
}

/**
 * Decodes the header of a datagram.
 *
 * The reserved bits are ignored, as RFC 5651 asks: the older use of two of them (RFC 3451, sender
 * time and residual time words) is not guessed.
 *
 * @param packet A whole UDP payload.
 * @param into Where to write; give the same one each time on a hot path.
 * @returns `into`, or why the datagram is no LCT packet (`into` is then meaningless).
 */
export function decodeLctHeader(
  packet: Uint8Array,
  into: LctHeader = emptyLctHeader(),
): LctHeader | LctRejection {
  if (packet.length < 4) return "truncated";
  if (packet[0] >> 4 !== 1) return "bad_version";
  const sizes = packet[1];
  const headerBytes = packet[2] * 4;
  if (headerBytes > packet.length) return "truncated";
  const half = (sizes >> 4) & 1; // H
  const cciBytes = (((packet[0] >> 2) & 3) + 1) * 4;
  const tsiBytes = (sizes >> 7) * 4 + half * 2;
  const toiBytes = ((sizes >> 5) & 3) * 4 + half * 2;
  const toiOffset = 4 + cciBytes + tsiBytes;
  if (toiOffset + toiBytes > headerBytes) return "header_too_short";

  into.headerBytes = headerBytes;
  into.codepoint = packet[3];
  into.psi = packet[0] & 3;
  into.closeSession = (sizes & 2) !== 0;
  into.closeObject = (sizes & 1) !== 0;
  into.cciBytes = cciBytes;
  into.tsi = tsiBytes === 0 ? undefined : readUpTo48(packet, toiOffset - tsiBytes, tsiBytes);
  into.toi = toiBytes === 0 ? undefined : readToi(packet, toiOffset, toiBytes);
  into.extensionsOffset = toiOffset + toiBytes;
  return indexExtensions(packet, into) ?? into;
}

/** Reads a big-endian integer of 2, 4 or 6 bytes. */
function readUpTo48(packet: Uint8Array, offset: number, bytes: number): number {
  let value = 0;
  for (let i = offset; i < offset + bytes; i++) value = value * 256 + packet[i];
  return value;
}

function readToi(packet: Uint8Array, offset: number, bytes: number): Toi {
  if (bytes <= 6) return readUpTo48(packet, offset, bytes);
  let value = 0n;
  for (let i = offset; i < offset + bytes; i++) value = (value << 8n) | BigInt(packet[i]);
  return normalToi(value);
}

/** The one form of a TOI: equal identifiers are equal by `===` and as keys of a `Map`. */
export function normalToi(toi: Toi): Toi {
  if (typeof toi === "number") return toi;
  return toi <= Number.MAX_SAFE_INTEGER ? Number(toi) : toi;
}
