/**
 * The last head of a connection. Clients say the same of themselves in every request, so that most
 * heads are known but for their request line, and many (a playlist, a probe) to the last octet.
 *
 * @module
 */

import type { ParsedHead } from "./head_parser.ts";
import type { Http1Limits } from "./limits.ts";
import { parseRequestLine, type RequestLine } from "./request_line.ts";

/** A longer head is not kept: a connection that idles shall be small. */
const maxKeptBytes = 2048;
/** Room for a longer target in the next one. */
const spareBytes = 64;
const LF = 0x0a;
const CR = 0x0d;

/** A head that is known. */
export interface KnownHead {
  readonly line: RequestLine;
  readonly parsed: ParsedHead;
}

/** Knows a head again by its octets, which alone decide how it is read. */
export class LastHead {
  readonly #limits: Http1Limits;
  #octets = new Uint8Array(0);
  #headBytes = 0;
  /** Where the fields start. */
  #lineBytes = 0;
  #known: KnownHead | undefined;

  constructor(limits: Http1Limits) {
    this.#limits = limits;
  }

  /** Keeps a head that started at `octets[0]`, unless it is long. */
  keep(octets: Uint8Array, known: KnownHead): void {
    const { headBytes } = known.parsed;
    // A head behind an empty line, or whose target names a host, is read anew.
    const plain = octets[0] !== CR && known.line.authority === undefined;
    this.#known = plain && headBytes <= maxKeptBytes ? known : undefined;
    if (this.#known === undefined) return;
    if (this.#octets.length < headBytes) this.#octets = new Uint8Array(headBytes + spareBytes);
    for (let i = 0; i < headBytes; i++) this.#octets[i] = octets[i];
    this.#headBytes = headBytes;
    this.#lineBytes = octets.indexOf(LF) + 1;
  }

  /** The head at `octets[0]` when its fields are those of the last one; else `undefined`. */
  recall(octets: Uint8Array): KnownHead | undefined {
    if (this.#known === undefined) return undefined;
    if (this.#holds(octets, 0, 0)) return this.#known;
    const end = octets.indexOf(LF);
    if (end < 1 || octets[end - 1] !== CR) return undefined;
    const lineBytes = end + 1;
    const headBytes = lineBytes + this.#headBytes - this.#lineBytes;
    if (headBytes > this.#limits.maxHeadBytes) return undefined;
    if (!this.#holds(octets, lineBytes, this.#lineBytes)) return undefined;
    return this.#withLine(octets, end - 1, headBytes);
  }

  /** The known fields behind another request line that means the same for them. */
  #withLine(octets: Uint8Array, end: number, headBytes: number): KnownHead | undefined {
    const { parsed } = this.#known!;
    const line = parseRequestLine(octets, 0, end, this.#limits);
    if (typeof line === "string" || line.authority !== undefined) return undefined;
    if (line.minorVersion !== parsed.minorVersion) return undefined;
    const { method, target } = line;
    const head = { method, target, fields: parsed.head.fields };
    return { line, parsed: { ...parsed, head, headBytes } };
  }

  /** Whether `octets` go on at `at` with all of the last head from `from`. */
  #holds(octets: Uint8Array, at: number, from: number): boolean {
    const last = this.#octets;
    const headBytes = this.#headBytes;
    if (octets.length - at < headBytes - from) return false;
    // From the end: what differs differs late more often, as lengths and counters do.
    for (let i = headBytes - 1, j = at + i - from; i >= from; i--, j--) {
      if (octets[j] !== last[i]) return false;
    }
    return true;
  }
}
