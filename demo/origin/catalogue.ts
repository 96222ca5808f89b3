/**
 * Everything the demo's origin publishes, as a function of path, wall clock and edition. Pure.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import { manifestMediaTypes, serviceListMediaType } from "#dvbi";
import {
  isPublished,
  manifest,
  mediaPlaylist,
  multivariantPlaylist,
  type PlaylistShape,
  segmentMs,
  timescales,
} from "./channel.ts";
import type { Clip, ClipTrack } from "./clip.ts";
import { notice, poster, programmeGuide } from "./files.ts";
import { EndlessTrack } from "./fragments.ts";
import { serviceIdentifier, serviceList } from "./service_list.ts";
import { EndlessTransportStream } from "./transport_stream.ts";

/** One object of the origin. */
export interface OriginObject {
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly cacheControl: string;
  /** Strong: the same tag means the same bytes. */
  readonly etag: string;
  /** `Surrogate-Key`: space-separated tags by which it can be purged. */
  readonly surrogateKey: string;
}

const lasting = "max-age=86400, immutable";
const live = "max-age=1";
const file = "max-age=3600";
const encoder = new TextEncoder();

const playlists: Readonly<Record<string, PlaylistShape>> = {
  "/one/index.m3u8": { uri: (number) => `seg-${number}.ts` },
  "/one/cmaf/video.m3u8": { uri: (number) => `video-${number}.m4s`, map: "video-init.mp4" },
  "/one/cmaf/audio.m3u8": { uri: (number) => `audio-${number}.m4s`, map: "audio-init.mp4" },
};

function digestOf(...parts: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex").slice(0, 16);
}

function peakBitRate(track: ClipTrack): number {
  const bytes = Math.max(...track.fragments.map((fragment) => fragment.length));
  return Math.ceil(bytes * 8 / (segmentMs / 1000));
}

/** What the origin has. */
export class Catalogue {
  readonly #clip: Clip;
  readonly #transportStream: EndlessTransportStream;
  readonly #tracks: { readonly video: EndlessTrack; readonly audio: EndlessTrack };
  /** Names the clip in the entity tags of segments, whose bytes follow from clip and number. */
  readonly #clipDigest: string;
  readonly #film: Uint8Array;

  constructor(clip: Clip) {
    this.#clip = clip;
    const ticks = (timescale: number) => segmentMs * timescale / 1000;
    this.#transportStream = new EndlessTransportStream(
      clip.transportStream,
      ticks(timescales.video),
    );
    this.#tracks = {
      video: new EndlessTrack(clip.video.fragments, ticks(timescales.video)),
      audio: new EndlessTrack(clip.audio.fragments, ticks(timescales.audio)),
    };
    this.#clipDigest = digestOf(
      ...clip.transportStream,
      ...clip.video.fragments,
      ...clip.audio.fragments,
    );
    this.#film = new Uint8Array(Buffer.concat(clip.transportStream.slice(0, 3)));
  }

  /**
   * Returns the object at `path`, or `undefined` when there is none at `nowMs`.
   *
   * @param edition The origin's version; it changes the notice and the poster.
   */
  find(path: string, { nowMs, edition }: { nowMs: number; edition: number }) {
    return this.#segment(path, nowMs) ?? this.#description(path, nowMs) ??
      this.#file(path, { nowMs, edition });
  }

  #segment(path: string, nowMs: number): OriginObject | undefined {
    const parts = /^\/one\/(?:seg-(\d{1,10})\.ts|cmaf\/(video|audio)-(\d{1,10})\.m4s)$/.exec(path);
    if (!parts) return undefined;
    const [, segment, track, fragment] = parts;
    const number = Number(segment ?? fragment);
    // "007" would be a second name for the same bytes.
    if (String(number) !== (segment ?? fragment) || !isPublished(number, nowMs)) return undefined;
    const body = track === undefined
      ? this.#transportStream.segment(number)
      : this.#tracks[track as "video" | "audio"].fragment(number);
    return {
      body,
      contentType: track === undefined ? "video/mp2t" : `${track}/mp4`,
      cacheControl: lasting,
      etag: `"${this.#clipDigest}-${track?.[0] ?? "t"}${number}"`,
      surrogateKey: "one",
    };
  }

  #description(path: string, nowMs: number): OriginObject | undefined {
    const shape = playlists[path];
    if (shape) return object(mediaPlaylist(shape, nowMs), manifestMediaTypes.hls, live, "one");
    const rates = { video: peakBitRate(this.#clip.video), audio: peakBitRate(this.#clip.audio) };
    switch (path) {
      case "/one/cmaf/master.m3u8":
        return object(multivariantPlaylist(rates), manifestMediaTypes.hls, live, "one");
      case "/one/cmaf/manifest.mpd":
        return object(manifest(rates), manifestMediaTypes.dash, live, "one");
      case "/one/cmaf/video-init.mp4":
        return object(this.#clip.video.init, "video/mp4", lasting, "one");
      case "/one/cmaf/audio-init.mp4":
        return object(this.#clip.audio.init, "audio/mp4", lasting, "one");
    }
  }

  #file(path: string, at: { nowMs: number; edition: number }): OriginObject | undefined {
    switch (path) {
      case "/dvbi/services.xml":
        return object(serviceList(), serviceListMediaType, file, "dvbi");
      case "/files/notice.txt":
        return object(notice(at.edition), "text/plain;charset=utf-8", file, "files notice");
      case "/files/poster.svg":
        return object(poster(at.edition), "image/svg+xml", file, "files poster");
      case "/files/guide.xml":
        return object(programmeGuide(at.nowMs, serviceIdentifier), "text/xml", file, "files guide");
      case "/files/film.ts":
        return object(this.#film, "video/mp2t", lasting, "files film");
    }
  }
}

function object(
  content: string | Uint8Array,
  contentType: string,
  cacheControl: string,
  surrogateKey: string,
): OriginObject {
  const body = typeof content === "string" ? encoder.encode(content) : content;
  return { body, contentType, cacheControl, surrogateKey, etag: `"${digestOf(body)}"` };
}
