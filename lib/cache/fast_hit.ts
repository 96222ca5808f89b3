/**
 * Hits from memory, written ahead as octets for the fast lane of the front.
 *
 * @module
 */

import type { Fields } from "#http";
import { currentAge } from "./age.ts";
import { type CacheAnswer, shownFields } from "./answer.ts";
import { factsOf } from "./facts.ts";
import type { Joined } from "./joined_body.ts";
import { freshLeftMs } from "./reuse.ts";
import { statusOfHit } from "./status.ts";
import type { StoredEntry } from "./store.ts";

/** A ready answer; what `lib/http1` calls a `FastAnswer`. */
export interface FastHit {
  /** Status line and field lines, each with CRLF, without the empty line; `Date` is in it. */
  readonly head: Uint8Array;
  /** `undefined` for HEAD, 204, 205, 304 and 416. */
  readonly body: Uint8Array | undefined;
  readonly dated: true;
  /** The same in one piece. */
  readonly joined?: Joined;
  /** Must be called when `body` is not needed any more, and whether it was sent whole. */
  readonly done?: (sent: boolean) => void;
}

interface Prepared {
  /** With its empty line. */
  readonly octets: Uint8Array;
  readonly ageSeconds: number;
  readonly ttlSeconds: number;
  readonly get: { -readonly [Name in keyof FastHit]: FastHit[Name] };
  readonly head: FastHit;
}

/**
 * An answer from memory as a hit: a part of the body, or none of it.
 *
 * @throws {TypeError} When its body is a stream.
 */
export function fastHitOf({ status, fields, body }: CacheAnswer): FastHit {
  if (body instanceof ReadableStream) {
    throw new TypeError("Cannot make a hit: need a body in one piece: received a stream");
  }
  const octets = encodeHead(status, fields);
  const head = octets.subarray(0, octets.length - 2); // without the empty line
  return { head, body: body ?? undefined, dated: true };
}

/** Prepares heads and keeps each as long as its `Age` is right. */
export class FastHits {
  readonly #prepared = new WeakMap<StoredEntry, Prepared>();
  readonly #name: string;
  readonly #hideFields: readonly string[];

  constructor({ name, hideFields }: { name: string; hideFields: readonly string[] }) {
    this.#name = name;
    this.#hideFields = hideFields;
  }

  /** The answer for a fresh entry whose body is in memory. */
  of(entry: StoredEntry, method: string, nowMs: number): FastHit {
    const facts = factsOf(entry.response);
    const ageSeconds = Math.floor(currentAge(facts.times, nowMs) / 1000);
    const ttlSeconds = Math.floor(freshLeftMs(facts, nowMs) / 1000);
    let prepared = this.#prepared.get(entry);
    if (prepared?.ageSeconds !== ageSeconds || prepared.ttlSeconds !== ttlSeconds) {
      prepared = this.#prepare(entry, ageSeconds, ttlSeconds);
      this.#prepared.set(entry, prepared);
    }
    if (method === "HEAD") return prepared.head;
    const { get, octets } = prepared;
    if (get.body !== undefined && get.joined === undefined) {
      // Nothing while a client waits for the former head: then two writes do until the next hit.
      get.joined = entry.join?.(octets);
      get.body = entry.memory; // it moves when it is joined for the first time
    }
    return get;
  }

  #prepare(entry: StoredEntry, ageSeconds: number, ttlSeconds: number): Prepared {
    const { response, bodyBytes, memory } = entry;
    const cacheStatus = statusOfHit(this.#name, response, ttlSeconds);
    const hideFields = this.#hideFields;
    const fields = shownFields({ response, ageSeconds, cacheStatus, hideFields });
    const bodiless = response.status === 204 || response.status === 205;
    if (!bodiless) fields.push(["content-length", String(bodyBytes)]);
    const octets = encodeHead(response.status, fields);
    const alone = octets.subarray(0, octets.length - 2); // without the empty line
    const get = { head: alone, body: bodiless ? undefined : memory, dated: true } as const;
    const head: FastHit = { head: alone, body: undefined, dated: true };
    return { octets, ageSeconds, ttlSeconds, get, head };
  }
}

/**
 * A head with its empty line, one octet a character (RFC 9110 §5.5). The reason phrase is left empty
 * (RFC 9112 §4).
 */
function encodeHead(status: number, fields: Fields): Uint8Array {
  let text = `HTTP/1.1 ${status} \r\n`;
  for (const [name, value] of fields) text += `${name}: ${value}\r\n`;
  text += "\r\n";
  const octets = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) octets[i] = text.charCodeAt(i);
  return octets;
}
