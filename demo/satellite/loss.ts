/**
 * Which packets the demo's satellite loses. Pure and seeded: the same seed loses the same packets.
 *
 * @module
 */

/** The largest share of packets that the demo's satellite can be told to lose. */
export const maxLossShare = 0.3;

/** Loses packets independently of each other, a set share of them. */
export class PacketLoss {
  #share = 0;
  #state: number;

  /** @param seed Any whole number; only its low 32 bits count. */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  get share(): number {
    return this.#share;
  }

  /** @throws {RangeError} when the share is not 0 to {@linkcode maxLossShare}. */
  set share(share: number) {
    if (!(share >= 0 && share <= maxLossShare)) {
      throw new RangeError(
        `Cannot set the loss: need a share from 0 to ${maxLossShare}: received ${share}`,
      );
    }
    this.#share = share;
  }

  /** Decides about the next packet. */
  loses(): boolean {
    return this.#next() < this.#share;
  }

  /** A number in [0, 1): a Weyl sequence put through a 32-bit mixing function. */
  #next(): number {
    this.#state = this.#state + 0x9e3779b9 | 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ mixed >>> 16, 0x21f0aaad);
    mixed = Math.imul(mixed ^ mixed >>> 15, 0x735a2d97);
    return ((mixed ^ mixed >>> 15) >>> 0) / 2 ** 32;
  }
}
