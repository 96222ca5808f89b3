/**
 * What the satellite says is current. While a session is heard and its FDT names a version, that
 * version is the newest there is: a home need not ask the internet, once a second, whether a live
 * playlist has changed (ETSI TS 103 769 clause 8.3.2). Pure.
 *
 * @module
 */

/** Names remembered; the one announced longest ago makes room. */
const maxKeys = 4096;

/** A version as an FDT names it. */
export interface AnnouncedVersion {
  /** Its entity tag. */
  readonly tag: string;
  readonly tags: readonly string[];
  /** The purge sequence that the sender's bytes are newer than. */
  readonly fillSeq: number;
  /** The channel whose FDT names it. */
  readonly channel: string;
}

/** Which version of each object the satellite announced last. */
export class InBandVersions {
  readonly #byKey = new Map<string, AnnouncedVersion>();

  /** Notes that an FDT names this version; without a tag none can be told from another. */
  announce(key: string, version: AnnouncedVersion | undefined): void {
    this.#byKey.delete(key);
    if (version === undefined) return;
    this.#byKey.set(key, version);
    if (this.#byKey.size > maxKeys) {
      for (const oldest of this.#byKey.keys()) {
        this.#byKey.delete(oldest);
        break;
      }
    }
  }

  /** Notes the complete list of a channel: what it does not name is announced no more. */
  keep(channel: string, keys: ReadonlySet<string>): void {
    for (const [key, announced] of this.#byKey) {
      if (announced.channel === channel && !keys.has(key)) this.#byKey.delete(key);
    }
  }

  /** The version announced last, when it is the one with this tag. */
  find(key: string, tag: string): AnnouncedVersion | undefined {
    const announced = this.#byKey.get(key);
    return announced?.tag === tag ? announced : undefined;
  }
}
