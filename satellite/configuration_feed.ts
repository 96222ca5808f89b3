/**
 * Keeps the gateway configuration in step with what is carried: on the air, in files, and for those
 * who ask.
 *
 * @module
 */

import { configurationMediaType, encodeGatewayConfiguration, gatewayConfigurationUri } from "#mabr";
import type { CarriedTicket } from "./broadcast.ts";
import type { FeedContext } from "./feed.ts";
import {
  acquisitionMs,
  bootstrapConfiguration,
  type Carriage,
  configurationTsi,
  gatewayConfiguration,
} from "./gateway_configuration.ts";

/** The two documents. */
export interface ConfigurationDocuments {
  readonly full: string;
  readonly bootstrap: string;
}

/** Where the documents come from and go to. */
export interface ConfigurationFeedOptions {
  /** What is carried now; `undefined` while that is not known yet. */
  readonly carriage: () => Carriage | undefined;
  /** Writes the documents to where receivers find them without a satellite. Must not reject. */
  readonly write: (documents: ConfigurationDocuments) => Promise<void>;
}

/** Changes that come together make one document. */
const settleMs = 100;
/** Receivers use the document as long as it is repeated. */
const maxAgeSeconds = 3600;

/** Carries the configuration. */
export class ConfigurationFeed {
  readonly #context: FeedContext;
  readonly #options: ConfigurationFeedOptions;
  #documents: ConfigurationDocuments | undefined;
  #ticket: CarriedTicket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(context: FeedContext, options: ConfigurationFeedOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** The documents now on the air. */
  get documents(): ConfigurationDocuments | undefined {
    return this.#documents;
  }

  /** Something may have changed. */
  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#update();
    }, settleMs);
  }

  /** Takes the configuration off the air and waits for what is being written. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#ticket?.withdraw();
    await this.#writing;
  }

  #update(): void {
    const carriage = this.#options.carriage();
    if (carriage === undefined) return;
    const full = encodeGatewayConfiguration(gatewayConfiguration(carriage));
    const bootstrap = encodeGatewayConfiguration(bootstrapConfiguration(carriage));
    if (this.#documents?.full === full && this.#documents.bootstrap === bootstrap) return;
    const documents = { full, bootstrap };
    this.#documents = documents;
    this.#carry(full);
    this.#writing = this.#writing.then(() => this.#options.write(documents));
  }

  #carry(text: string): void {
    const { broadcast, counters, nowMs } = this.#context;
    const object = {
      contentLocation: gatewayConfigurationUri,
      body: new TextEncoder().encode(text),
      contentType: configurationMediaType,
      maxAgeSeconds,
    };
    this.#ticket = broadcast.carry(configurationTsi, object, nowMs(), {
      traffic: "configuration",
      acquisitionMs,
      replaces: this.#ticket,
      onSent: () => counters.objectsSent.add("configuration"),
    });
  }
}
