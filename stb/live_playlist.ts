/**
 * Finds, among the playlists of a service, the one that a continuous MPEG-TS stream can be made of,
 * and reloads it.
 *
 * @module
 */

import type { CacheAnswer } from "#cache";
import {
  type MediaPlaylist,
  type MediaSegment,
  parseMasterPlaylist,
  parseMediaPlaylist,
} from "#hls";
import { objectKey } from "./object_uri.ts";

/** Gets an object as a player would. */
export type GetObject = (
  target: string,
  options: { readonly signal: AbortSignal; readonly range?: string },
) => Promise<CacheAnswer>;

/** A media playlist that can be reloaded. */
export interface TsPlaylist {
  readonly key: string;
  readonly playlist: MediaPlaylist;
}

/** Why there is nothing to make a stream of. */
export type NoTsPlaylist =
  /** No playlist can be had at the moment. */
  | "unavailable"
  /** Playlists are there, but none of plain MPEG-TS segments. */
  | "not_ts";

/** Playlists longer than this are nobody's. */
const maxPlaylistBytes = 4 * 2 ** 20;
const base = "http://dvb.gw";

/** Finds the first of `keys` that leads to MPEG-TS segments. */
export async function findTsPlaylist(
  keys: readonly string[],
  get: GetObject,
  signal: AbortSignal,
): Promise<TsPlaylist | NoTsPlaylist> {
  let seen = false;
  for (const key of keys) {
    const text = await loadText(key, get, signal);
    if (text === undefined) continue;
    const mediaKey = mediaPlaylistOf(text, key);
    const playlist = mediaKey === key
      ? readPlaylist(text, key)
      : mediaKey && await loadPlaylist(mediaKey, get, signal);
    if (!mediaKey || !playlist) continue;
    seen = true;
    if (playlist.segments.every(isPlainTs)) return { key: mediaKey, playlist };
  }
  return seen ? "not_ts" : "unavailable";
}

/** Loads a media playlist; `undefined` when it cannot be had or read. */
export async function loadPlaylist(
  key: string,
  get: GetObject,
  signal: AbortSignal,
): Promise<MediaPlaylist | undefined> {
  const text = await loadText(key, get, signal);
  return text === undefined ? undefined : readPlaylist(text, key);
}

function readPlaylist(text: string, key: string): MediaPlaylist | undefined {
  const playlist = parseMediaPlaylist(text, base + key);
  return typeof playlist === "string" ? undefined : playlist;
}

/** The playlist itself, or the best variant of a master playlist. */
function mediaPlaylistOf(text: string, key: string): string | undefined {
  const master = parseMasterPlaylist(text, base + key);
  if (typeof master === "string") return key;
  const [best] = master.variants.filter(({ iFramesOnly }) => !iFramesOnly)
    .sort((a, b) => b.bandwidthBitsPerSecond - a.bandwidthBitsPerSecond);
  return best && objectKey(best.uri);
}

function isPlainTs({ map, key }: MediaSegment): boolean {
  return map === undefined && key === undefined;
}

async function loadText(
  key: string,
  get: GetObject,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { status, body } = await get(key, { signal });
  if (status !== 200 || body === null) {
    if (body instanceof ReadableStream) await body.cancel().catch(() => {});
    return undefined;
  }
  if (body instanceof Uint8Array) return new TextDecoder().decode(body);
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > maxPlaylistBytes) return undefined;
    }
  } catch {
    return undefined; // it broke off; the next reload may be whole
  }
  return text + decoder.decode();
}
