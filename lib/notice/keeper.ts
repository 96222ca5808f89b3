/**
 * Which notices count for a box: signed by a key it trusts, newer than the last, not over.
 *
 * @module
 */

import { formatPublicKey, parsePublicKey, type PublicKey, verifies } from "./keys.ts";
import { type Notice, openNotice, parseNotice } from "./notice.ts";

/** What a box keeps on disk. */
export interface TrustState {
  /** Sequence of the last notice that counted; 0 before any. */
  readonly sequence: number;
  /** Keys now trusted, in base64. */
  readonly keys: readonly string[];
}

/** What became of a notice; the words are metric labels. */
export type NoticeOutcome =
  | "applied"
  /** The one that counted last. */
  | "repeated"
  | "malformed"
  | "untrusted_key"
  | "bad_signature"
  /** Older than the one that counted last. */
  | "replayed"
  | "expired";

/** Before this the clock of a box has not been set: 1 January 2025. */
const clockSetMs = Date.UTC(2025, 0, 1);

/** Takes notices one after the other. */
export class NoticeKeeper {
  #state: TrustState;
  #keys: readonly PublicKey[];
  readonly #keep: (state: TrustState) => Promise<void>;
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * @param pinned The key that the box was given, in base64.
   * @param kept What was kept on disk, if anything was. It counts only while the pinned key is among
   * those that led to it, which is so unless the box was given another key.
   * @param keep Writes the state to disk; a notice counts when this has returned.
   */
  constructor(
    { pinned, kept, keep }: {
      readonly pinned: PublicKey;
      readonly kept: (TrustState & { readonly pinned: string }) | undefined;
      readonly keep: (state: TrustState & { readonly pinned: string }) => Promise<void>;
    },
  ) {
    const own = formatPublicKey(pinned);
    const valid = kept?.pinned === own && kept.keys.every((key) => parsePublicKey(key));
    this.#state = valid ? kept : { sequence: 0, keys: [own] };
    this.#keys = keysOf(this.#state);
    this.#keep = (state) => keep({ ...state, pinned: own });
  }

  /** What is trusted now. */
  get state(): TrustState {
    return this.#state;
  }

  /**
   * Checks a notice and, when it counts, keeps its sequence and keys before it is handed out.
   *
   * @param nowMs Wall clock; one that was never set tells no expiry.
   */
  take(
    document: Uint8Array,
    nowMs: number,
  ): Promise<{ readonly outcome: NoticeOutcome; readonly notice?: Notice }> {
    const taken = this.#turn.then(() => this.#take(document, nowMs));
    this.#turn = taken.catch(() => {});
    return taken;
  }

  async #take(
    document: Uint8Array,
    nowMs: number,
  ): Promise<{ readonly outcome: NoticeOutcome; readonly notice?: Notice }> {
    const sealed = openNotice(document);
    if (sealed === undefined) return { outcome: "malformed" };
    const key = this.#keys.find(({ id }) => id === sealed.keyId);
    if (key === undefined) return { outcome: "untrusted_key" };
    if (!await verifies(key, sealed)) return { outcome: "bad_signature" };
    const notice = parseNotice(sealed.bytes);
    if (notice === undefined) return { outcome: "malformed" };
    const keys = notice.keys?.map(parsePublicKey);
    if (keys?.includes(undefined)) return { outcome: "malformed" };
    if (notice.sequence < this.#state.sequence) return { outcome: "replayed" };
    if (nowMs >= clockSetMs && notice.expiresMs <= nowMs) return { outcome: "expired" };
    if (notice.sequence === this.#state.sequence) return { outcome: "repeated", notice };
    const state = { sequence: notice.sequence, keys: notice.keys ?? this.#state.keys };
    await this.#keep(state);
    this.#state = state;
    this.#keys = keysOf(state);
    return { outcome: "applied", notice };
  }
}

function keysOf({ keys }: TrustState): readonly PublicKey[] {
  return keys.map(parsePublicKey).filter((key) => key !== undefined);
}
