/**
 * Writing LCT headers (RFC 5651 §5.1).
 *
 * @module
 */

import type { Toi } from "./header.ts";

/** The size flags: TSI has 32 S + 16 H bits, TOI has 32 O + 16 H bits. */
export interface LctForm {
  readonly s: 0 | 1;
  readonly o: 0 | 1 | 2 | 3;
  readonly h: 0 | 1;
}

/** What a header says. */
export interface LctFields {
  /** 0 to 2^48-1. */
  readonly tsi: number;
  /** 0 to 2^112-1; absent only on a packet that closes the session. */
  readonly toi?: Toi;
  readonly codepoint: number;
  /** The two protocol-specific bits; 0 in FLUTE. */
  readonly psi?: number;
  readonly closeSession?: boolean;
  readonly closeObject?: boolean;
  /** Congestion control information, 4, 8, 12 or 16 bytes; four zero bytes by default. */
  readonly cci?: Uint8Array;
  /** Whole extensions, type byte first, a multiple of 4 bytes each. */
  readonly extensions?: readonly Uint8Array[];
  /** Forces the sizes; by default `smallestForm`. */
  readonly form?: LctForm;
}

const emptyCci = new Uint8Array(4);

/**
 * Chooses how large TSI and TOI are written: 16 bits each when both fit, because the simplest
 * receivers know only that form, 32 bits each when that is enough, else the smallest form that
 * holds both.
 *
 * @throws RangeError when no form holds them.
 */
export function smallestForm(tsi: number, toi: Toi | undefined): LctForm {
  if (!Number.isSafeInteger(tsi) || tsi < 0 || tsi >= 2 ** 48) {
    throw refusal("TSI must be an integer of at most 48 bits (RFC 5651 §5.1)", tsi);
  }
  if (toi === undefined) return { s: 1, o: 0, h: tsi < 2 ** 32 ? 0 : 1 };
  const bits = toi.toString(2).length;
  if (toi < 0 || bits > 112 || (typeof toi === "number" && !Number.isSafeInteger(toi))) {
    throw refusal("TOI must be an integer of at most 112 bits (RFC 5651 §5.1)", toi);
  }
  if (tsi < 2 ** 16 && bits <= 16) return { s: 0, o: 0, h: 1 };
  const h = tsi >= 2 ** 32 || bits > 96 ? 1 : 0;
  const o = Math.max(h ? 0 : 1, Math.ceil((bits - 16 * h) / 32)) as LctForm["o"];
  return { s: h && tsi < 2 ** 16 ? 0 : 1, o, h };
}

/**
 * Encodes a header.
 *
 * @throws RangeError for a value that its field cannot hold.
 */
export function encodeLctHeader(fields: LctFields): Uint8Array {
  const { tsi, toi, codepoint, psi = 0, cci = emptyCci, extensions = [] } = fields;
  const form = fields.form ?? smallestForm(tsi, toi);
  const tsiBytes = form.s * 4 + form.h * 2;
  const toiBytes = form.o * 4 + form.h * 2;
  const extensionBytes = extensions.reduce((sum, extension) => sum + extension.length, 0);
  const headerBytes = 4 + cci.length + tsiBytes + toiBytes + extensionBytes;
  checkSizes(fields, cci, headerBytes);

  const header = new Uint8Array(headerBytes);
  header[0] = 0x10 | ((cci.length / 4 - 1) << 2) | psi;
  header[1] = (form.s << 7) | (form.o << 5) | (form.h << 4) |
    (fields.closeSession ? 2 : 0) | (fields.closeObject ? 1 : 0);
  header[2] = headerBytes / 4;
  header[3] = codepoint;
  header.set(cci, 4);
  let offset = 4 + cci.length;
  writeInteger(header, offset, tsiBytes, tsi, "TSI");
  writeInteger(header, offset += tsiBytes, toiBytes, toi ?? 0, "TOI");
  offset += toiBytes;
  for (const extension of extensions) {
    header.set(extension, offset);
    offset += extension.length;
  }
  return header;
}

function checkSizes(fields: LctFields, cci: Uint8Array, headerBytes: number): void {
  const { codepoint, psi = 0, toi, closeSession } = fields;
  if (![4, 8, 12, 16].includes(cci.length)) {
    throw refusal("CCI must be 4, 8, 12 or 16 bytes (RFC 5651 §5.1)", cci.length);
  }
  if (headerBytes % 4 !== 0 || headerBytes > 1020) {
    throw refusal(
      "HDR_LEN must be whole words, at most 255 (RFC 5651 §5.1)",
      `${headerBytes} bytes`,
    );
  }
  if (!Number.isInteger(codepoint) || codepoint < 0 || codepoint > 255) {
    throw refusal("codepoint must be 0 to 255", codepoint);
  }
  if (!Number.isInteger(psi) || psi < 0 || psi > 3) throw refusal("PSI must be 0 to 3", psi);
  if (toi === undefined && !closeSession) {
    throw refusal("TOI may be absent only when the session is closed (RFC 5775 §4.2)", "none");
  }
}

function writeInteger(header: Uint8Array, offset: number, bytes: number, value: Toi, name: string) {
  let rest = BigInt(value);
  for (let i = offset + bytes - 1; i >= offset; i--) {
    header[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  if (rest !== 0n) throw refusal(`${name} must fit ${bytes * 8} bits`, value);
}

function refusal(need: string, received: unknown): RangeError {
  return new RangeError(`Cannot encode LCT header: ${need}: received ${received}`);
}
