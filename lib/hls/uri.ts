/**
 * Resolves the URIs of a playlist (RFC 8216 section 4.1, RFC 3986 section 5).
 *
 * @module
 */

/** A URI in a playlist cannot be resolved, or is of a kind that is not fetched. */
export class UnresolvedUri extends Error {
  override name = "UnresolvedUri";
}

/**
 * Returns `uri` resolved against the playlist's URL, or as it is without one.
 *
 * @throws {UnresolvedUri} when it is empty, or comes out as anything but http or https.
 */
export function absolute(uri: string | undefined, playlistUrl: string | undefined): string {
  if (!uri) throw new UnresolvedUri("Cannot resolve URI: one that is not empty: received none");
  if (playlistUrl === undefined) return uri;
  const url = URL.parse(uri, playlistUrl);
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new UnresolvedUri(`Cannot resolve URI: http or https: received ${uri.slice(0, 128)}`);
  }
  return url.href;
}

/** Returns a key's URI resolved where that is possible: it may be of any kind, for example `skd:`. */
export function keyUri(uri: string, playlistUrl: string | undefined): string {
  return (playlistUrl === undefined ? undefined : URL.parse(uri, playlistUrl)?.href) ?? uri;
}
