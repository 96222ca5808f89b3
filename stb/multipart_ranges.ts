/**
 * `multipart/byteranges` (RFC 9110 §14.6, RFC 2046 §5.1.1): several ranges in one 206. A push parser
 * that hands bytes on as they come and keeps no more than one part's head.
 *
 * @module
 */

import { type ByteRange, parseContentRange } from "#http";

/** Why a body is not what it says. */
export type MultipartRejection =
  | "bad_boundary"
  | "bad_part_head"
  | "part_head_too_long"
  | "bad_content_range"
  | "bad_part_end"
  | "too_many_parts";

/** Bytes of one part's head, `Content-Range` and all. */
const maxHeadBytes = 4096;
const maxParts = 256;

/** Returns the boundary of a `multipart/byteranges` media type, `undefined` for any other. */
export function byteRangesBoundary(contentType: string): string | undefined {
  if (!/^multipart\/byteranges\s*(;|$)/i.test(contentType)) return undefined;
  const [, quoted, bare] =
    /;\s*boundary=(?:"([^"\\]{1,70})"|([^\s;"]{1,70})(?=[\s;]|$))/i.exec(contentType) ??
      [];
  const boundary = quoted ?? bare;
  return boundary !== undefined && /^[\x20-\x7e]*[\x21-\x7e]$/.test(boundary)
    ? boundary
    : undefined;
}

/** What a parser reports. */
export interface MultipartSink {
  /** A part begins. Return false to refuse its range. */
  part(range: ByteRange, completeBytes: number | undefined): boolean;
  /** The next bytes of the current part; a view, valid during the call. */
  bytes(chunk: Uint8Array): void;
}

/** Reads one body, chunk by chunk. */
export class MultipartReader {
  readonly #sink: MultipartSink;
  readonly #delimiter: string;
  #state: "preamble" | "head" | "body" | "boundary" | "done" = "preamble";
  #rejected: MultipartRejection | undefined;
  /** Bytes of the preamble, a head or a boundary that are not yet a whole. */
  #held = "";
  #bodyLeft = 0;
  #parts = 0;

  constructor(boundary: string, sink: MultipartSink) {
    this.#delimiter = `--${boundary}`;
    this.#sink = sink;
  }

  /** Whether the closing boundary was read. */
  get done(): boolean {
    return this.#state === "done";
  }

  /** Reads the next bytes; after a rejection it stays rejected. */
  push(chunk: Uint8Array): "ok" | MultipartRejection {
    let at = 0;
    while (at < chunk.length && this.#rejected === undefined && this.#state !== "done") {
      if (this.#state === "body") at = this.#body(chunk, at);
      else at = this.#text(chunk, at);
    }
    return this.#rejected ?? "ok";
  }

  #body(chunk: Uint8Array, at: number): number {
    const end = Math.min(chunk.length, at + this.#bodyLeft);
    this.#sink.bytes(chunk.subarray(at, end));
    this.#bodyLeft -= end - at;
    if (this.#bodyLeft === 0) this.#state = "boundary";
    return end;
  }

  /** Takes one line: heads and boundaries are lines; what precedes the first boundary is ignored. */
  #text(chunk: Uint8Array, at: number): number {
    const lineFeed = chunk.indexOf(10, at);
    const end = lineFeed === -1 ? chunk.length : lineFeed + 1;
    for (let i = at; i < end; i++) this.#held += String.fromCharCode(chunk[i]);
    if (this.#held.length > maxHeadBytes) this.#rejected = "part_head_too_long";
    else if (lineFeed !== -1 || this.#atClose()) this.#line();
    return end;
  }

  /** The closing boundary need not end in a line break. */
  #atClose(): boolean {
    return this.#state !== "head" && this.#held.endsWith(`${this.#delimiter}--`);
  }

  #line(): void {
    if (this.#state === "head") return this.#headLine();
    const line = this.#held.replace(/\r?\n$/, "");
    this.#held = "";
    if (line === `${this.#delimiter}--`) this.#state = "done";
    else if (line.replace(/[ \t]+$/, "") === this.#delimiter) {
      this.#state = "head";
      if (++this.#parts > maxParts) this.#rejected = "too_many_parts";
    } else if (this.#state === "boundary" && line !== "") this.#rejected = "bad_part_end";
    else if (this.#state === "preamble" && line.startsWith("--")) this.#rejected = "bad_boundary";
  }

  #headLine(): void {
    if (!/(^|\n)\r?\n$/.test(this.#held)) return; // the head goes on
    const head = this.#held;
    this.#held = "";
    const values = head.split(/\r?\n/).flatMap((line) => {
      const [, value] = /^content-range[ \t]*:[ \t]*(.*?)[ \t]*$/i.exec(line) ?? [];
      return value === undefined ? [] : [value];
    });
    if (values.length !== 1) {
      this.#rejected = "bad_part_head";
      return;
    }
    const said = parseContentRange(values[0]);
    if (said?.range === undefined || !this.#sink.part(said.range, said.completeBytes)) {
      this.#rejected = "bad_content_range";
      return;
    }
    this.#bodyLeft = said.range[1] - said.range[0];
    this.#state = "body";
  }
}
