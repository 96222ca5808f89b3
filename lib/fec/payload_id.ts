/**
 * FEC payload IDs: which symbol a packet carries (RFC 5445, 5053, 5510, 6330). It stands right
 * after the LCT header.
 *
 * @module
 */

import { fecEncodingIds } from "./oti.ts";

/** Which symbol. One object can be used again for each packet. */
export interface PayloadId {
  /** Source block number. */
  sbn: number;
  /** Encoding symbol ID within the block. */
  esi: number;
  /** Source symbols of the block, in scheme 129 only; else 0. */
  sourceBlockSymbols: number;
  /** Bytes of the payload ID itself: 4 or 8. */
  bytes: number;
}

/** Returns a payload ID to decode into. */
export function emptyPayloadId(): PayloadId {
  return { sbn: 0, esi: 0, sourceBlockSymbols: 0, bytes: 4 };
}

/**
 * Reads the payload ID at `offset`.
 *
 * @param encodingId FEC encoding ID. Scheme 2 is read with its default field size, m = 8.
 * @param into Where to write; give the same one each time on a hot path.
 * @returns `into`, or why it cannot be read.
 */
export function decodePayloadId(
  encodingId: number,
  packet: Uint8Array,
  offset: number,
  into: PayloadId = emptyPayloadId(),
): PayloadId | "truncated" | "unsupported_fec" {
  const esiBits = esiBitsOf[encodingId];
  if (esiBits === undefined) return "unsupported_fec";
  const long = encodingId === fecEncodingIds.smallBlockSystematic ||
    encodingId === fecEncodingIds.smallBlockLargeBlockExpandable;
  into.bytes = long ? 8 : 4;
  if (offset + into.bytes > packet.length) return "truncated";
  const word = readUint32(packet, offset);
  const second = long ? readUint32(packet, offset + 4) : 0;
  const systematic = encodingId === fecEncodingIds.smallBlockSystematic;
  into.sbn = long ? word : Math.floor(word / 2 ** esiBits);
  into.esi = long ? (systematic ? second & 0xffff : second) : word % 2 ** esiBits;
  into.sourceBlockSymbols = systematic ? second >>> 16 : 0;
  return into;
}

/** How many low bits of the payload ID are the ESI. */
const esiBitsOf: Record<number, number> = {
  [fecEncodingIds.noCode]: 16,
  [fecEncodingIds.raptor]: 16,
  [fecEncodingIds.reedSolomonM]: 8,
  [fecEncodingIds.reedSolomon8]: 8,
  [fecEncodingIds.raptorQ]: 24,
  [fecEncodingIds.smallBlockLargeBlockExpandable]: 32,
  [fecEncodingIds.smallBlockSystematic]: 16,
  [fecEncodingIds.compact]: 16,
};

/** Writes a payload ID of 4 bytes, of a scheme that has such, at `offset`. */
export function writePayloadId(
  packet: Uint8Array,
  offset: number,
  { encodingId, sbn, esi }: { readonly encodingId: number; sbn: number; esi: number },
): void {
  const word = sbn * 2 ** esiBitsOf[encodingId] + esi;
  packet[offset] = word >>> 24;
  packet[offset + 1] = word >>> 16;
  packet[offset + 2] = word >>> 8;
  packet[offset + 3] = word;
}

function readUint32(packet: Uint8Array, at: number): number {
  return ((packet[at] << 24) | (packet[at + 1] << 16) | (packet[at + 2] << 8) | packet[at + 3]) >>>
    0;
}
