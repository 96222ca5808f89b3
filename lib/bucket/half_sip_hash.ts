/**
 * HalfSipHash-2-4 with 64 bits of output (Aumasson, Bernstein): a keyed hash for short keys, made for
 * machines with 32-bit words. With a key that nobody knows, nobody can choose addresses that collide.
 *
 * @module
 */

/** 64 bits of a hash, as signed words. */
export interface Hash {
  readonly low: number;
  readonly high: number;
}

/** A key of 64 bits. */
export type HashKey = readonly [low: number, high: number];

/** Draws a key for the life of this process. */
export function randomHashKey(): HashKey {
  const [low, high] = crypto.getRandomValues(new Int32Array(2));
  return [low, high];
}

/** The state of one hash that is being made. */
class State {
  #v0: number;
  #v1: number;
  #v2: number;
  #v3: number;

  constructor([low, high]: HashKey) {
    this.#v0 = low;
    this.#v1 = high ^ 0xee; // 64 bits of output
    this.#v2 = low ^ 0x6c796765;
    this.#v3 = high ^ 0x74656462;
  }

  #rounds(count: number): void {
    let [v0, v1, v2, v3] = [this.#v0, this.#v1, this.#v2, this.#v3];
    for (let round = 0; round < count; round++) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    [this.#v0, this.#v1, this.#v2, this.#v3] = [v0, v1, v2, v3];
  }

  add(word: number): void {
    this.#v3 ^= word;
    this.#rounds(2);
    this.#v0 ^= word;
  }

  end(): Hash {
    this.#v2 ^= 0xee;
    this.#rounds(4);
    const low = this.#v1 ^ this.#v3;
    this.#v1 ^= 0xdd;
    this.#rounds(4);
    return { low, high: this.#v1 ^ this.#v3 };
  }
}

/** Hashes a text of octets, one a character, as fields and addresses are. */
export function halfSipHash(text: string, key: HashKey): Hash {
  const state = new State(key);
  const whole = text.length & ~3;
  for (let at = 0; at < whole; at += 4) {
    state.add(
      octet(text, at) | octet(text, at + 1) << 8 | octet(text, at + 2) << 16 |
        octet(text, at + 3) << 24,
    );
  }
  let last = text.length << 24;
  for (let at = whole; at < text.length; at++) last |= octet(text, at) << (8 * (at - whole));
  state.add(last);
  return state.end();
}

function octet(text: string, at: number): number {
  return text.charCodeAt(at) & 0xff;
}
