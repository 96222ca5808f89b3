/**
 * Transport object URIs and the cache keys they stand for: the road an object came by is no part of
 * its name, so `http://dvb.gw/one/seg-1.ts` is what players know as `/one/seg-1.ts`.
 *
 * @module
 */

import { canonicalTarget } from "#http";

/** Longest URI that is looked at, in characters. */
const maxUriLength = 4096;

/**
 * Returns the cache key of a transport object URI: its canonical path and query.
 *
 * @param uri Absolute `http` or `https` URI, or a path.
 * @returns `undefined` for other schemes (`urn:` names configuration documents), for URIs with a
 *   fragment (chunks of an object, ETSI TS 103 769 clause F.2.3) and for what is no URI.
 */
export function objectKey(uri: string): string | undefined {
  if (uri.length > maxUriLength || uri.includes("#")) return undefined;
  const [, path] = /^https?:\/\/[^/?#\s]+(\/.*)$/is.exec(uri) ?? [];
  const target = path ?? (uri.startsWith("/") && !uri.startsWith("//") ? uri : undefined);
  return target === undefined ? undefined : canonicalTarget(target);
}

/**
 * Returns the request target at one repair server: the key without the path of the objects' base
 * URI, below the path of the server's base URL (ETSI TS 103 769 clause 9.2.4).
 *
 * @param place The server's base URL, and the base URI that it stands for when the configuration
 *   names one.
 * @returns `undefined` when the object is not below that base URI.
 */
export function repairTarget(
  key: string,
  place: { readonly url: URL; readonly objectBaseUri?: string },
): string | undefined {
  const base = place.url.pathname.replace(/\/$/, "");
  if (place.objectBaseUri === undefined) return base + key;
  const prefix = objectKey(place.objectBaseUri) ?? "/";
  const folder = prefix.replace(/\/$/, "");
  if (!key.startsWith(`${folder}/`)) return undefined;
  return base + key.slice(folder.length);
}
