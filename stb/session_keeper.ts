/**
 * Which configuration is in force: the one the home was started with, until the satellite brings its
 * own; and the last good one when neither can be had (ETSI TS 103 769 clause 10.4).
 *
 * @module
 */

import { type GatewayConfiguration, type MabrRejection, parseGatewayConfiguration } from "#mabr";
import { type Channel, channelId, type Lineup, lineupOf } from "./channels.ts";

/** Why a document is not used; the words are metric labels. */
export type SessionRejection = MabrRejection | "nothing_to_receive";

/** Where a document came from. */
export type SessionOrigin = "given" | "in_band" | "kept";

/** What a keeper works with. */
export interface SessionKeeperOptions {
  /** Reads what `--session` names; rejects with one sentence. */
  readonly load: () => Promise<Uint8Array>;
  /** The last document that was in force, and where to keep the next one. */
  readonly kept: {
    read(): Promise<Uint8Array | undefined>;
    write(document: Uint8Array): Promise<void>;
  };
  readonly apply: (channels: readonly Channel[]) => Promise<void>;
  readonly onApplied: (origin: SessionOrigin, lineup: Lineup) => void;
  readonly onRejected: (origin: SessionOrigin, why: SessionRejection) => void;
  readonly nowMs: () => number;
}

/** Pause before a document that could not be loaded is asked for again, in milliseconds. */
const retryMs = 5000;
/** Silence of all channels after which the given document is read again, in milliseconds. */
const silenceMs = 15_000;

/** Keeps one configuration in force. */
export class SessionKeeper {
  readonly #options: SessionKeeperOptions;
  /** The document in force, as text, to tell a repetition from a change. */
  #current: string | undefined;
  #channels: readonly Channel[] = [];
  /** The given document that was in force last. */
  #given: string | undefined;
  #loading = false;
  #loadAgainMs = Infinity;
  #heardMs: number;
  #changes: Promise<unknown> = Promise.resolve();

  constructor(options: SessionKeeperOptions) {
    this.#options = options;
    this.#heardMs = options.nowMs();
  }

  /**
   * Puts the first configuration in force.
   *
   * @returns Why there is none: what `load` said, or the reason in one word.
   */
  async start(): Promise<undefined | { readonly error: unknown }> {
    const error = await this.#loadGiven();
    if (error === undefined) return undefined;
    this.#loadAgainMs = this.#options.nowMs() + retryMs;
    const kept = await this.#options.kept.read();
    if (kept === undefined || await this.#use("kept", kept) !== undefined) return { error };
    return undefined;
  }

  /** Takes the document that the satellite carries. */
  async inBand(document: Uint8Array): Promise<void> {
    const why = await this.#use("in_band", document);
    if (why === undefined) this.#loadAgainMs = Infinity;
  }

  /** There is a given document now: it counts while nothing else is in force. */
  given(): void {
    if (this.#current === undefined) void this.#loadGiven();
  }

  /** Reads the given document again when it could not be read, or when nothing is heard for long. */
  tick(nowMs: number, { heard }: { readonly heard: boolean }): void {
    if (heard) this.#heardMs = nowMs;
    const silent = nowMs - this.#heardMs >= silenceMs;
    if (this.#loading || (nowMs < this.#loadAgainMs && !silent)) return;
    this.#loadAgainMs = nowMs + retryMs;
    this.#heardMs = nowMs;
    void this.#loadGiven().then((error) => {
      if (error === undefined) this.#loadAgainMs = Infinity;
    });
  }

  async #loadGiven(): Promise<unknown> {
    this.#loading = true;
    try {
      return await this.#use("given", await this.#options.load());
    } catch (error) {
      return error;
    } finally {
      this.#loading = false;
    }
  }

  /** One after the other: a document is applied whole before the next one is looked at. */
  #use(origin: SessionOrigin, document: Uint8Array): Promise<SessionRejection | undefined> {
    const used = this.#changes.then(() => this.#put(origin, document));
    this.#changes = used.catch(() => {});
    return used;
  }

  /**
   * A rain fade is no reason to forget the document that the air brought, which a receiver that has it
   * is not given again; but where that one is wrong, the right one comes where the given one says.
   */
  async #listenToo({ channels }: Lineup): Promise<undefined> {
    const known = new Set(this.#channels.map(channelId));
    const missing = channels.filter((channel) => !known.has(channelId(channel)));
    if (missing.length === 0) return;
    this.#channels = [...this.#channels, ...missing];
    await this.#options.apply(this.#channels);
  }

  async #put(origin: SessionOrigin, document: Uint8Array): Promise<SessionRejection | undefined> {
    const text = new TextDecoder().decode(document);
    if (text === this.#current) return undefined;
    const reading = readSession(document);
    if (reading.kind === "rejected") {
      this.#options.onRejected(origin, reading.why);
      return reading.why;
    }
    const { lineup, configuration } = reading;
    if (origin === "given" && text === this.#given) return await this.#listenToo(lineup);
    await this.#options.apply(lineup.channels);
    this.#current = text;
    this.#channels = lineup.channels;
    if (origin === "given") {
      this.#given = text;
      this.#loadAgainMs = expiryOf(configuration, this.#options.nowMs());
    }
    if (origin !== "kept") await this.#options.kept.write(document).catch(() => {});
    this.#options.onApplied(origin, lineup);
    return undefined;
  }
}

/** A document that was read. */
export type SessionReading =
  | {
    readonly kind: "session";
    readonly configuration: GatewayConfiguration;
    readonly lineup: Lineup;
  }
  | { readonly kind: "rejected"; readonly why: SessionRejection };

/** Reads a configuration document, full or bootstrap. */
export function readSession(document: Uint8Array): SessionReading {
  const configuration = parseGatewayConfiguration(document);
  if (typeof configuration === "string") return { kind: "rejected", why: configuration };
  const lineup = lineupOf(configuration);
  if (lineup.channels.length === 0) return { kind: "rejected", why: "nothing_to_receive" };
  return { kind: "session", configuration, lineup };
}

/** When a document that was given has to be read again; the later of its two limits counts. */
function expiryOf(
  { validUntilMs = -Infinity, validityPeriodMs }: GatewayConfiguration,
  nowMs: number,
): number {
  const untilMs = Math.max(validUntilMs, nowMs + (validityPeriodMs ?? -Infinity));
  if (untilMs === -Infinity) return Infinity;
  // A little early, and never in a hurry.
  return Math.max(nowMs + retryMs, nowMs + (untilMs - nowMs) * 0.9);
}
