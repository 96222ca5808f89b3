/**
 * Keeps the announcement session in step with what is carried.
 *
 * @module
 */

import { announcementEndpoint } from "#nip";
import {
  type AnnouncedDocument,
  announcedDocuments,
  type AnnouncementGroup,
} from "./announcement.ts";
import type { CarriedTicket } from "./broadcast.ts";
import type { FeedContext } from "./feed.ts";
import { acquisitionMs, type Carriage } from "./gateway_configuration.ts";
import type { Installation } from "./installation.ts";

/** What an announcement is made of. */
export interface AnnouncementFeedOptions {
  readonly installation: Installation;
  /** Where receivers listen: it is written into the bootstrap. */
  readonly group: AnnouncementGroup;
  /** What is carried now; `undefined` while that is not known yet. */
  readonly carriage: () => Carriage | undefined;
  /** Wall clock in milliseconds since the Unix epoch. */
  readonly wallMs: () => number;
}

/** Changes that come together make one version. */
const settleMs = 100;
/** Receivers use the documents as long as they are repeated. */
const maxAgeSeconds = 3600;

/** A document on the air. */
interface Announced {
  readonly text: string;
  readonly versionUpdateMs: number;
  readonly ticket: CarriedTicket;
}

/** Carries the documents. Its context's broadcast is the one of the announcement group. */
export class AnnouncementFeed {
  readonly #context: FeedContext;
  readonly #options: AnnouncementFeedOptions;
  readonly #announced = new Map<string, Announced>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(context: FeedContext, options: AnnouncementFeedOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Something may have changed. */
  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#update();
    }, settleMs);
  }

  /** Takes everything off the air. */
  stop(): void {
    clearTimeout(this.#timer);
    for (const { ticket } of this.#announced.values()) ticket.withdraw();
    this.#announced.clear();
  }

  #update(): void {
    const { installation, group, wallMs } = this.#options;
    const carriage = this.#options.carriage();
    if (carriage === undefined) return;
    const versionUpdateMs = Math.floor(wallMs() / 1000) * 1000;
    for (const document of announcedDocuments(installation, { carriage, group })) {
      const known = this.#announced.get(document.uri);
      // Only what says something else gets a new version.
      if (known !== undefined && document.write(known.versionUpdateMs) === known.text) continue;
      this.#carry(document, versionUpdateMs, known?.ticket);
    }
  }

  #carry(
    { uri, contentType, write }: AnnouncedDocument,
    versionUpdateMs: number,
    replaces: CarriedTicket | undefined,
  ): void {
    const { broadcast, counters, nowMs } = this.#context;
    const text = write(versionUpdateMs);
    const body = new TextEncoder().encode(text);
    const object = { contentLocation: uri, body, contentType, maxAgeSeconds };
    const ticket = broadcast.carry(announcementEndpoint.tsi, object, nowMs(), {
      traffic: "configuration",
      acquisitionMs,
      replaces,
      onSent: () => counters.objectsSent.add("configuration"),
    });
    this.#announced.set(uri, { text, versionUpdateMs, ticket });
  }
}
