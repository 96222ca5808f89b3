/**
 * How far the disk is behind those who write to it.
 *
 * @module
 */

/** Counts bytes that writers hold in memory; bounds them without ever blocking a writer. */
export class DiskBacklog {
  readonly #maxBytes: number;
  #gatheredBytes = 0;
  #queuedBytes = 0;
  #waiting: (() => void)[] = [];

  /** @param maxBytes Above this, objects of writers that did not wait are refused. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Counts bytes that are gathered for one larger write; negative when they go. */
  gather(bytes: number): void {
    this.#gatheredBytes += bytes;
  }

  /** Whether so much is gathered that writers should hand over what they have. */
  get crowded(): boolean {
    return this.#gatheredBytes > this.#maxBytes;
  }

  /** Counts bytes that were handed to the disk. */
  queue(bytes: number): void {
    this.#queuedBytes += bytes;
  }

  /** Counts bytes that the disk has taken, or will never get. */
  settle(bytes: number): void {
    this.#queuedBytes -= bytes;
    if (!this.slow) this.#waiting.splice(0).forEach((resolve) => resolve());
  }

  /** Whether no more may be handed over. */
  get full(): boolean {
    return this.#queuedBytes >= this.#maxBytes;
  }

  /** Whether a writer that can wait should. */
  get slow(): boolean {
    return this.#queuedBytes > this.#maxBytes / 4;
  }

  /** Resolves when the disk has caught up so far that no writer should wait. */
  drained(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
