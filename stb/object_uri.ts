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
 * Returns the request target at one repair server, below its base URL: the key without the path of
 * the base URI that the server stands for (ETSI TS 103 769 clause 9.2.4).
 *
 * @param objectBaseUri As the configuration has it; without one the server has every object.
 * @returns `undefined` when the object is not below that base URI.
 */
export function repairTarget(key: string, objectBaseUri?: string): string | undefined {
  if (objectBaseUri === undefined) return key;
  const folder = (objectKey(objectBaseUri) ?? "/").replace(/\/$/, "");
  return key.startsWith(`${folder}/`) ? key.slice(folder.length) : undefined;
}
