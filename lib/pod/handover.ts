/**
 * The worker's upstream port, where ATS or Varnish comes for what the worker told it to keep.
 *
 * The worker asks the store for a path with a ticket; the store, which has nothing there, comes back
 * here with the ticket and gets the object. It gets nothing else: a request without a ticket that is
 * waited for is answered 504, so that nothing is ever kept that the worker did not decide to keep.
 *
 * @module
 */

import { timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";
import type { Field, Fields, RequestHead } from "#http";

/** An object for the store. */
export interface Offer {
  readonly fields: Fields;
  /** `undefined` when its length is not known yet. */
  readonly bodyBytes: number | undefined;
  readonly body: Uint8Array | ReadableStream<Uint8Array>;
}

/** The answer to a store. */
export interface UpstreamAnswer {
  readonly status: number;
  readonly fields: Fields;
  readonly body: Uint8Array | ReadableStream<Uint8Array> | null;
}

/** Objects that wait for the store to come for them. */
export class Handover {
  readonly #secret: string;
  readonly #offers = new Map<string, Offer>();

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** Puts an object up. It waits until it is fetched or `withdraw` is called. */
  offer(offer: Offer): string {
    const ticket = crypto.randomUUID();
    this.#offers.set(ticket, offer);
    return ticket;
  }

  /** Takes an offer back; false when the store has fetched it. */
  withdraw(ticket: string): boolean {
    return this.#offers.delete(ticket);
  }

  /** Answers the store. */
  answer({ method, fields }: RequestHead): UpstreamAnswer {
    const valueOf = (name: string) => fields.find(([own]) => own === name)?.[1] ?? "";
    if (!isSame(valueOf("downlink-secret"), this.#secret)) return refusal(403);
    if (method !== "GET") return refusal(405);
    const ticket = valueOf("downlink-fill");
    const offer = this.#offers.get(ticket);
    if (offer === undefined) return refusal(504);
    this.#offers.delete(ticket);
    const { bodyBytes, body } = offer;
    const length: Field[] = bodyBytes === undefined ? [] : [["content-length", String(bodyBytes)]];
    return { status: 200, fields: [...offer.fields, ...length], body };
  }
}

function refusal(status: number): UpstreamAnswer {
  return { status, fields: [["cache-control", "no-store"], ["content-length", "0"]], body: null };
}

/** Compares without telling by its time how much was right. */
function isSame(given: string, secret: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(secret)];
  return a.length === b.length && timingSafeEqual(a, b);
}
