/**
 * Names of objects: the key by which caches and purges know them, and the URI by which the multicast does.
 *
 * @module
 */

import { canonicalTarget } from "#http";

/** What every transport object URI begins with (the host that receivers map to themselves). */
export const transportObjectBase = "http://dvb.gw/";

/** Longest key: an FDT carries no longer URI, and no cache should be asked for one. */
const maxKeyLength = 2000;

/** Returns the transport object URI of a key. */
export function transportUri(key: string): string {
  return `${transportObjectBase}${key.slice(1)}`;
}

/**
 * Returns the URL that a reference in a document means, or `undefined` when no HTTP(S) URL comes out.
 *
 * @param base Where the document is, as the service list names it.
 */
export function resolve(reference: string, base: URL): URL | undefined {
  if (!URL.canParse(reference, base)) return undefined;
  const url = new URL(reference, base);
  return /^https?:$/.test(url.protocol) ? url : undefined;
}

/**
 * Returns the key of a URL: its canonical path and query; host and fragment do not count.
 *
 * @returns `undefined` when it is too long to be carried.
 */
export function keyOf(url: URL): string | undefined {
  const key = canonicalTarget(url.pathname + url.search);
  return key !== undefined && key.length <= maxKeyLength ? key : undefined;
}

/**
 * Returns the key of what a document refers to.
 *
 * @returns `undefined` when it is not an HTTP(S) URL on the document's own host: what lies elsewhere
 *   cannot be asked from this origin by its path.
 */
export function referencedKey(reference: string, base: URL): string | undefined {
  const url = resolve(reference, base);
  return url?.host === base.host ? keyOf(url) : undefined;
}
