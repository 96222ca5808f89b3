/**
 * The HTTP head under which an object from the satellite is kept, made from its FDT entry. Pure.
 *
 * @module
 */

import { type Field, formatHttpDate, isFieldValue, parseEntityTag } from "#http";
import type { FdtDigests, FdtFile } from "#flute";

/** Longest content type that is kept, in characters. */
const maxTypeLength = 256;
const yearSeconds = 365 * 86_400;

/** Freshness of what the FDT says nothing of, in seconds. */
const defaultMaxAgeSeconds = { playlist: 1, other: 3600 };

/** How long a stored object may stand in for an internet that is away, in seconds. */
const staleIfErrorSeconds = { playlist: 30, other: 7 * 86_400 };

/** Whether an object is a playlist or manifest: replaced all the time, never read while arriving. */
export function isPlaylist(key: string, contentType = ""): boolean {
  if (/mpegurl|dash\+xml/i.test(contentType)) return true;
  return /\.(m3u8?|mpd)$/i.test(key.split("?", 1)[0]);
}

/** Returns the fields that are stored with an object. */
export function storedFields(key: string, file: FdtFile, nowMs: number): Field[] {
  const fields: Field[] = [
    ["content-type", contentTypeOf(file)],
    ["cache-control", cacheControlOf(key, file, nowMs)],
    ["date", formatHttpDate(nowMs)],
  ];
  const etag = entityTagOf(file);
  if (etag !== undefined) fields.push(["etag", etag]);
  const digest = file.digests.reprSha256;
  if (digest !== undefined) fields.push(["repr-digest", `sha-256=:${base64OfHex(digest)}:`]);
  return fields;
}

/**
 * Returns the entity tag of an object: the origin's when the FDT has it, else one made from the
 * digest, so that players can revalidate either way.
 */
export function entityTagOf({ etag, digests }: Pick<FdtFile, "etag" | "digests">) {
  if (etag !== undefined && parseEntityTag(etag) !== undefined) return etag;
  const digest = strongDigest(digests);
  return digest === undefined ? undefined : `"${digest.slice(0, 32)}"`;
}

function strongDigest({ reprSha256, contentSha256 }: FdtDigests): string | undefined {
  return reprSha256 ?? contentSha256;
}

function contentTypeOf({ contentType }: FdtFile): string {
  const fits = contentType !== undefined && contentType !== "" &&
    contentType.length <= maxTypeLength && isFieldValue(contentType);
  return fits ? contentType : "application/octet-stream";
}

function cacheControlOf(key: string, file: FdtFile, nowMs: number): string {
  const kind = isPlaylist(key, file.contentType) ? "playlist" : "other";
  const tail = `stale-if-error=${staleIfErrorSeconds[kind]}`;
  const control = file.cacheControl;
  if (control?.kind === "no_cache") return `no-cache, ${tail}`;
  if (control?.kind === "expires") {
    const seconds = Math.floor((control.expiresMs - nowMs) / 1000);
    return `max-age=${Math.min(Math.max(seconds, 0), yearSeconds)}, ${tail}`;
  }
  // max_stale: the sender does not mind how old it gets.
  const seconds = control?.kind === "max_stale" ? 86_400 : defaultMaxAgeSeconds[kind];
  return `max-age=${seconds}, ${tail}`;
}

function base64OfHex(hex: string): string {
  const bytes = hex.match(/../g)?.map((pair) => String.fromCharCode(parseInt(pair, 16))) ?? [];
  return btoa(bytes.join(""));
}
