/**
 * EXT_NACI, the NIP actual carrier information of DVB-NIP (ETSI TS 103 876 clause 8.7.3): which stream
 * of the network these packets came by, so that a receiver knows where in the network information
 * file it is.
 *
 * @module
 */

import { encodeExtension, extensionContent, extensionTypes } from "./extensions.ts";

/** What EXT_NACI says; each number 0 to 65535. */
export interface ExtNaci {
  readonly nipNetworkId: number;
  readonly nipCarrierId: number;
  readonly nipLinkId: number;
  /** With MPE the DVB service_id, with GSE 0. */
  readonly nipServiceId: number;
  /** At most 255 bytes in UTF-8. */
  readonly nipStreamProviderName: string;
}

/** Four numbers, a reserved byte, the length of the name. */
const fixedBytes = 10;

/**
 * Reads EXT_NACI at `offset` of a decoded header.
 *
 * @returns `undefined` when it is shorter than its name, or the name is not UTF-8.
 */
export function decodeExtNaci(packet: Uint8Array, offset: number): ExtNaci | undefined {
  const content = extensionContent(packet, offset);
  if (content.length < fixedBytes) return undefined;
  const name = content.subarray(fixedBytes, fixedBytes + content[fixedBytes - 1]);
  if (name.length < content[fixedBytes - 1]) return undefined;
  const nipStreamProviderName = utf8(name);
  if (nipStreamProviderName === undefined) return undefined;
  const number = (at: number) => (content[at] << 8) | content[at + 1];
  return {
    nipNetworkId: number(0),
    nipCarrierId: number(2),
    nipLinkId: number(4),
    nipServiceId: number(6),
    nipStreamProviderName,
  };
}

/**
 * Encodes EXT_NACI.
 *
 * @throws {RangeError} for a number above 16 bits or a name above 255 bytes.
 */
export function encodeExtNaci(naci: ExtNaci): Uint8Array {
  const name = new TextEncoder().encode(naci.nipStreamProviderName);
  if (name.length > 255) {
    throw new RangeError(
      `Cannot encode EXT_NACI: a provider name of at most 255 bytes: received ${name.length}`,
    );
  }
  // With type and length these are whole words; what is left stays 0.
  const content = new Uint8Array(Math.ceil((2 + fixedBytes + name.length) / 4) * 4 - 2);
  const view = new DataView(content.buffer);
  const { nipNetworkId, nipCarrierId, nipLinkId, nipServiceId } = naci;
  for (const [i, value] of [nipNetworkId, nipCarrierId, nipLinkId, nipServiceId].entries()) {
    if (!Number.isInteger(value) || value < 0 || value > 65_535) {
      throw new RangeError(`Cannot encode EXT_NACI: numbers from 0 to 65535: received ${value}`);
    }
    view.setUint16(2 * i, value);
  }
  content[fixedBytes - 1] = name.length;
  content.set(name, fixedBytes);
  return encodeExtension(extensionTypes.naci, content);
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
