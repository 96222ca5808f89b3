/**
 * A large object that goes to the store while it arrives.
 *
 * @module
 */

import type { Handover } from "./handover.ts";
import { OfferedBody } from "./offered_body.ts";
import type { StoreLink } from "./store_link.ts";
import type { Fields } from "#http";

/** How long the store may take nothing of a body, or not come for it, in milliseconds. */
const stallMs = 5000;

/** What is handed over. */
export interface LargeObject {
  readonly path: string;
  readonly fields: Fields;
  readonly bodyBytes: number | undefined;
  /** What the store has to have done first. */
  readonly after: Promise<unknown> | undefined;
}

/** The way of one large object into the store. */
export class LargeHandover {
  readonly #body: OfferedBody;
  readonly #done: Promise<boolean>;
  readonly #abort = new AbortController();
  #givenUp = false;

  constructor(
    { path, fields, bodyBytes, after }: LargeObject,
    { link, handover }: { link: StoreLink; handover: Handover },
  ) {
    this.#body = new OfferedBody({ stallMs, onGivenUp: () => this.#giveUp() });
    const ticket = handover.offer({ fields, bodyBytes, body: this.#body.stream });
    const fill = async () => {
      await after;
      return await link.fill(path, ticket, this.#abort.signal);
    };
    this.#done = fill().then((kept) => {
      // Not fetched: the store answered by itself, or is not there.
      const fetched = !handover.withdraw(ticket);
      if (!kept || !fetched) this.#giveUp();
      return kept && fetched && !this.#givenUp;
    });
  }

  /** Appends bytes. Returns a promise while the store is behind. */
  write(chunk: Uint8Array): void | Promise<void> {
    return this.#body.write(chunk);
  }

  /** Lets the store have the end. Whether it then has the object whole. */
  async commit(): Promise<boolean> {
    this.#body.finish();
    const timer = setTimeout(() => this.#giveUp(), stallMs);
    const kept = await this.#done;
    clearTimeout(timer);
    return kept;
  }

  /** Breaks off. Resolves when the store has let go. */
  async abort(): Promise<void> {
    this.#giveUp();
    await this.#done;
  }

  #giveUp(): void {
    this.#givenUp = true;
    this.#body.fail();
    this.#abort.abort();
  }
}
