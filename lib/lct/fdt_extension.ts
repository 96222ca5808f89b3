/**
 * EXT_FDT and EXT_CENC, which FLUTE puts on the packets of an FDT instance (RFC 6726 §3.4.1,
 * §3.4.3).
 *
 * @module
 */

import { encodeExtension, extensionTypes } from "./extensions.ts";

/** Which FDT instance a packet of TOI 0 belongs to. */
export interface ExtFdt {
  /** FLUTE version: 1 (RFC 3926, used by DVB and 3GPP) or 2 (RFC 6726). */
  readonly version: number;
  /** 0 to 2^20-1; wraps. */
  readonly instanceId: number;
}

/** How many FDT instance IDs there are. */
export const fdtInstanceIds = 2 ** 20;

/** How an FDT instance is encoded (EXT_CENC). */
export const contentEncodings = { none: 0, zlib: 1, deflate: 2, gzip: 3 } as const;

/** Reads EXT_FDT at `offset`. */
export function decodeExtFdt(packet: Uint8Array, offset: number): ExtFdt {
  return { version: packet[offset + 1] >> 4, instanceId: readFdtInstanceId(packet, offset) };
}

/** Reads only the instance ID of EXT_FDT at `offset`. */
export function readFdtInstanceId(packet: Uint8Array, offset: number): number {
  return ((packet[offset + 1] & 15) << 16) | (packet[offset + 2] << 8) | packet[offset + 3];
}

/**
 * Encodes EXT_FDT.
 *
 * @throws RangeError for a version above 15 or an ID above 20 bits.
 */
export function encodeExtFdt({ version, instanceId }: ExtFdt): Uint8Array {
  if (!Number.isInteger(version) || version < 0 || version > 15) {
    throw new RangeError(`Cannot encode EXT_FDT: version must be 0 to 15: received ${version}`);
  }
  if (!Number.isInteger(instanceId) || instanceId < 0 || instanceId >= fdtInstanceIds) {
    throw new RangeError(
      `Cannot encode EXT_FDT: instance ID must be 0 to 1048575: received ${instanceId}`,
    );
  }
  const content = [(version << 4) | (instanceId >> 16), (instanceId >> 8) & 255, instanceId & 255];
  return encodeExtension(extensionTypes.fdt, Uint8Array.from(content));
}

/** Reads the content encoding algorithm of EXT_CENC at `offset`: see `contentEncodings`. */
export function decodeExtCenc(packet: Uint8Array, offset: number): number {
  return packet[offset + 1];
}

/**
 * Encodes EXT_CENC.
 *
 * @param algorithm One of `contentEncodings`.
 */
export function encodeExtCenc(algorithm: number): Uint8Array {
  return encodeExtension(extensionTypes.cenc, Uint8Array.of(algorithm, 0, 0));
}
