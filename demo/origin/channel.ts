/**
 * The live channel as a function of the wall clock: segment `n` covers the 1.92 s that begin
 * `n * 1.92 s` after the Unix epoch, so any number of origins publish the same channel. Pure.
 *
 * @module
 */

/** Length of a segment in milliseconds: 48 frames at 25 a second, 90 AAC frames at 48 kHz. */
export const segmentMs = 1920;
/** Segments in a playlist. */
export const windowSegments = 8;
/** Segments that can still be fetched after they left the playlists: about half an hour. */
const keptSegments = 1000;

/** Ticks a second of the CMAF tracks; MPEG-TS counts as the video does. */
export const timescales = { video: 90_000, audio: 48_000 } as const;

/** Returns the newest segment that is whole at `nowMs`. */
export function newestSegment(nowMs: number): number {
  return Math.floor(nowMs / segmentMs) - 1;
}

/** Says whether segment `number` can be fetched at `nowMs`. */
export function isPublished(number: number, nowMs: number): boolean {
  const newest = newestSegment(nowMs);
  return number <= newest && number > newest - keptSegments;
}

/** What the three media playlists differ in. */
export interface PlaylistShape {
  /** File name of segment `n`. */
  readonly uri: (number: number) => string;
  /** File name of the CMAF header, absent for MPEG-TS. */
  readonly map?: string;
}

/** Writes a live media playlist (RFC 8216 §4.3) of the last segments. */
export function mediaPlaylist(shape: PlaylistShape, nowMs: number): string {
  const newest = newestSegment(nowMs);
  const lines = [
    "#EXTM3U",
    `#EXT-X-VERSION:${shape.map === undefined ? 6 : 7}`,
    `#EXT-X-TARGETDURATION:${Math.round(segmentMs / 1000)}`,
    `#EXT-X-MEDIA-SEQUENCE:${newest - windowSegments + 1}`,
    "#EXT-X-INDEPENDENT-SEGMENTS",
  ];
  if (shape.map !== undefined) lines.push(`#EXT-X-MAP:URI="${shape.map}"`);
  for (let number = newest - windowSegments + 1; number <= newest; number++) {
    lines.push(
      `#EXT-X-PROGRAM-DATE-TIME:${new Date(number * segmentMs).toISOString()}`,
      `#EXTINF:${(segmentMs / 1000).toFixed(5)},`,
      shape.uri(number),
    );
  }
  return lines.join("\n") + "\n";
}

/** Peak bit rates of the tracks, in bits a second. */
export interface BitRates {
  readonly video: number;
  readonly audio: number;
}

const videoCodec = "avc1.4d401f";
const audioCodec = "mp4a.40.2";

/** Writes the HLS multivariant playlist of the CMAF tracks. */
export function multivariantPlaylist(rates: BitRates): string {
  return [
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    "#EXT-X-INDEPENDENT-SEGMENTS",
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="English",LANGUAGE="en",DEFAULT=YES,' +
    'AUTOSELECT=YES,CHANNELS="2",URI="audio.m3u8"',
    `#EXT-X-STREAM-INF:BANDWIDTH=${rates.video + rates.audio},` +
    `CODECS="${videoCodec},${audioCodec}",RESOLUTION=768x432,FRAME-RATE=25.000,AUDIO="audio"`,
    "video.m3u8",
  ].join("\n") + "\n";
}

/**
 * Writes the dynamic MPD (ISO/IEC 23009-1). It never changes: with numbers and a fixed duration a
 * player works out from its clock which segments there are (§5.3.9.5.3).
 */
export function manifest(rates: BitRates): string {
  const window = (windowSegments * segmentMs / 1000).toFixed(2);
  const template = (track: "video" | "audio") =>
    `<SegmentTemplate timescale="${timescales[track]}" ` +
    `duration="${segmentMs * timescales[track] / 1000}" startNumber="0" ` +
    `initialization="${track}-init.mp4" media="${track}-$Number$.m4s"/>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic"
  profiles="urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019"
  availabilityStartTime="1970-01-01T00:00:00Z" publishTime="2026-01-01T00:00:00Z"
  minimumUpdatePeriod="PT30S" minBufferTime="PT2S" timeShiftBufferDepth="PT${window}S"
  suggestedPresentationDelay="PT6S" maxSegmentDuration="PT1.92S">
  <ProgramInformation><Title>Downlink One</Title></ProgramInformation>
  <Period id="1" start="PT0S">
    <AdaptationSet id="1" contentType="video" mimeType="video/mp4" segmentAlignment="true"
      startWithSAP="1" width="768" height="432" frameRate="25" par="16:9">
      ${template("video")}
      <Representation id="video" codecs="${videoCodec}" bandwidth="${rates.video}"/>
    </AdaptationSet>
    <AdaptationSet id="2" contentType="audio" mimeType="audio/mp4" lang="en"
      segmentAlignment="true" startWithSAP="1">
      ${template("audio")}
      <Representation id="audio" codecs="${audioCodec}" bandwidth="${rates.audio}"
        audioSamplingRate="48000">
        <AudioChannelConfiguration
          schemeIdUri="urn:mpeg:mpegB:cicp:ChannelConfiguration" value="2"/>
      </Representation>
    </AdaptationSet>
  </Period>
  <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-head:2014" value="manifest.mpd"/>
</MPD>
`;
}
