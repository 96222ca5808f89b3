/**
 * Has the store free what purges took. Nothing depends on it: what a purge took is not believed when
 * it is found. So it is bounded, and what does not fit is left to the store's own eviction.
 *
 * Varnish is told by bans on fields of its objects, several values in one; ATS, which has no bans, path
 * by path, of what this node remembers to have handed over.
 *
 * @module
 */

import type { StoredResponse } from "#cache";
import { BoundedMap } from "./bounded_map.ts";
import type { KeptPlace } from "./pod_store.ts";
import type { StoreLink } from "./store_link.ts";

/** One purge, as far as it is needed here. */
export interface PurgeFact {
  readonly kind: string;
  readonly value?: string;
  readonly soft?: boolean;
}

/** What it works with. */
export interface EagerRemovalOptions {
  readonly kind: "ats" | "varnish";
  readonly link: Pick<StoreLink, "ban">;
  /** Frees what lies at a path, if it still is that write. */
  readonly free: (path: string, written: number) => Promise<void>;
  /** Whether purges took a response for good. */
  readonly isGone: (response: StoredResponse) => boolean;
}

/** So many objects are remembered for ATS. */
const rememberedObjects = 100_000;
/** So many are looked at in one turn. */
const looksPerTurn = 1000;
/** So many values may wait for a ban; each ban is tested on every object once. */
const maxWaiting = 2000;
/** Longest expression of one ban, in characters. */
const maxBanLength = 8000;

type BanField = "downlink-ban-tag" | "downlink-ban-key";

/** Removes in the background, one thing after the other. */
export class EagerRemoval {
  readonly #options: EagerRemovalOptions;
  readonly #kept = new BoundedMap<string, KeptPlace>(rememberedObjects);
  readonly #patterns: Record<BanField, Set<string>> = {
    "downlink-ban-tag": new Set(),
    "downlink-ban-key": new Set(),
  };
  #wanted = false;
  #running: Promise<void> | undefined;

  constructor(options: EagerRemovalOptions) {
    this.#options = options;
  }

  /** Notes what lies where. */
  note(place: KeptPlace): void {
    if (this.#options.kind === "ats") this.#kept.set(place.path, place);
  }

  /** Purges were applied. */
  applied(purges: readonly PurgeFact[]): void {
    for (const { kind, value = "", soft } of purges) {
      if (soft || kind === "skipped") continue;
      this.#wanted = true;
      if (this.#options.kind === "varnish") this.#addPattern(kind, value);
    }
    if (this.#wanted) this.#running ??= this.#run();
  }

  /** Resolves when nothing is left to remove. */
  async idle(): Promise<void> {
    await this.#running;
  }

  #addPattern(kind: string, value: string): void {
    const field: BanField = kind === "tag" ? "downlink-ban-tag" : "downlink-ban-key";
    const waiting = this.#patterns[field];
    if (waiting.size < maxWaiting) waiting.add(banPattern(kind, value));
  }

  async #run(): Promise<void> {
    while (this.#wanted) {
      this.#wanted = false;
      if (this.#options.kind === "varnish") await this.#ban();
      else await this.#sweep();
    }
    this.#running = undefined;
  }

  async #ban(): Promise<void> {
    for (const field of ["downlink-ban-tag", "downlink-ban-key"] as const) {
      const waiting = [...this.#patterns[field]];
      this.#patterns[field].clear();
      for (const expression of alternatives(waiting)) {
        await this.#options.link.ban(field, expression);
      }
    }
  }

  async #sweep(): Promise<void> {
    let looked = 0;
    for (const [path, { response, written }] of this.#kept.entries()) {
      if (++looked % looksPerTurn === 0) await new Promise((resolve) => setTimeout(resolve, 0));
      if (!this.#options.isGone(response)) continue;
      this.#kept.delete(path);
      await this.#options.free(path, written);
    }
  }
}

/** Joins patterns to expressions of a bounded length; one that is too long by itself is left out. */
function* alternatives(patterns: readonly string[]): Generator<string> {
  let expression = "";
  for (const pattern of patterns.filter(({ length }) => length <= maxBanLength)) {
    if (expression !== "" && expression.length + pattern.length > maxBanLength) {
      yield expression;
      expression = "";
    }
    expression += expression === "" ? pattern : `|${pattern}`;
  }
  if (expression !== "") yield expression;
}

/** Returns a regular expression for what a purge takes: of `Downlink-Tags` or of `Downlink-Key`. */
export function banPattern(kind: string, value: string): string {
  const text = escaped(value);
  if (kind === "tag") return `(^|\\x20)${text}(\\x20|$)`;
  if (kind === "url") return `^${text}(\\x20|$)`; // its slices too
  if (kind === "prefix") return `^${text}${value.endsWith("/") ? "" : "([/?\\x20]|$)"}`;
  return "^";
}

/** Every character but letters and digits by its number, so that none means anything. */
function escaped(value: string): string {
  return value.replace(/[^A-Za-z0-9]/g, (character) => {
    const code = character.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : ".";
  });
}
