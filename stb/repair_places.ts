/**
 * Which edges a home may ask, best first: those it was told, those the configuration names, those
 * that control knows.
 *
 * @module
 */

import type { NextHop } from "#cache";
import type { RepairTerms } from "./channels.ts";
import type { RepairPlace } from "./repairer.ts";

/** What the places are made of. */
export interface RepairPlacesOptions {
  /** From `--repair`. */
  readonly given: readonly URL[];
  readonly connect: (url: URL) => NextHop;
  /** From the topology, best first. */
  readonly edges: () => readonly { readonly url: string }[];
}

/** Connections kept to different edges. */
const maxConnections = 64;

/** Finds places and keeps their connections. */
export class RepairPlaces {
  readonly #options: RepairPlacesOptions;
  readonly #hops = new Map<string, NextHop>();

  constructor(options: RepairPlacesOptions) {
    this.#options = options;
  }

  /** Lists of places to repair from; a later list only when all of an earlier one failed. */
  tiers(terms: RepairTerms | undefined): readonly (readonly RepairPlace[])[] {
    const { given, edges } = this.#options;
    return [
      given.flatMap((url) => this.#place(url.href, 1) ?? []),
      (terms?.baseUrls ?? []).flatMap(({ url, weight }) =>
        this.#place(url, weight, terms?.objectBaseUri) ?? []
      ),
      edges().flatMap(({ url }) => this.#place(url, 1) ?? []),
    ];
  }

  /** All places in order, each once: the way to the internet. */
  inOrder(terms: readonly (RepairTerms | undefined)[]): readonly RepairPlace[] {
    const places = new Map<string, RepairPlace>();
    const all = (terms.length === 0 ? [undefined] : terms).map((one) => this.tiers(one));
    for (let tier = 0; tier < 3; tier++) {
      for (const place of all.flatMap((tiers) => tiers[tier])) {
        const known = places.get(place.id);
        if (place.weight > 0 && known === undefined) places.set(place.id, place);
      }
    }
    return [...places.values()];
  }

  #place(text: string, weight: number, objectBaseUri?: string): RepairPlace | undefined {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url?.protocol !== "http:" && url?.protocol !== "https:") return undefined;
    const id = url.href;
    let hop = this.#hops.get(id);
    if (hop === undefined) {
      if (this.#hops.size >= maxConnections) return undefined;
      this.#hops.set(id, hop = this.#options.connect(url));
    }
    return { id, weight, objectBaseUri, hop };
  }
}
