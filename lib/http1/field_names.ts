/**
 * The field names that most requests have, known by their octets: no text is made to tell them apart.
 *
 * @module
 */

const names = [
  "accept",
  "accept-encoding",
  "accept-language",
  "authorization",
  "cache-control",
  "cdn-loop",
  "connection",
  "content-length",
  "content-type",
  "cookie",
  "dnt",
  "expect",
  "host",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "origin",
  "pragma",
  "priority",
  "purge-seq",
  "range",
  "referer",
  "sec-ch-ua",
  "sec-ch-ua-mobile",
  "sec-ch-ua-platform",
  "sec-fetch-dest",
  "sec-fetch-mode",
  "sec-fetch-site",
  "te",
  "transfer-encoding",
  "upgrade-insecure-requests",
  "user-agent",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-playback-session-id",
  "x-requested-with",
] as const;

/** Makes a letter lower-case; what else it changes in a token is told by the comparison. */
const lowerCaseBit = 0x20;
const slots = 512;

interface Known {
  readonly name: string;
  readonly octets: Uint8Array;
}

const table: (readonly Known[])[] = Array.from({ length: slots }, () => []);
for (const name of names) {
  const octets = new TextEncoder().encode(name);
  const slot = slotOf(octets, 0, octets.length);
  table[slot] = [...table[slot], { name, octets }];
}

function slotOf(octets: Uint8Array, start: number, end: number): number {
  const first = octets[start] | lowerCaseBit;
  const middle = octets[(start + end) >> 1] | lowerCaseBit;
  const last = octets[end - 1] | lowerCaseBit;
  return ((end - start) * 7 + first * 5 + middle * 3 + last) % slots;
}

/**
 * Returns a field name in lower case; `undefined` when it is not one of the known.
 *
 * @param octets Tokens only between `start` and `end`.
 */
export function knownFieldName(octets: Uint8Array, start: number, end: number): string | undefined {
  for (const { name, octets: known } of table[slotOf(octets, start, end)]) {
    if (isName(octets, start, end, known)) return name;
  }
  return undefined;
}

function isName(octets: Uint8Array, start: number, end: number, known: Uint8Array): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) {
    const octet = octets[start + i];
    // 0x2d is `-`: setting the bit would make it of a CR, which no token holds.
    if (octet !== known[i] && (octet | lowerCaseBit) !== known[i]) return false;
  }
  return true;
}
