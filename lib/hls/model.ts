/**
 * What a headend or a set-top box needs from HLS playlists (RFC 8216).
 *
 * @module
 */

/** A media playlist (RFC 8216 section 4.3.3). */
export interface MediaPlaylist {
  readonly targetDurationSeconds: number;
  /** Sequence number of the first segment. */
  readonly mediaSequence: number;
  /** Discontinuity sequence number of the first segment. */
  readonly discontinuitySequence: number;
  readonly segments: readonly MediaSegment[];
  /** `EXT-X-ENDLIST`: no segment will follow. */
  readonly ended: boolean;
}

/** A media segment with the tags that apply to it. */
export interface MediaSegment {
  /** Absolute when the playlist's URL was given, otherwise as written. */
  readonly uri: string;
  readonly durationSeconds: number;
  readonly sequence: number;
  /** Whether `EXT-X-DISCONTINUITY` stands before it. */
  readonly discontinuity: boolean;
  readonly byteRange?: ByteRange;
  /** `EXT-X-MAP`: where the initialization section is. */
  readonly map?: InitializationSection;
  /** `EXT-X-KEY`, unless its method is `NONE`. */
  readonly key?: SegmentKey;
  /** `EXT-X-PROGRAM-DATE-TIME` of this segment, in milliseconds since the Unix epoch. */
  readonly programDateTimeMs?: number;
}

/** A part of a resource. */
export interface ByteRange {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** `EXT-X-MAP` (RFC 8216 section 4.3.2.5). */
export interface InitializationSection {
  readonly uri: string;
  readonly byteRange?: ByteRange;
}

/** `EXT-X-KEY` (RFC 8216 section 4.3.2.4). */
export interface SegmentKey {
  readonly method: string;
  readonly uri?: string;
}

/** A master playlist (RFC 8216 section 4.3.4). */
export interface MasterPlaylist {
  readonly variants: readonly Variant[];
  /** Renditions that a variant refers to, each once. */
  readonly renditions: readonly Rendition[];
}

/** `EXT-X-STREAM-INF`, or `EXT-X-I-FRAME-STREAM-INF` where `iFramesOnly`. */
export interface Variant {
  readonly uri: string;
  readonly bandwidthBitsPerSecond: number;
  readonly iFramesOnly: boolean;
  readonly codecs?: string;
  readonly resolution?: { readonly width: number; readonly height: number };
  /** `GROUP-ID` of its audio renditions. */
  readonly audioGroupId?: string;
}

/** `EXT-X-MEDIA`. */
export interface Rendition {
  readonly type: "AUDIO" | "VIDEO" | "SUBTITLES" | "CLOSED-CAPTIONS";
  readonly groupId: string;
  readonly name: string;
  readonly isDefault: boolean;
  readonly language?: string;
  /** Absent where the rendition is inside the variants that refer to it. */
  readonly uri?: string;
}
