/**
 * Reads media playlists.
 *
 * @module
 */

import type { types } from "hls-parser";
import type { ByteRange, InitializationSection, MediaPlaylist, MediaSegment } from "./model.ts";
import { hasTag, type HlsRejection, parseTags, playlistText } from "./text.ts";
import { absolute, keyUri, UnresolvedUri } from "./uri.ts";

const tags: ReadonlySet<string> = new Set([
  "EXTM3U",
  "EXTINF",
  "EXT-X-BYTERANGE",
  "EXT-X-DISCONTINUITY",
  "EXT-X-KEY",
  "EXT-X-MAP",
  "EXT-X-PROGRAM-DATE-TIME",
  "EXT-X-TARGETDURATION",
  "EXT-X-MEDIA-SEQUENCE",
  "EXT-X-DISCONTINUITY-SEQUENCE",
  "EXT-X-ENDLIST",
]);

/**
 * Reads a media playlist.
 *
 * @param playlist Text, or bytes in UTF-8; at most 4 MiB.
 * @param playlistUrl Where it came from: every URI is then resolved against it.
 * @returns The reason in one word when it cannot be used; `wrong_kind` for a master playlist.
 */
export function parseMediaPlaylist(
  playlist: string | Uint8Array,
  playlistUrl?: string,
): MediaPlaylist | HlsRejection {
  const read = playlistText(playlist);
  if (typeof read === "string") return read;
  if (hasTag(read.text, "EXT-X-STREAM-INF", "EXT-X-MEDIA:")) return "wrong_kind";
  if (!hasTag(read.text, "EXT-X-TARGETDURATION:")) return "malformed";
  try {
    const parsed = parseTags(read.text, tags);
    return parsed.isMasterPlaylist ? "wrong_kind" : mediaPlaylist(parsed, playlistUrl);
  } catch (error) {
    return error instanceof UnresolvedUri ? "bad_uri" : "malformed";
  }
}

function mediaPlaylist(
  parsed: types.MediaPlaylist,
  playlistUrl: string | undefined,
): MediaPlaylist | HlsRejection {
  const segments = parsed.segments
    .filter(({ uri }) => uri !== "") // tags at the end without a segment
    .map((parsedSegment) => segment(parsedSegment, playlistUrl));
  const playlist: MediaPlaylist = {
    targetDurationSeconds: parsed.targetDuration,
    mediaSequence: parsed.mediaSequenceBase ?? 0,
    discontinuitySequence: parsed.discontinuitySequenceBase ?? 0,
    segments,
    ended: parsed.endlist,
  };
  return isSound(playlist) ? playlist : "malformed";
}

function segment(parsed: types.Segment, playlistUrl: string | undefined): MediaSegment {
  const { byterange, map, key, programDateTime } = parsed;
  return {
    uri: absolute(parsed.uri, playlistUrl),
    durationSeconds: parsed.duration,
    sequence: parsed.mediaSequenceNumber,
    discontinuity: parsed.discontinuity ?? false,
    ...(byterange ? { byteRange: byteRange(byterange) } : {}),
    ...(map ? { map: initializationSection(map, playlistUrl) } : {}),
    ...(key && key.method !== "NONE"
      ? {
        key: {
          method: key.method,
          ...(key.uri ? { uri: keyUri(key.uri, playlistUrl) } : {}),
        },
      }
      : {}),
    ...(programDateTime ? { programDateTimeMs: programDateTime.getTime() } : {}),
  };
}

function byteRange({ offset, length }: types.Byterange): ByteRange {
  return { offsetBytes: Math.max(0, offset), lengthBytes: length };
}

function initializationSection(
  map: types.MediaInitializationSection,
  playlistUrl: string | undefined,
): InitializationSection {
  return {
    uri: absolute(map.uri, playlistUrl),
    ...(map.byterange ? { byteRange: byteRange(map.byterange) } : {}),
  };
}

/** The parser turns what is no number into 0, and lets anything through that starts with one. */
function isSound({ targetDurationSeconds, mediaSequence, segments }: MediaPlaylist): boolean {
  return targetDurationSeconds > 0 && targetDurationSeconds < 86_400 &&
    Number.isSafeInteger(mediaSequence) && mediaSequence >= 0 &&
    segments.every(({ durationSeconds, byteRange, map, programDateTimeMs }) =>
      durationSeconds >= 0 && durationSeconds < 86_400 && isWhole(byteRange) &&
      isWhole(map?.byteRange) && !Number.isNaN(programDateTimeMs)
    );
}

function isWhole(range: ByteRange | undefined): boolean {
  return range === undefined ||
    (Number.isSafeInteger(range.offsetBytes) && Number.isSafeInteger(range.lengthBytes) &&
      range.lengthBytes > 0);
}
