/**
 * How often a playlist (RFC 8216) or a media presentation description (ISO/IEC 23009-1) changes.
 * Reads the few words that say so, nothing else; text that is neither says nothing.
 *
 * @module
 */

import { type Fields, fieldValue } from "#http";
import { maxDeltaSeconds } from "./cache_control.ts";
import type { Life } from "./freshness.ts";

/** The formats that are known, by their media types. */
export type ManifestKind = "hls" | "dash";

const kinds: Readonly<Record<string, ManifestKind | undefined>> = {
  "application/vnd.apple.mpegurl": "hls",
  "application/x-mpegurl": "hls",
  "audio/mpegurl": "hls",
  "audio/x-mpegurl": "hls",
  "application/dash+xml": "dash",
};

/** The format of a response, by its `Content-Type`. */
export function manifestKind(fields: Fields): ManifestKind | undefined {
  const type = fieldValue(fields, "content-type")?.split(";", 1)[0].trim().toLowerCase();
  return type === undefined ? undefined : kinds[type];
}

/**
 * Returns how long a manifest may live: half a period where nobody says, one at most.
 *
 * @param ends How the text begins and ends; short ones are whole in both.
 * @returns `"ended"` when it does not change any more, `"unknown"` when it does not say.
 */
export function lifeOfManifest(
  kind: ManifestKind,
  ends: { readonly opening: string; readonly closing: string },
): Life | "ended" | "unknown" {
  return kind === "hls" ? lifeOfPlaylist(ends) : lifeOfDescription(ends.opening);
}

/** RFC 8216 §4.3.3: the target duration; of low-latency playlists the part target, where silent. */
function lifeOfPlaylist(
  { opening, closing }: { opening: string; closing: string },
): Life | "ended" | "unknown" {
  const ended = /^#EXT-X-(?:ENDLIST|PLAYLIST-TYPE:VOD)[ \t]*\r?$/m;
  if (ended.test(opening) || ended.test(closing)) return "ended";
  const target = /^#EXT-X-TARGETDURATION:(\d{1,10})[ \t]*\r?$/m.exec(opening)?.[1];
  if (target === undefined) return "unknown";
  const part = /^#EXT-X-PART-INF:(?:.*,)?PART-TARGET=(\d{1,6}(?:\.\d{1,6})?)/m.exec(opening)?.[1];
  return lifeOfPeriod(Number(target), part === undefined ? undefined : Number(part));
}

/** ISO/IEC 23009-1 §5.3.1.2: `@type` and `@minimumUpdatePeriod` of the root element. */
function lifeOfDescription(opening: string): Life | "ended" | "unknown" {
  const root = /<(?:[\w.-]+:)?MPD\s[^>]*>/.exec(opening)?.[0];
  if (root === undefined) return "unknown";
  const attribute = (name: string) =>
    new RegExp(`\\s${name}\\s*=\\s*["']([^"']*)["']`).exec(root)?.[1];
  if (attribute("type") !== "dynamic") return "ended";
  const periodSeconds = durationSeconds(attribute("minimumUpdatePeriod") ?? "");
  return periodSeconds > 0 ? lifeOfPeriod(periodSeconds) : "unknown";
}

function lifeOfPeriod(periodSeconds: number, silentSeconds = periodSeconds / 2): Life {
  const mostMs = Math.min(periodSeconds, maxDeltaSeconds) * 1000;
  return { silentMs: Math.min(silentSeconds * 1000, mostMs), mostMs };
}

/** Reads days to seconds of an `xs:duration`; 0 for what is none, or nothing. */
function durationSeconds(text: string): number {
  const parts =
    /^P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9}(?:\.\d{1,6})?)S)?)?$/
      .exec(text);
  if (parts === null) return 0;
  const [days, hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0));
  return ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
}
