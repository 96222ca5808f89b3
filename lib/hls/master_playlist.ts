/**
 * Reads master playlists.
 *
 * @module
 */

import type { types } from "hls-parser";
import type { MasterPlaylist, Rendition, Variant } from "./model.ts";
import { hasTag, type HlsRejection, parseTags, playlistText } from "./text.ts";
import { absolute, UnresolvedUri } from "./uri.ts";

const tags: ReadonlySet<string> = new Set([
  "EXTM3U",
  "EXT-X-MEDIA",
  "EXT-X-STREAM-INF",
  "EXT-X-I-FRAME-STREAM-INF",
]);

/** The parser compares every variant with every line, so the length is bounded more tightly. */
const maxCharacters = 256 * 1024;

/**
 * Reads a master playlist.
 *
 * @param playlist Text, or bytes in UTF-8; at most 256 KiB.
 * @param playlistUrl Where it came from: every URI is then resolved against it.
 * @returns The reason in one word when it cannot be used; `wrong_kind` for a media playlist.
 */
export function parseMasterPlaylist(
  playlist: string | Uint8Array,
  playlistUrl?: string,
): MasterPlaylist | HlsRejection {
  if (playlist.length > maxCharacters) return "too_large";
  const read = playlistText(playlist);
  if (typeof read === "string") return read;
  if (hasTag(read.text, "EXTINF", "EXT-X-TARGETDURATION")) return "wrong_kind";
  try {
    const parsed = parseTags(read.text, tags);
    return parsed.isMasterPlaylist ? masterPlaylist(parsed, playlistUrl) : "malformed";
  } catch (error) {
    return error instanceof UnresolvedUri ? "bad_uri" : "malformed";
  }
}

function masterPlaylist(
  { variants }: types.MasterPlaylist,
  playlistUrl: string | undefined,
): MasterPlaylist | HlsRejection {
  const renditions = new Map<string, Rendition>();
  for (const { audio, video, subtitles, closedCaptions } of variants) {
    for (const parsed of [...audio, ...video, ...subtitles, ...closedCaptions]) {
      const { type, groupId, name } = parsed;
      renditions.set(JSON.stringify([type, groupId, name]), rendition(parsed, playlistUrl));
    }
  }
  if (!variants.every(({ bandwidth }) => Number.isFinite(bandwidth) && bandwidth >= 0)) {
    return "malformed";
  }
  return {
    variants: variants.map((parsed) => variant(parsed, playlistUrl)),
    renditions: [...renditions.values()],
  };
}

function variant(parsed: types.Variant, playlistUrl: string | undefined): Variant {
  const { codecs, resolution, audio } = parsed;
  return {
    uri: absolute(parsed.uri, playlistUrl),
    bandwidthBitsPerSecond: parsed.bandwidth,
    iFramesOnly: parsed.isIFrameOnly ?? false,
    ...(codecs ? { codecs } : {}),
    ...(resolution ? { resolution } : {}),
    ...(audio.length > 0 ? { audioGroupId: audio[0].groupId } : {}),
  };
}

function rendition(parsed: types.Rendition, playlistUrl: string | undefined): Rendition {
  const { type, groupId, name, language, uri } = parsed;
  return {
    type,
    groupId,
    name,
    isDefault: parsed.isDefault ?? false,
    ...(language ? { language } : {}),
    ...(uri ? { uri: absolute(uri, playlistUrl) } : {}),
  };
}
