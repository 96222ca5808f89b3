/**
 * LCT header extensions (RFC 5651 §5.2) and the ones that FLUTE knows.
 *
 * @module
 */

import type { LctHeader, LctRejection } from "./header.ts";

/** Header extension types. Those below 128 carry their length, the others are one word. */
export const extensionTypes = {
  nop: 0,
  auth: 1,
  time: 2,
  /** FEC object transmission information; its layout depends on the FEC encoding ID. */
  fti: 64,
  /** DVB-IPTV content download. */
  cds: 65,
  routePresentationTime: 66,
  /** ROUTE transfer length, 48 bits. */
  tol48: 67,
  /** DVB-NIP actual carrier information. */
  naci: 68,
  fdt: 192,
  cenc: 193,
  /** ROUTE transfer length, 24 bits. */
  tol24: 194,
} as const;

/** One extension as it stands in a header. */
export interface LctExtension {
  readonly type: number;
  /** What follows the type byte, or type and length bytes. */
  readonly content: Uint8Array;
}

/**
 * Walks the extensions of a header whose fixed part is decoded, and notes where the first of each
 * known type is.
 *
 * @returns `undefined`, or why the header is malformed.
 */
export function indexExtensions(packet: Uint8Array, header: LctHeader): LctRejection | undefined {
  header.timeOffset =
    header.ftiOffset =
    header.fdtOffset =
    header.cencOffset =
    header.naciOffset =
      0;
  header.repeatedExtensions = 0;
  const end = header.headerBytes;
  for (let offset = header.extensionsOffset; offset < end;) {
    const bytes = extensionBytes(packet, offset);
    if (bytes === 0) return "extension_empty";
    if (offset + bytes > end) return "extension_overrun";
    note(header, packet[offset], offset);
    offset += bytes;
  }
  return undefined;
}

/** Lists every extension of a decoded header, known or not, in order. */
export function listExtensions(packet: Uint8Array, header: LctHeader): LctExtension[] {
  const found: LctExtension[] = [];
  for (let offset = header.extensionsOffset; offset < header.headerBytes;) {
    const type = packet[offset];
    const bytes = extensionBytes(packet, offset);
    found.push({ type, content: packet.subarray(offset + (type < 128 ? 2 : 1), offset + bytes) });
    offset += bytes;
  }
  return found;
}

/** The content of the extension at `offset` (one of the offsets of a decoded header), as a view. */
export function extensionContent(packet: Uint8Array, offset: number): Uint8Array {
  return packet.subarray(
    offset + (packet[offset] < 128 ? 2 : 1),
    offset + extensionBytes(packet, offset),
  );
}

/**
 * Encodes an extension.
 *
 * @param content Without type and length: 4n-2 bytes for a type below 128, else 3.
 * @throws RangeError when the content does not fill whole words.
 */
export function encodeExtension(type: number, content: Uint8Array): Uint8Array {
  const prefix = type < 128 ? 2 : 1;
  const bytes = prefix + content.length;
  if (bytes % 4 !== 0 || bytes > 1020 || (prefix === 1 && bytes !== 4)) {
    throw new RangeError(
      `Cannot encode LCT extension ${type}: need whole words (RFC 5651 §5.2): ` +
        `received ${content.length} bytes`,
    );
  }
  const extension = new Uint8Array(bytes);
  extension[0] = type;
  if (prefix === 2) extension[1] = bytes / 4;
  extension.set(content, prefix);
  return extension;
}

/**
 * Every offset of an extension is a whole word before the header's end, so both bytes can be read.
 */
function extensionBytes(packet: Uint8Array, offset: number): number {
  return packet[offset] < 128 ? packet[offset + 1] * 4 : 4;
}

function note(header: LctHeader, type: number, offset: number): void {
  if (type === extensionTypes.fti) header.ftiOffset = first(header, header.ftiOffset, offset);
  else if (type === extensionTypes.fdt) header.fdtOffset = first(header, header.fdtOffset, offset);
  else if (type === extensionTypes.time) {
    header.timeOffset = first(header, header.timeOffset, offset);
  } else if (type === extensionTypes.cenc) {
    header.cencOffset = first(header, header.cencOffset, offset);
  } else if (type === extensionTypes.naci) {
    header.naciOffset = first(header, header.naciOffset, offset);
  }
}

function first(header: LctHeader, known: number, offset: number): number {
  if (known === 0) return offset;
  header.repeatedExtensions++;
  return known;
}
