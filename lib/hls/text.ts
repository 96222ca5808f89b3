/**
 * What is done to a playlist's text before it reaches the parser.
 *
 * @module
 */

import { parse, setOptions, type types } from "hls-parser";

// Without it the parser writes what it finds odd to the console.
setOptions({ strictMode: false, silent: true });

/** Why a playlist was refused. */
export type HlsRejection =
  | "too_large"
  | "not_utf8"
  | "not_a_playlist"
  | "wrong_kind"
  | "malformed"
  | "bad_uri";

/** A day of two-second segments fits. */
const maxCharacters = 4 * 2 ** 20;

/** Returns the text of a playlist, or why it cannot be one (RFC 8216 section 4.1). */
export function playlistText(playlist: string | Uint8Array): { text: string } | HlsRejection {
  if (playlist.length > maxCharacters) return "too_large";
  const text = typeof playlist === "string" ? playlist : decodeUtf8(playlist);
  if (text === undefined) return "not_utf8";
  return /^\uFEFF?#EXTM3U[ \t]*(?:\r?\n|$)/.test(text) ? { text } : "not_a_playlist";
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Whether any line of the playlist starts with one of the tags. */
export function hasTag(text: string, ...tags: readonly string[]): boolean {
  return tags.some((tag) => text.includes(`\n#${tag}`));
}

/**
 * Parses the URI lines and those tags that are asked for.
 *
 * @throws for some of what it cannot read; other mistakes come out as odd values.
 */
export function parseTags(
  text: string,
  tags: ReadonlySet<string>,
): types.MasterPlaylist | types.MediaPlaylist {
  return parse(onlyTags(text, tags));
}

/**
 * Keeps the URI lines and some tags.
 *
 * A tag that is left out then costs nothing, wherever the parser would check it against all others.
 * Titles are cut off, since the parser throws for those that are not ASCII.
 */
function onlyTags(text: string, tags: ReadonlySet<string>): string {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/).filter((line) => {
    return line !== "" && (line[0] !== "#" || tags.has(/^#([^:\s]*)/.exec(line)![1]));
  });
  return lines.map((line) => line.replace(/^(#EXTINF:[^,]*),.*$/s, "$1,")).join("\n");
}
