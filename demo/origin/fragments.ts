/**
 * A loop of CMAF fragments played for ever: each round carries later decode times and sequence
 * numbers (ISO/IEC 14496-12 §8.8.5 `mfhd`, §8.8.12 `tfdt`). Pure.
 *
 * @module
 */

interface BoxSpan {
  readonly type: string;
  /** Offset of the first byte after the box header. */
  readonly content: number;
  readonly end: number;
}

/** The boxes in `[start, end)`; 32-bit sizes only, which is what the clip has. */
export function* boxesIn(bytes: Uint8Array, start: number, end: number): Iterable<BoxSpan> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = start; at < end;) {
    const size = at + 8 <= end ? view.getUint32(at) : 0;
    if (size < 8 || at + size > end) {
      throw new RangeError(`Cannot read boxes: a size must be 8 to ${end - at}: received ${size}`);
    }
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    yield { type, content: at + 8, end: at + size };
    at += size;
  }
}

/** Returns the box that lies at `path`, the first of each type. */
export function findBox(bytes: Uint8Array, path: readonly string[]): BoxSpan {
  let within: BoxSpan = { type: "", content: 0, end: bytes.length };
  for (const type of path) {
    const found = [...boxesIn(bytes, within.content, within.end)].find((box) => box.type === type);
    if (!found) throw new RangeError(`Cannot read a fragment: need ${path.join("/")}: no ${type}`);
    within = found;
  }
  return within;
}

/** A loop of fragments of one track as an endless one. */
export class EndlessTrack {
  readonly #fragments: readonly Uint8Array[];
  readonly #fragmentTicks: number;
  readonly #plans: readonly { readonly sequence: number; readonly decodeTime: number }[];

  /**
   * @param fragments One round; each one `moof` whose `tfdt` has version 1, and one `mdat`.
   * @param fragmentTicks Length of a fragment in the track's timescale.
   */
  constructor(fragments: readonly Uint8Array[], fragmentTicks: number) {
    this.#fragments = fragments;
    this.#fragmentTicks = fragmentTicks;
    this.#plans = fragments.map((bytes) => {
      const decodeTime = findBox(bytes, ["moof", "traf", "tfdt"]).content;
      if (bytes[decodeTime] !== 1) {
        throw new RangeError(
          `Cannot loop a fragment: tfdt must have version 1 (64 bits): received ${
            bytes[decodeTime]
          }`,
        );
      }
      return {
        sequence: findBox(bytes, ["moof", "mfhd"]).content + 4,
        decodeTime: decodeTime + 4,
      };
    });
  }

  /** Returns the bytes of fragment `number`, counted from 0 without end. */
  fragment(number: number): Uint8Array {
    const index = number % this.#fragments.length;
    const bytes = this.#fragments[index].slice();
    const view = new DataView(bytes.buffer);
    view.setUint32(this.#plans[index].sequence, (number + 1) % 2 ** 32);
    view.setBigUint64(this.#plans[index].decodeTime, BigInt(number) * BigInt(this.#fragmentTicks));
    return bytes;
  }
}
