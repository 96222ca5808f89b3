/**
 * A way from sender to receiver that loses packets in bursts, brings some twice and some late. The same
 * at each run.
 *
 * @module
 */

/** What the way does to packets. */
export interface Weather {
  /** Share of packets that are lost, 0 to 1. */
  readonly loss: number;
  /** Mean number of packets lost in a row; 5 by default. */
  readonly burst?: number;
  /** Share of packets that come twice. */
  readonly repeated?: number;
  /** Share of packets that come up to 20 places late. */
  readonly late?: number;
}

/** Numbers from 0 to 1, the same at each run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A Gilbert-Elliott channel: in the good state all packets come, in the bad state none. */
export class Channel {
  readonly #random: () => number;
  readonly #late: { packet: Uint8Array; places: number }[] = [];
  #bad = false;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  /** Lets packets through, as the weather is now. */
  *carry(packets: Iterable<Uint8Array>, weather: Weather): Generator<Uint8Array> {
    const { loss, burst = 5, repeated = 0, late = 0 } = weather;
    for (const packet of packets) {
      yield* this.#due();
      if (this.#isLost(loss, burst)) continue;
      if (this.#random() < late) {
        this.#late.push({ packet, places: 1 + Math.floor(this.#random() * 20) });
        continue;
      }
      yield packet;
      if (this.#random() < repeated) yield packet;
    }
  }

  /** What was on its way when the sender fell silent. */
  *rest(): Generator<Uint8Array> {
    for (const { packet } of this.#late.splice(0)) yield packet;
  }

  *#due(): Generator<Uint8Array> {
    for (let at = this.#late.length - 1; at >= 0; at--) {
      if (--this.#late[at].places > 0) continue;
      yield this.#late.splice(at, 1)[0].packet;
    }
  }

  #isLost(loss: number, burst: number): boolean {
    if (loss >= 1) return true;
    const leaves = 1 / burst;
    const enters = (loss * leaves) / (1 - loss);
    this.#bad = this.#random() < (this.#bad ? 1 - leaves : enters);
    return this.#bad;
  }
}
