/**
 * What the announcement session of DVB-NIP says (ETSI TS 103 876): the bootstrap by which a box that
 * was told nothing finds the rest, and which network and carrier it is on.
 *
 * Several streams may share the group; the sender's address tells them apart. The first one heard
 * counts until it falls silent. Pure: documents and the time come from outside.
 *
 * @module
 */

import type { ExtNaci } from "#lct";
import {
  announcementEndpoint,
  type BroadcastNetwork,
  type NipRejection,
  type NipStream,
  nipUris,
  parseNetworkInformationFile,
} from "#nip";
import type { Channel } from "./channels.ts";

/** What became of a document; the words are metric labels. */
export type AnnouncementOutcome = "taken" | "too_large" | "too_many_sources" | NipRejection;

/** What an announcement works with. */
export interface AnnouncementOptions {
  readonly group: string;
  readonly port: number;
  /** A bootstrap came, or another sender's counts now. */
  readonly onBootstrap: () => void;
  readonly onOutcome: (outcome: AnnouncementOutcome) => void;
  readonly nowMs: () => number;
}

/** The network and the stream that is received, as the status shows them. */
export interface AnnouncementView {
  /** Address of the sender. */
  readonly source: string;
  readonly network: {
    readonly id: number | undefined;
    readonly name: string | undefined;
    readonly provider: string | undefined;
    readonly orbitalPositionDegrees: number | undefined;
  };
  readonly carrier: {
    readonly id: number | undefined;
    readonly linkId: number | undefined;
    readonly serviceId: number | undefined;
    readonly provider: string | undefined;
    readonly frequencyKhz: number | undefined;
    readonly symbolRateKs: number | undefined;
  };
}

/** Name of the channel that the session is received by. */
export const announcementName = "announcement";

/** Silence after which another sender's announcement counts. */
const silenceMs = 10_000;
/** Senders that share the group; more are strangers. */
const mostSources = 4;
/** The longest bootstrap seen on the air has 87 kB. */
const mostBytes = 2 ** 20;

/** One sender. */
interface Source {
  readonly address: string;
  heardMs: number;
  bootstrap: Uint8Array | undefined;
  network: BroadcastNetwork | undefined;
  naci: ExtNaci | undefined;
}

/** The announcements of one group. */
export class Announcement {
  readonly channel: Channel;
  readonly #options: AnnouncementOptions;
  readonly #sources = new Map<string, Source>();
  #current: Source | undefined;

  constructor(options: AnnouncementOptions) {
    const { group, port } = options;
    this.#options = options;
    this.channel = {
      name: announcementName,
      service: undefined,
      group,
      port,
      tsi: announcementEndpoint.tsi,
      sourceAddress: undefined,
      idleTimeoutMs: silenceMs,
      repair: undefined,
    };
  }

  /** URIs of the documents that {@linkcode take} wants. */
  static readonly uris: readonly string[] = [nipUris.bootstrap, nipUris.networkInformationFile];

  /** The bootstrap in force; rejects with one sentence while there is none. */
  bootstrap(): Promise<Uint8Array> {
    const document = this.#current?.bootstrap;
    if (document !== undefined) return Promise.resolve(document);
    const { group, port } = this.channel;
    return Promise.reject(new Error(`need a bootstrap on ${group}:${port}: received none so far`));
  }

  /** A packet of the session came; `naci` is its carrier information, if it has any. */
  heard(address: string, naci: ExtNaci | undefined): void {
    const source = this.#sourceOf(address);
    if (source === undefined) return;
    source.heardMs = this.#options.nowMs();
    source.naci = naci ?? source.naci;
    this.#choose();
  }

  /** Takes a document of the session, whole and as its digest says. */
  take(uri: string, document: Uint8Array, address: string): void {
    this.#options.onOutcome(this.#take(uri, document, address));
  }

  /** What is received; `undefined` before anything came. */
  get view(): AnnouncementView | undefined {
    if (this.#current === undefined) return undefined;
    const { address, network, naci } = this.#current;
    const stream = streamOf(network, naci);
    return {
      source: address,
      network: {
        id: naci?.nipNetworkId ?? network?.nipNetworkId,
        name: network?.networkName,
        provider: network?.nipNetworkProviderName,
        orbitalPositionDegrees: network?.orbitalPositionDegrees,
      },
      carrier: {
        id: naci?.nipCarrierId ?? stream?.nipCarrierId,
        linkId: naci?.nipLinkId ?? stream?.nipLinkId,
        serviceId: naci?.nipServiceId ?? stream?.nipServiceId,
        provider: naci?.nipStreamProviderName ?? stream?.nipStreamProviderName,
        frequencyKhz: stream?.delivery?.frequencyKhz,
        symbolRateKs: stream?.delivery?.symbolRateKs,
      },
    };
  }

  #take(uri: string, document: Uint8Array, address: string): AnnouncementOutcome {
    const source = this.#sourceOf(address);
    if (source === undefined) return "too_many_sources";
    if (document.length > mostBytes) return "too_large";
    if (uri === nipUris.bootstrap) {
      source.bootstrap = document.slice();
      this.#choose();
      if (source === this.#current) this.#options.onBootstrap();
      return "taken";
    }
    const file = parseNetworkInformationFile(document);
    if (typeof file === "string") return file;
    source.network = file.actualBroadcastNetwork;
    return "taken";
  }

  /** A sender by its address; the one that was silent for long makes room. */
  #sourceOf(address: string): Source | undefined {
    const known = this.#sources.get(address);
    if (known !== undefined) return known;
    const nowMs = this.#options.nowMs();
    for (const { address, heardMs } of this.#sources.values()) {
      if (this.#sources.size < mostSources) break;
      if (nowMs - heardMs >= silenceMs) this.#sources.delete(address);
    }
    if (this.#sources.size >= mostSources) return undefined;
    const fresh: Source = {
      address,
      heardMs: nowMs,
      bootstrap: undefined,
      network: undefined,
      naci: undefined,
    };
    this.#sources.set(address, fresh);
    return fresh;
  }

  #choose(): void {
    const nowMs = this.#options.nowMs();
    const isAlive = (source: Source) => nowMs - source.heardMs < silenceMs;
    if (this.#current?.bootstrap !== undefined && isAlive(this.#current)) return;
    const better = [...this.#sources.values()].find((source) => {
      return isAlive(source) && source.bootstrap !== undefined;
    });
    const chosen = better ?? this.#current ?? this.#sources.values().next().value;
    if (chosen === this.#current) return;
    const first = this.#current?.bootstrap === undefined;
    this.#current = chosen;
    if (!first && chosen?.bootstrap !== undefined) this.#options.onBootstrap();
  }
}

/** The stream that the carrier information names; without any, the one with an active bootstrap. */
function streamOf(
  network: BroadcastNetwork | undefined,
  naci: ExtNaci | undefined,
): NipStream | undefined {
  const streams = network?.nipStreams ?? [];
  if (naci === undefined) {
    return streams.find(({ bootstrapStream }) => bootstrapStream?.status === "Active");
  }
  if (network?.nipNetworkId !== naci.nipNetworkId) return undefined;
  return streams.find((stream) =>
    stream.nipCarrierId === naci.nipCarrierId && stream.nipLinkId === naci.nipLinkId &&
    stream.nipServiceId === naci.nipServiceId
  );
}
