/**
 * Request bodies from octets (RFC 9112 §6, §7.1), however the octets arrive.
 *
 * @module
 */

import type { BodyFraming } from "./framing.ts";
import { octetClass, TOKEN, VALUE } from "./octets.ts";
import type { Http1Rejection } from "./rejection.ts";

/** What one call made of its octets. */
export interface BodyStep {
  /** Octets used up, counted from the first. */
  readonly consumedBytes: number;
  /** Body bytes found in them; a copy, maybe empty. */
  readonly data: Uint8Array;
  /** The body is whole; what follows is the next request. */
  readonly done: boolean;
}

/** Decodes one body. */
export interface BodyDecoder {
  /** Takes the next octets; those not consumed come again with the next call. */
  decode(octets: Uint8Array): BodyStep | Http1Rejection;
}

/** Makes the decoder for a framing; `maxBodyBytes` bounds a chunked body. */
export function bodyDecoder(
  framing: Exclude<BodyFraming, { kind: "none" }>,
  maxBodyBytes: number,
): BodyDecoder {
  return framing.kind === "fixed"
    ? new FixedDecoder(framing.bytes)
    : new ChunkedDecoder(maxBodyBytes);
}

/** A body of known length. */
export class FixedDecoder implements BodyDecoder {
  #leftBytes: number;

  constructor(bytes: number) {
    this.#leftBytes = bytes;
  }

  /** Takes what belongs to the body. */
  decode(octets: Uint8Array): BodyStep {
    const consumedBytes = Math.min(octets.length, this.#leftBytes);
    this.#leftBytes -= consumedBytes;
    const data = octets.slice(0, consumedBytes);
    return { consumedBytes, data, done: this.#leftBytes === 0 };
  }
}

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SEMICOLON = 0x3b;

/** Digits of a chunk size: 4 GiB, far over any limit; leading zeros count. */
const maxSizeDigits = 8;
/** Chunk extensions in one body. They mean nothing to us (RFC 9112 §7.1.1). */
const maxExtensionBytes = 4096;
/** The trailer section of one body, which is read and dropped. */
const maxTrailerBytes = 8192;

type ChunkState =
  | "size"
  | "extension"
  | "size_lf"
  | "data"
  | "data_cr"
  | "data_lf"
  | "line_start"
  | "trailer_name"
  | "trailer_value"
  | "trailer_lf"
  | "last_lf"
  | "done";

/** A chunked body (RFC 9112 §7.1), without the leniencies that smuggling lives on. */
export class ChunkedDecoder implements BodyDecoder {
  readonly #maxBodyBytes: number;
  #state: ChunkState = "size";
  #digits = 0;
  #chunkBytes = 0;
  #bodyBytes = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;

  constructor(maxBodyBytes: number) {
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** Takes as much as there is of the body; a rejection is final. */
  decode(octets: Uint8Array): BodyStep | Http1Rejection {
    const data = new Uint8Array(octets.length);
    let dataBytes = 0;
    let at = 0;
    while (at < octets.length && this.#state !== "done") {
      if (this.#state === "data") {
        const end = Math.min(octets.length, at + this.#chunkBytes);
        data.set(octets.subarray(at, end), dataBytes);
        dataBytes += end - at;
        this.#chunkBytes -= end - at;
        at = end;
        if (this.#chunkBytes === 0) this.#state = "data_cr";
        continue;
      }
      const rejection = this.#take(octets[at++]);
      if (rejection) return rejection;
    }
    return {
      consumedBytes: at,
      data: data.subarray(0, dataBytes),
      done: this.#state === "done",
    };
  }

  /** Takes one octet of what stands around the data. */
  #take(octet: number): Http1Rejection | undefined {
    switch (this.#state) {
      case "size":
      case "extension":
      case "size_lf":
        return this.#takeSizeLine(octet);
      case "data_cr":
        return this.#expect(octet, CR, "data_lf", "chunk_end_invalid");
      case "data_lf":
        this.#digits = 0;
        return this.#expect(octet, LF, "size", "chunk_end_invalid");
      default:
        return this.#takeTrailer(octet);
    }
  }

  #takeSizeLine(octet: number): Http1Rejection | undefined {
    if (this.#state === "size_lf") {
      if (octet !== LF) return "chunk_size_invalid";
      this.#bodyBytes += this.#chunkBytes;
      if (this.#bodyBytes > this.#maxBodyBytes) return "body_too_large";
      this.#state = this.#chunkBytes === 0 ? "line_start" : "data";
      return undefined;
    }
    if (this.#state === "extension") {
      if (octet === CR) this.#state = "size_lf";
      else if ((octetClass[octet] & VALUE) === 0) return "chunk_extension_invalid";
      else if (++this.#extensionBytes > maxExtensionBytes) return "chunk_extension_too_long";
      return undefined;
    }
    const digit = hexDigit(octet);
    if (digit >= 0) {
      if (++this.#digits > maxSizeDigits) return "chunk_size_invalid";
      this.#chunkBytes = (this.#digits === 1 ? 0 : this.#chunkBytes * 16) + digit;
      return undefined;
    }
    if (this.#digits === 0) return "chunk_size_invalid";
    if (octet === CR) this.#state = "size_lf";
    else if (octet === SEMICOLON) this.#state = "extension";
    else return "chunk_size_invalid";
    return undefined;
  }

  #takeTrailer(octet: number): Http1Rejection | undefined {
    if (++this.#trailerBytes > maxTrailerBytes) return "trailer_too_large";
    const isToken = (octetClass[octet] & TOKEN) !== 0;
    switch (this.#state) {
      case "line_start":
        if (octet === CR) this.#state = "last_lf";
        else if (isToken) this.#state = "trailer_name";
        else return "trailer_invalid";
        return undefined;
      case "trailer_name":
        if (octet === COLON) this.#state = "trailer_value";
        else if (!isToken) return "trailer_invalid";
        return undefined;
      case "trailer_value":
        if (octet === CR) this.#state = "trailer_lf";
        else if ((octetClass[octet] & VALUE) === 0) return "trailer_invalid";
        return undefined;
      case "trailer_lf":
        return this.#expect(octet, LF, "line_start", "trailer_invalid");
      default:
        return this.#expect(octet, LF, "done", "trailer_invalid");
    }
  }

  #expect(
    octet: number,
    wanted: number,
    next: ChunkState,
    rejection: Http1Rejection,
  ): Http1Rejection | undefined {
    if (octet !== wanted) return rejection;
    this.#state = next;
    return undefined;
  }
}

/** The value of a hexadecimal digit, or -1. */
function hexDigit(octet: number): number {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const lower = octet | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}
