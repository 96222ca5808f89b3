/**
 * Which media playlists an HLS playlist stands for: those that a master playlist names, or itself.
 *
 * @module
 */

import { type MasterPlaylist, parseMasterPlaylist } from "#hls";
import { referencedKey, resolve } from "./object_key.ts";

/** A media playlist. */
export interface NamedStream {
  readonly url: URL;
  readonly key: string;
  /** `BANDWIDTH` of the variant that names it first; renditions have none. */
  readonly averageBitsPerSecond?: number;
}

/**
 * Returns the media playlists, each once, variants before renditions.
 *
 * @param key The key of the playlist itself.
 * @param url Where the service list says that it is.
 * @returns A word when it cannot be carried.
 */
export function namedStreams(
  playlist: Uint8Array,
  { key, url }: { readonly key: string; readonly url: URL },
): readonly NamedStream[] | string {
  const parsed = parseMasterPlaylist(playlist, url.href);
  if (parsed === "wrong_kind") return [{ url, key }];
  if (typeof parsed === "string") return parsed;
  const named = new Map<string, NamedStream>();
  for (const { uri, averageBitsPerSecond } of references(parsed)) {
    const streamKey = referencedKey(uri, url);
    const streamUrl = resolve(uri, url);
    if (streamKey === undefined || streamUrl === undefined) return "foreign_uri";
    if (named.has(streamKey)) continue;
    named.set(streamKey, { url: streamUrl, key: streamKey, averageBitsPerSecond });
  }
  return named.size === 0 ? "without_streams" : [...named.values()];
}

interface Reference {
  readonly uri: string;
  readonly averageBitsPerSecond?: number;
}

/** I-frame playlists are left out: they name parts of segments. */
function references({ variants, renditions }: MasterPlaylist): Reference[] {
  return [
    ...variants.filter(({ iFramesOnly }) => !iFramesOnly).map((one) => {
      return { uri: one.uri, averageBitsPerSecond: one.bandwidthBitsPerSecond };
    }),
    ...renditions.flatMap(({ uri }) => uri === undefined ? [] : [{ uri }]),
  ];
}
