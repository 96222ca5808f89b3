/**
 * Request traces, the same each time: a seeded generator stands for chance.
 *
 * @module
 */

/** Which objects are asked for, in order, and how large each is. */
export interface Trace {
  readonly name: string;
  readonly keys: Uint32Array;
  readonly bytesOf: (key: number) => number;
  /** Different objects. */
  readonly objects: number;
  /** All of them together, in bytes. */
  readonly bytes: number;
}

/** A generator of numbers in [0, 1): mulberry32. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ state >>> 15, state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
}

/** Draws ranks from 0 with probability in proportion to 1 / (rank + 1)^skew. */
function zipf(count: number, skew: number, chance: () => number): () => number {
  const sums = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank++) sums[rank] = sum += 1 / (rank + 1) ** skew;
  return () => {
    const at = chance() * sum;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] < at) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

function trace(name: string, keys: Uint32Array, bytesOf: (key: number) => number): Trace {
  const distinct = new Set(keys);
  let bytes = 0;
  for (const key of distinct) bytes += bytesOf(key);
  return { name, keys, bytesOf, objects: distinct.size, bytes };
}

const one = () => 1;
const population = 100_000;

/** Popularity that never changes. */
export function zipfTrace(skew: number, requests: number): Trace {
  const draw = zipf(population, skew, random(1));
  return trace(`Zipf ${skew.toFixed(1)}`, Uint32Array.from({ length: requests }, draw), one);
}

/** The same with a share of requests for what is asked for once and never again. */
export function oneHitTrace(skew: number, share: number, requests: number): Trace {
  const chance = random(2);
  const draw = zipf(population, skew, chance);
  let next = population;
  const keys = Uint32Array.from({ length: requests }, () => chance() < share ? next++ : draw());
  return trace(`Zipf ${skew} + ${100 * share} % one-hit wonders`, keys, one);
}

/** Zipf 1.0, and now and then a scan over objects that nobody asks for again. */
export function scanTrace(requests: number): Trace {
  const draw = zipf(population, 1, random(3));
  const [between, scanned] = [40_000, 20_000];
  let next = population;
  const keys = Uint32Array.from(
    { length: requests },
    (_, i) => i % (between + scanned) < between ? draw() : next++,
  );
  return trace("Zipf 1.0 with scans", keys, one);
}

/** The same objects round and round. */
export function loopTrace(requests: number): Trace {
  const around = 20_000;
  return trace("loop", Uint32Array.from({ length: requests }, (_, i) => i % around), one);
}

/**
 * Live and on demand: 60 % of requests are for segments at the live edge of 40 channels in 4
 * renditions, which moves on every 3000 requests, and for those up to a minute behind; 40 % are
 * sessions of 12 segments on 3000 titles by Zipf 0.9. Segments are of 0.25 to 2 MB by rendition.
 */
export function liveAndVodTrace(requests: number): Trace {
  const chance = random(4);
  const [channels, titles, perTitle, sessionSegments] = [40, 3000, 200, 12];
  const channel = zipf(channels, 1, chance);
  const title = zipf(titles, 0.9, chance);
  const rendition = zipf(4, 0.7, chance);
  const sessions: { key: number; left: number }[] = [];
  const vodKeys = titles * perTitle * 4;
  const live = (i: number) => {
    const edge = 30 + Math.floor(i / 3000);
    const behind = Math.floor(-3 * Math.log(1 - chance()));
    const segment = Math.max(0, edge - Math.min(behind, 30));
    return vodKeys + (segment * channels + channel()) * 4 + rendition();
  };
  const onDemand = () => {
    if (sessions.length < 400) {
      const start = Math.floor(chance() ** 2 * (perTitle - sessionSegments));
      const key = (title() * perTitle + start) * 4 + rendition();
      sessions.push({ key, left: sessionSegments });
    }
    const at = Math.floor(chance() * sessions.length);
    const session = sessions[at];
    const { key } = session;
    session.key += 4;
    if (--session.left === 0) sessions.splice(at, 1);
    return key;
  };
  const keys = Uint32Array.from(
    { length: requests },
    (_, i) => chance() < 0.6 ? live(i) : onDemand(),
  );
  return trace("live and VoD", keys, (key) => 250_000 * 2 ** (3 - key % 4));
}
