/**
 * EXT_FTI, the object transmission information in a packet header. Layouts: RFC 5445 §3.2.3 (IDs 0,
 * 128 to 130), RFC 5510 §4.2.3 and §5.2.3 (2, 5), RFC 5053 §3.2.3 (1), RFC 6330 §3.3 (6).
 *
 * @module
 */

import { fecEncodingIds, type FecOti } from "./oti.ts";
import { areSound } from "./reed_solomon/oti.ts";

/** Layouts that follow the transfer length, by encoding ID. */
const readers: Record<number, (view: DataView, content: Uint8Array) => Partial<FecOti>> = {
  [fecEncodingIds.noCode]: readCompact,
  [fecEncodingIds.smallBlockLargeBlockExpandable]: readCompact,
  [fecEncodingIds.compact]: readCompact,
  [fecEncodingIds.smallBlockSystematic]: (view) => ({
    instanceId: view.getUint16(6),
    symbolBytes: view.getUint16(8),
    maxSourceBlockSymbols: view.getUint16(10),
    maxEncodingSymbols: view.getUint16(12),
  }),
  [fecEncodingIds.reedSolomon8]: (view) => ({
    symbolBytes: view.getUint16(6),
    maxSourceBlockSymbols: view.getUint8(8),
    maxEncodingSymbols: view.getUint8(9),
  }),
  [fecEncodingIds.reedSolomonM]: (view, content) => ({
    schemeSpecific: content.slice(6, 8),
    symbolBytes: view.getUint16(8),
    maxSourceBlockSymbols: view.getUint16(10),
    maxEncodingSymbols: view.getUint16(12),
  }),
  [fecEncodingIds.raptor]: (view, content) => ({
    symbolBytes: view.getUint16(8),
    schemeSpecific: content.slice(10, 14),
  }),
  [fecEncodingIds.raptorQ]: (view, content) => ({
    transferLength: view.getUint32(0) * 256 + view.getUint8(4),
    symbolBytes: view.getUint16(6),
    schemeSpecific: content.slice(8, 12),
  }),
};

const contentBytes: Record<number, number> = { [fecEncodingIds.reedSolomon8]: 10 };

/**
 * Reads the content of an EXT_FTI.
 *
 * @param encodingId The FEC encoding ID, which in FLUTE is the codepoint.
 * @param content What follows type and length.
 * @returns `undefined` for an unknown scheme or a wrong length.
 */
export function decodeFti(encodingId: number, content: Uint8Array): FecOti | undefined {
  const read = readers[encodingId];
  if (!read || content.length < (contentBytes[encodingId] ?? 14)) return undefined;
  const view = new DataView(content.buffer, content.byteOffset, content.length);
  const transferLength = view.getUint16(0) * 2 ** 32 + view.getUint32(2);
  return { encodingId, transferLength, symbolBytes: 0, ...read(view, content) };
}

/**
 * Writes the content of an EXT_FTI for Compact No-Code, RaptorQ or Reed-Solomon (5).
 *
 * @throws RangeError for a value that its field cannot hold, or another scheme.
 */
export function encodeFti(oti: FecOti): Uint8Array {
  const { encodingId, symbolBytes } = oti;
  mustHold(
    symbolBytes >= 1 && symbolBytes <= 65_535,
    "symbol must be 1 to 65535 bytes",
    symbolBytes,
  );
  if (encodingId === fecEncodingIds.raptorQ) return encodeRaptorQ(oti);
  if (encodingId === fecEncodingIds.reedSolomon8) return encodeReedSolomon(oti);
  mustHold(
    encodingId === fecEncodingIds.noCode,
    "FEC encoding ID must be 0, 5 or 6",
    encodingId,
  );
  return encodeCompact(oti);
}

function encodeCompact(oti: FecOti): Uint8Array {
  const { transferLength, symbolBytes, maxSourceBlockSymbols = 0 } = oti;
  const whole = Number.isInteger(transferLength) && transferLength >= 0;
  mustHold(whole && transferLength < 2 ** 48, "transfer length must fit 48 bits", transferLength);
  mustHold(
    maxSourceBlockSymbols >= 1 && maxSourceBlockSymbols < 2 ** 32,
    "source block must be 1 to 4294967295 symbols",
    maxSourceBlockSymbols,
  );
  const content = new Uint8Array(14);
  const view = new DataView(content.buffer);
  view.setUint16(0, Math.floor(transferLength / 2 ** 32));
  view.setUint32(2, transferLength % 2 ** 32);
  view.setUint16(6, oti.instanceId ?? 0);
  view.setUint16(8, symbolBytes);
  view.setUint32(10, maxSourceBlockSymbols);
  return content;
}

/** RFC 6330 §3.3.2, §3.3.3: 40 bits of length, 8 reserved, T, Z, N, Al; padded to whole words. */
function encodeRaptorQ({ transferLength, symbolBytes, schemeSpecific }: FecOti): Uint8Array {
  const whole = Number.isInteger(transferLength) && transferLength >= 0;
  mustHold(whole && transferLength < 2 ** 40, "transfer length must fit 40 bits", transferLength);
  mustHold(
    schemeSpecific?.length === 4,
    "scheme-specific part must be 4 bytes",
    schemeSpecific?.length ?? 0,
  );
  const content = new Uint8Array(14);
  const view = new DataView(content.buffer);
  view.setUint32(0, Math.floor(transferLength / 256));
  view.setUint8(4, transferLength % 256);
  view.setUint16(6, symbolBytes);
  content.set(schemeSpecific as Uint8Array, 8);
  return content;
}

/** RFC 5510 §5.2.3: 48 bits of length, E, B, max_n. */
function encodeReedSolomon(oti: FecOti): Uint8Array {
  const { transferLength, symbolBytes, maxSourceBlockSymbols = 0, maxEncodingSymbols = 0 } = oti;
  const whole = Number.isInteger(transferLength) && transferLength >= 0;
  mustHold(whole && transferLength < 2 ** 48, "transfer length must fit 48 bits", transferLength);
  mustHold(areSound(oti), "B and max_n must be 1 to 255, B the lesser", maxSourceBlockSymbols);
  const content = new Uint8Array(10);
  const view = new DataView(content.buffer);
  view.setUint16(0, Math.floor(transferLength / 2 ** 32));
  view.setUint32(2, transferLength % 2 ** 32);
  view.setUint16(6, symbolBytes);
  content.set([maxSourceBlockSymbols, maxEncodingSymbols], 8);
  return content;
}

function readCompact(view: DataView): Partial<FecOti> {
  return {
    instanceId: view.getUint16(6),
    symbolBytes: view.getUint16(8),
    maxSourceBlockSymbols: view.getUint32(10),
  };
}

function mustHold(met: boolean, need: string, received: number): void {
  if (!met) throw new RangeError(`Cannot encode EXT_FTI: ${need}: received ${received}`);
}
