/**
 * Weighted rendezvous hashing (highest random weight): which node keeps a key, and who is next when
 * that node is away. Nodes that agree on the list agree on the order, without talking.
 *
 * @module
 */

/** A node that keys can be given to. */
export interface Weighted {
  readonly id: string;
  /** Its share relative to the others; 1 when absent. */
  readonly weight?: number;
}

/**
 * Returns `nodes` in the order in which they should be asked for `key`.
 *
 * Taking a node away moves only the keys that it had; each goes to the node that stood second.
 *
 * @param key What is kept, for example the canonical path.
 */
export function rendezvous<Node extends Weighted>(key: string, nodes: readonly Node[]): Node[] {
  if (nodes.length < 2) return [...nodes];
  const keyHash = hash(key);
  const scored = nodes.map((node) => ({ node, score: score(keyHash, node) }));
  scored.sort((a, b) => b.score - a.score || (a.node.id < b.node.id ? -1 : 1));
  return scored.map(({ node }) => node);
}

/** `-weight / ln(u)` with `u` uniform in (0, 1): each node wins in proportion to its weight. */
function score([keyHigh, keyLow]: Hash, { id, weight = 1 }: Weighted): number {
  const [high, low] = hash(id);
  const mixedHigh = mix(keyHigh ^ Math.imul(high, 0x9e3779b1));
  const mixedLow = mix(keyLow ^ Math.imul(low, 0x85ebca6b) ^ mixedHigh);
  const uniform = ((mixedHigh >>> 6) * 2 ** 26 + (mixedLow >>> 6) + 0.5) / 2 ** 52;
  return -weight / Math.log(uniform);
}

type Hash = readonly [high: number, low: number];

/** Two 32-bit multiply-xor lanes over the UTF-16 code units, finished like MurmurHash3. */
function hash(text: string): Hash {
  let high = 0x2f0b4a6d, low = 0x51ed270b;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    high = Math.imul(high ^ unit, 0x01000193);
    low = Math.imul(low ^ unit, 0x5bd1e995);
    low ^= low >>> 15;
  }
  return [mix(high ^ text.length), mix(low ^ Math.imul(high, 0x1b873593))];
}

function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
