/**
 * What the page works out from the set-top box's status: rates, shares and their wording. Pure.
 *
 * @module
 */

/** The roads, cheapest first. */
export const roads = ["satellite", "repair", "internet"];

/**
 * @typedef {{ satellite: number, repair: number, internet: number }} RoadBytes
 * @typedef {{ atMs: number, bytes: RoadBytes }} Sample
 */

/** The byte counters of the last while, for rates and for the chart. */
export class History {
  /** @type {Sample[]} */
  #samples = [];
  #keptMs;

  /** @param {number} keptMs How far back it remembers. */
  constructor(keptMs) {
    this.#keptMs = keptMs;
  }

  /**
   * Takes the counters of one moment. Counters that fell mean a restarted box: what came before is
   * forgotten.
   *
   * @param {Sample} sample
   */
  push(sample) {
    const last = this.#samples.at(-1);
    if (last && sample.atMs <= last.atMs) return;
    if (last && roads.some((road) => sample.bytes[road] < last.bytes[road])) this.#samples = [];
    this.#samples.push(sample);
    // One sample older than the window stays, so that its left edge can be interpolated.
    while (this.#samples.length > 2 && this.#samples[1].atMs < sample.atMs - this.#keptMs) {
      this.#samples.shift();
    }
  }

  /**
   * Bytes that had come by a road at a moment, interpolated between samples and flat outside.
   *
   * @param {string} road
   * @param {number} atMs
   * @returns {number}
   */
  bytesAt(road, atMs) {
    const samples = this.#samples;
    if (samples.length === 0) return 0;
    let high = samples.length - 1;
    if (atMs >= samples[high].atMs) return samples[high].bytes[road];
    if (atMs <= samples[0].atMs) return samples[0].bytes[road];
    let low = 0;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (samples[middle].atMs <= atMs) low = middle;
      else high = middle;
    }
    const [from, to] = [samples[low], samples[high]];
    const share = (atMs - from.atMs) / (to.atMs - from.atMs);
    return from.bytes[road] + share * (to.bytes[road] - from.bytes[road]);
  }

  /**
   * Mean bit rate of a road over the `windowMs` that end at `atMs`, in bits a second.
   *
   * @param {string} road
   * @param {number} atMs
   * @param {number} windowMs
   * @returns {number}
   */
  rate(road, atMs, windowMs) {
    const bytes = this.bytesAt(road, atMs) - this.bytesAt(road, atMs - windowMs);
    return bytes * 8 * 1000 / windowMs;
  }
}

/**
 * What part of the whole each road brought; all 0 when nothing came.
 *
 * @param {RoadBytes} bytes
 * @returns {RoadBytes}
 */
export function shares(bytes) {
  const total = roads.reduce((sum, road) => sum + bytes[road], 0);
  const share = (/** @type {string} */ road) => total === 0 ? 0 : bytes[road] / total;
  return {
    satellite: share("satellite"),
    repair: share("repair"),
    internet: share("internet"),
  };
}

const units = ["B", "kB", "MB", "GB", "TB"];

/**
 * Bytes in the unit that leaves three digits: `182 kB`, `1.42 MB`.
 *
 * @param {number} bytes
 * @returns {string}
 */
export function formatBytes(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/**
 * A share as a percentage; never 0 % or 100 % when it is not exactly that.
 *
 * @param {number} share 0 to 1.
 * @returns {string}
 */
export function formatShare(share) {
  if (share > 0 && share < 0.001) return "< 0.1 %";
  if (share > 0.999 && share < 1) return "> 99.9 %";
  const percent = share * 100;
  return `${percent === Math.round(percent) ? percent : percent.toFixed(1)} %`;
}

/**
 * @param {number} count
 * @param {string} singular
 * @param {string} [plural]
 * @returns {string} For example `1 object`, `12 objects`.
 */
export function formatCount(count, singular, plural = `${singular}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? singular : plural}`;
}

/**
 * Share of requests that the box answered from what it had or was just receiving.
 *
 * @param {{ hit: number, arriving: number, miss: number, error: number }} requests
 * @returns {number | undefined} `undefined` before the first request.
 */
export function hitShare({ hit, arriving, miss, error }) {
  const total = hit + arriving + miss + error;
  return total === 0 ? undefined : (hit + arriving) / total;
}
