/**
 * Keeps the signed notice on the air: which configuration is in force, what was withdrawn, and which
 * keys count.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { type Notice, noticeMediaType, noticeUri, sealNotice, type Signer } from "#notice";
import type { Withdrawals } from "#notice";
import type { CarriedTicket } from "./broadcast.ts";
import type { FeedContext } from "./feed.ts";
import { acquisitionMs, configurationTsi } from "./gateway_configuration.ts";

/** What a notice is made of. */
export interface NoticeFeedOptions {
  readonly signer: Signer;
  /** Keys that boxes trust from now on, in base64; none changes nothing. */
  readonly keys: readonly string[];
  readonly withdrawals: () => Withdrawals | undefined;
  /** Wall clock in milliseconds since the Unix epoch. */
  readonly wallMs: () => number;
}

/** Changes that come together make one notice. */
const settleMs = 50;
/** How long a notice counts: a recording of it can do no harm for longer. */
const validMs = 3_600_000;
const renewMs = validMs / 4;

/** Carries the notice. */
export class NoticeFeed {
  readonly #context: FeedContext;
  readonly #options: NoticeFeedOptions;
  #configuration: string | undefined;
  #sequence = 0;
  #ticket: CarriedTicket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sealing: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(context: FeedContext, options: NoticeFeedOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** A configuration is in force: the notice names it. */
  configured(full: string): void {
    this.#configuration = createHash("sha256").update(full).digest("hex");
    this.changed();
  }

  /** Something may have changed. */
  changed(): void {
    this.#renewIn(settleMs);
  }

  /** Takes the notice off the air. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#sealing;
    this.#ticket?.withdraw();
  }

  #renewIn(ms: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#sealing = this.#sealing.then(() => this.#renew());
      this.#renewIn(renewMs);
    }, ms);
  }

  async #renew(): Promise<void> {
    const { signer, keys, withdrawals, wallMs } = this.#options;
    // Greater after a restart too, as long as the clock is not set back.
    this.#sequence = Math.max(this.#sequence + 1, wallMs());
    const notice: Notice = {
      sequence: this.#sequence,
      expiresMs: wallMs() + validMs,
      configuration: this.#configuration,
      withdrawals: withdrawals(),
      keys: keys.length > 0 ? keys : undefined,
    };
    const body = await sealNotice(notice, signer);
    if (!this.#stopped) this.#carry(body);
  }

  #carry(body: Uint8Array): void {
    const { broadcast, counters, nowMs } = this.#context;
    const object = {
      contentLocation: noticeUri,
      body,
      contentType: noticeMediaType,
      maxAgeSeconds: validMs / 1000,
    };
    this.#ticket = broadcast.carry(configurationTsi, object, nowMs(), {
      traffic: "configuration",
      acquisitionMs,
      replaces: this.#ticket,
      onSent: () => counters.objectsSent.add("configuration"),
    });
  }
}
