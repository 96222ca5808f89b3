/**
 * HLS playlists (RFC 8216) as plain values.
 *
 * @module
 */
export { parseMasterPlaylist } from "./master_playlist.ts";
export { parseMediaPlaylist } from "./media_playlist.ts";
export type {
  ByteRange,
  InitializationSection,
  MasterPlaylist,
  MediaPlaylist,
  MediaSegment,
  Rendition,
  SegmentKey,
  Variant,
} from "./model.ts";
export type { HlsRejection } from "./text.ts";
