/**
 * Says what is wrong with something once, and once when it is right again, however often it is tried.
 *
 * @module
 */

import type { Logger } from "#log";

/** The things that something is wrong with. */
export class Complaints {
  readonly #log: Logger;
  readonly #reasons = new Map<string, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** How many things have something wrong with them. */
  get open(): number {
    return this.#reasons.size;
  }

  /** Logs a sentence when the reason is new for its subject. */
  raise(subject: string, reason: string, sentence: string): void {
    if (this.#reasons.get(subject) === reason) return;
    this.#reasons.set(subject, reason);
    this.#log.warn(sentence, { subject, reason });
  }

  /** Logs that a subject works again, if something was wrong with it. */
  settle(subject: string): void {
    if (this.#reasons.delete(subject)) this.#log.info("works again", { subject });
  }

  /** Forgets a subject that is not there any more. */
  forget(subject: string): void {
    this.#reasons.delete(subject);
  }
}
