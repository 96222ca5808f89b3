/**
 * What the satellite says is current. While a session is heard and its FDT names a version, that
 * version is the newest there is: a home need not ask the internet, once a second, whether a live
 * playlist has changed (ETSI TS 103 769 clause 8.3.2). Pure.
 *
 * @module
 */

/** Names remembered; the one announced longest ago makes room. */
const maxKeys = 4096;

interface Announced {
  readonly tag: string;
  readonly channel: string;
}

/** Which version of each object the satellite announced last. */
export class InBandVersions {
  readonly #byKey = new Map<string, Announced>();

  /** Notes that an FDT of `channel` names this version. */
  announce(key: string, tag: string | undefined, channel: string): void {
    this.#byKey.delete(key);
    if (tag === undefined) return;
    this.#byKey.set(key, { tag, channel });
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

  /**
   * Whether a stored version is the one announced, by a channel that is heard.
   *
   * @param tag The stored version's entity tag.
   */
  confirms(key: string, tag: string, heard: (channel: string) => boolean): boolean {
    const announced = this.#byKey.get(key);
    return announced !== undefined && announced.tag === tag && heard(announced.channel);
  }
}
