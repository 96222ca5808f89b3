/**
 * The file of one object in the disk store.
 *
 *     body | a CRC-32 for each 64 KiB block of the body | head | footer
 *
 * The body comes first, so that it can be written while it arrives and its blocks lie on block
 * boundaries of the disk. The footer holds the lengths and checksums of what stands before it, so that
 * a file is understood from its end, and a file that was cut anywhere is not mistaken for a whole one.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { decodeHead, encodeHead, maxHeadBytes } from "./disk_head.ts";
import type { StoredResponse } from "./store.ts";

/** Bytes under one checksum: a range read verifies the blocks it touches and no other. */
export const blockBytes = 64 * 1024;

/** Length of the footer. */
export const footerBytes = 44;

/** Why bytes are not the end of an object's file. */
export type RecordRejection =
  | "truncated"
  | "bad_magic"
  | "bad_checksum"
  | "bad_length"
  | "bad_head";

/** What stands in a footer. Numbers are big-endian on disk. */
export interface RecordFooter {
  /** Unique in a store; a file keeps it for life. */
  readonly generation: number;
  readonly bodyBytes: number;
  readonly headBytes: number;
  readonly headChecksum: number;
  readonly tableChecksum: number;
}

/** Everything of a file but its body. */
export interface RecordTail {
  readonly footer: RecordFooter;
  readonly response: StoredResponse;
  /** CRC-32 of each block of the body in order. */
  readonly checksums: Uint32Array;
}

const magic = new TextEncoder().encode("DLOBJ1\r\n");

/** Returns how many bytes follow a body of that length. */
export function tailBytes(bodyBytes: number, headBytes: number): number {
  return 4 * blockCount(bodyBytes) + headBytes + footerBytes;
}

/** Returns how many blocks a body of that length has. */
export function blockCount(bodyBytes: number): number {
  return Math.ceil(bodyBytes / blockBytes);
}

/**
 * Returns what follows the body in the file.
 *
 * @param checksums Of each block of the body in order.
 * @returns `undefined` when the head is longer than {@linkcode maxHeadBytes}.
 */
export function encodeTail(
  generation: number,
  bodyBytes: number,
  checksums: readonly number[],
  response: StoredResponse,
): Uint8Array<ArrayBuffer> | undefined {
  const head = encodeHead(response);
  if (head.length > maxHeadBytes) return undefined;
  const tail = new Uint8Array(tailBytes(bodyBytes, head.length));
  const view = new DataView(tail.buffer);
  checksums.forEach((checksum, block) => view.setUint32(4 * block, checksum));
  tail.set(head, 4 * checksums.length);
  const footer = tail.subarray(tail.length - footerBytes);
  const fields = new DataView(tail.buffer, footer.byteOffset);
  footer.set(magic);
  fields.setBigUint64(8, BigInt(generation));
  fields.setBigUint64(16, BigInt(bodyBytes));
  fields.setUint32(24, head.length);
  fields.setUint32(28, blockBytes);
  fields.setUint32(32, crc32(head));
  fields.setUint32(36, crc32(tail.subarray(0, 4 * checksums.length)));
  fields.setUint32(40, crc32(footer.subarray(0, 40)));
  return tail;
}

/**
 * Reads the footer from the last bytes of a file.
 *
 * @param end At least the last {@linkcode footerBytes} of the file.
 * @param fileBytes Length of the whole file.
 */
export function decodeFooter(end: Uint8Array, fileBytes: number): RecordFooter | RecordRejection {
  if (end.length < footerBytes || fileBytes < end.length) return "truncated";
  const footer = end.subarray(end.length - footerBytes);
  const fields = new DataView(footer.buffer, footer.byteOffset, footerBytes);
  if (!magic.every((byte, i) => footer[i] === byte)) return "bad_magic";
  if (fields.getUint32(40) !== crc32(footer.subarray(0, 40))) return "bad_checksum";
  const bodyBytes = Number(fields.getBigUint64(16));
  const headBytes = fields.getUint32(24);
  if (fields.getUint32(28) !== blockBytes || headBytes > maxHeadBytes) return "bad_length";
  if (bodyBytes > fileBytes || fileBytes !== bodyBytes + tailBytes(bodyBytes, headBytes)) {
    return "bad_length";
  }
  const generation = Number(fields.getBigUint64(8));
  if (!Number.isSafeInteger(generation)) return "bad_length";
  return {
    generation,
    bodyBytes,
    headBytes,
    headChecksum: fields.getUint32(32),
    tableChecksum: fields.getUint32(36),
  };
}

/**
 * Reads everything that follows the body.
 *
 * @param tail All of it, which is {@linkcode tailBytes} long.
 * @param fileBytes Length of the whole file.
 */
export function decodeTail(tail: Uint8Array, fileBytes: number): RecordTail | RecordRejection {
  const footer = decodeFooter(tail, fileBytes);
  if (typeof footer === "string") return footer;
  const tableBytes = 4 * blockCount(footer.bodyBytes);
  if (tail.length !== tableBytes + footer.headBytes + footerBytes) return "bad_length";
  const table = tail.subarray(0, tableBytes);
  const head = tail.subarray(tableBytes, tableBytes + footer.headBytes);
  if (crc32(table) !== footer.tableChecksum || crc32(head) !== footer.headChecksum) {
    return "bad_checksum";
  }
  const response = decodeHead(head);
  if (response === undefined) return "bad_head";
  const fields = new DataView(table.buffer, table.byteOffset, tableBytes);
  const checksums = Uint32Array.from(
    { length: tableBytes / 4 },
    (_, block) => fields.getUint32(4 * block),
  );
  return { footer, response, checksums };
}

/**
 * Builds the checksums of a body that comes in pieces of any length. A block's pieces are put
 * together before they are summed: `crc32(piece, before)` of Deno 2.4 is wrong once it was optimized
 * and `before` is 2^31 or more.
 */
export class BlockChecksums {
  /** Of the blocks that are whole. */
  readonly #checksums: number[] = [];
  /** Pieces of the block that is not. */
  #open: Uint8Array[] = [];
  #openBytes = 0;

  /** Adds the next piece, which nobody may write to before its block is whole. */
  add(piece: Uint8Array): void {
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + blockBytes - this.#openBytes);
      this.#open.push(part);
      this.#openBytes += part.length;
      at += part.length;
      if (this.#openBytes === blockBytes) {
        this.#checksums.push(this.#sum());
        this.#open = [];
        this.#openBytes = 0;
      }
    }
  }

  /** The checksum of each block so far, of the one that is not whole too. */
  get values(): readonly number[] {
    return this.#openBytes === 0 ? this.#checksums : [...this.#checksums, this.#sum()];
  }

  #sum(): number {
    if (this.#open.length === 1) return crc32(this.#open[0]);
    const block = new Uint8Array(this.#openBytes);
    let at = 0;
    for (const part of this.#open) {
      block.set(part, at);
      at += part.length;
    }
    return crc32(block);
  }
}
