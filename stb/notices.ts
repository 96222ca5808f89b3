/**
 * What a box does with the documents that steer it, when it was given a key: notices count by their
 * signature, and a configuration from the air only when a notice names it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { NoticeKeeper, NoticeOutcome, Withdrawals } from "#notice";

/** What notices are taken for. */
export interface NoticesOptions {
  readonly keeper: Pick<NoticeKeeper, "take">;
  readonly onWithdrawals: (withdrawals: Withdrawals) => void;
  /** A configuration that a notice names. */
  readonly onConfiguration: (document: Uint8Array) => void;
  readonly onOutcome: (outcome: NoticeOutcome | "not_kept") => void;
  readonly onUnapproved: () => void;
  readonly nowMs: () => number;
}

/** The notices of one home. */
export class Notices {
  readonly #options: NoticesOptions;
  /** SHA-256 of the configuration that the newest notice names. */
  #approved: string | undefined;
  /** The newest configuration that no notice has named yet. */
  #waiting: Uint8Array | undefined;

  constructor(options: NoticesOptions) {
    this.#options = options;
  }

  /** Takes a notice from the air. */
  async hear(document: Uint8Array): Promise<void> {
    const { keeper, onOutcome, onWithdrawals, nowMs } = this.#options;
    try {
      const { outcome, notice } = await keeper.take(document, nowMs());
      onOutcome(outcome);
      if (notice === undefined) return;
      this.#approved = notice.configuration;
      if (notice.withdrawals !== undefined) onWithdrawals(notice.withdrawals);
      if (this.#waiting !== undefined) this.configure(this.#waiting);
    } catch {
      onOutcome("not_kept");
    }
  }

  /** Takes a configuration from the air. */
  configure(document: Uint8Array): void {
    const digest = createHash("sha256").update(document).digest("hex");
    if (digest === this.#approved) {
      this.#waiting = undefined;
      this.#options.onConfiguration(document);
      return;
    }
    this.#waiting = document;
    this.#options.onUnapproved();
  }
}
