import assert from "node:assert/strict";
import fc from "fast-check";
import { growthOf } from "#rigs";
import { parseMasterPlaylist } from "./master_playlist.ts";
import { parseMediaPlaylist } from "./media_playlist.ts";

const live = `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:41
#EXT-X-DISCONTINUITY-SEQUENCE:3
#EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:00:00.500Z
#EXTINF:1.92,Caf\u{e9}, with a title
seg-41.ts
#EXT-X-DISCONTINUITY
#EXTINF:1.92,
../other/seg-42.ts
# a comment
#EXTINF:0.5
http://elsewhere.example/seg-43.ts
`;

const fragmented = `#EXTM3U\r
#EXT-X-TARGETDURATION:4\r
#EXT-X-MAP:URI="init.mp4",BYTERANGE="800@0"\r
#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://key"\r
#EXTINF:4,\r
#EXT-X-BYTERANGE:1000@800\r
all.mp4\r
#EXTINF:4,\r
#EXT-X-BYTERANGE:500\r
all.mp4\r
#EXT-X-KEY:METHOD=NONE\r
#EXTINF:4,\r
clear.mp4\r
#EXT-X-ENDLIST\r
#EXTINF:4,
`;

const master = `#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Main",DEFAULT=YES,LANGUAGE="en",URI="audio.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=3000000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,AUDIO="a"
video.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=900000,AUDIO="a"
low/video.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=100000,URI="keyframes.m3u8"
`;

Deno.test("parseMediaPlaylist() reads a live playlist", () => {
  const playlist = parseMediaPlaylist(live, "http://dvb.gw/one/index.m3u8?x=1");
  assert.deepEqual(playlist, {
    targetDurationSeconds: 2,
    mediaSequence: 41,
    discontinuitySequence: 3,
    ended: false,
    segments: [
      {
        uri: "http://dvb.gw/one/seg-41.ts",
        durationSeconds: 1.92,
        sequence: 41,
        discontinuity: false,
        programDateTimeMs: Date.UTC(2026, 10, 22, 10, 0, 0, 500),
      },
      {
        uri: "http://dvb.gw/other/seg-42.ts",
        durationSeconds: 1.92,
        sequence: 42,
        discontinuity: true,
      },
      {
        uri: "http://elsewhere.example/seg-43.ts",
        durationSeconds: 0.5,
        sequence: 43,
        discontinuity: false,
      },
    ],
  });
  assert.deepEqual(
    parseMediaPlaylist(new TextEncoder().encode("\u{feff}" + live), "http://dvb.gw/one/index.m3u8"),
    playlist,
  );
});

Deno.test("parseMediaPlaylist() reads byte ranges, maps and keys, and leaves URIs without a base", () => {
  const map = { uri: "init.mp4", byteRange: { offsetBytes: 0, lengthBytes: 800 } };
  const key = { method: "SAMPLE-AES", uri: "skd://key" };
  const common = { durationSeconds: 4, discontinuity: false, map };
  assert.deepEqual(parseMediaPlaylist(fragmented), {
    targetDurationSeconds: 4,
    mediaSequence: 0,
    discontinuitySequence: 0,
    ended: true,
    segments: [
      {
        ...common,
        uri: "all.mp4",
        sequence: 0,
        key,
        byteRange: { offsetBytes: 800, lengthBytes: 1000 },
      },
      {
        ...common,
        uri: "all.mp4",
        sequence: 1,
        key,
        byteRange: { offsetBytes: 1800, lengthBytes: 500 },
      },
      { ...common, uri: "clear.mp4", sequence: 2 },
    ],
  });
});

Deno.test("parseMediaPlaylist() resolves keys of any kind", () => {
  for (
    const [uri, resolved] of [["skd://key", "skd://key"], ["k.bin", "http://dvb.gw/one/k.bin"]]
  ) {
    const playlist = parseMediaPlaylist(
      fragmented.replace("skd://key", uri),
      "http://dvb.gw/one/index.m3u8",
    );
    if (typeof playlist === "string") assert.fail(playlist);
    assert.equal(playlist.segments[0].key?.uri, resolved);
  }
});

Deno.test("parseMasterPlaylist() reads variants and renditions", () => {
  assert.deepEqual(parseMasterPlaylist(master, "http://dvb.gw/one/cmaf/master.m3u8"), {
    variants: [
      {
        uri: "http://dvb.gw/one/cmaf/video.m3u8",
        bandwidthBitsPerSecond: 3_000_000,
        iFramesOnly: false,
        codecs: "avc1.64001f,mp4a.40.2",
        resolution: { width: 1280, height: 720 },
        audioGroupId: "a",
      },
      {
        uri: "http://dvb.gw/one/cmaf/low/video.m3u8",
        bandwidthBitsPerSecond: 900_000,
        iFramesOnly: false,
        audioGroupId: "a",
      },
      {
        uri: "http://dvb.gw/one/cmaf/keyframes.m3u8",
        bandwidthBitsPerSecond: 100_000,
        iFramesOnly: true,
      },
    ],
    renditions: [{
      type: "AUDIO",
      groupId: "a",
      name: "Main",
      isDefault: true,
      language: "en",
      uri: "http://dvb.gw/one/cmaf/audio.m3u8",
    }],
  });
});

const head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n";
const refused = [
  { parse: parseMediaPlaylist, word: "not_a_playlist", text: "" },
  { parse: parseMediaPlaylist, word: "not_a_playlist", text: "<html>" },
  { parse: parseMediaPlaylist, word: "not_a_playlist", text: "#EXTM3U8\n" },
  { parse: parseMediaPlaylist, word: "malformed", text: "#EXTM3U\n#EXTINF:2,\na.ts\n" },
  { parse: parseMediaPlaylist, word: "malformed", text: "#EXTM3U\n#EXT-X-TARGETDURATION:x\n" },
  { parse: parseMediaPlaylist, word: "malformed", text: `${head}#EXTINF:-1,\na.ts\n` },
  { parse: parseMediaPlaylist, word: "malformed", text: `${head}#EXT-X-MEDIA-SEQUENCE:-4\n` },
  { parse: parseMediaPlaylist, word: "bad_uri", text: `${head}#EXTINF:2,\nfile:///etc/passwd\n` },
  { parse: parseMediaPlaylist, word: "bad_uri", text: `${head}#EXTINF:2,\nhttp://[/\n` },
  { parse: parseMediaPlaylist, word: "wrong_kind", text: master },
  { parse: parseMediaPlaylist, word: "not_utf8", text: Uint8Array.of(0x23, 0xFF) },
  { parse: parseMediaPlaylist, word: "too_large", text: "#EXTM3U\n" + "#".repeat(2 ** 22) },
  { parse: parseMasterPlaylist, word: "wrong_kind", text: live },
  { parse: parseMasterPlaylist, word: "malformed", text: "#EXTM3U\n" },
  {
    parse: parseMasterPlaylist,
    word: "malformed",
    text: '#EXTM3U\n#EXT-X-STREAM-INF:CODECS="a"\nv.m3u8\n',
  },
  {
    parse: parseMasterPlaylist,
    word: "bad_uri",
    text: "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nblob:x\n",
  },
  { parse: parseMasterPlaylist, word: "too_large", text: "#EXTM3U\n" + "#".repeat(2 ** 18) },
];
for (const { parse, word, text } of refused) {
  const start = JSON.stringify(String(text).slice(8, 60));
  Deno.test(`${parse.name}() refuses ${word}: ${start}`, () => {
    assert.equal(parse(text, "http://dvb.gw/one/index.m3u8"), word);
  });
}

Deno.test("playlists survive anything a stranger sends", () => {
  const tag = fc.constantFrom(
    "#EXTINF:",
    "#EXT-X-KEY:",
    "#EXT-X-MAP:",
    "#EXT-X-BYTERANGE:",
    "#EXT-X-MEDIA:TYPE=AUDIO,",
    "#EXT-X-STREAM-INF:",
    "#EXT-X-I-FRAME-STREAM-INF:",
    "#EXT-X-PROGRAM-DATE-TIME:",
    "#EXT-X-MEDIA-SEQUENCE:",
    "",
  );
  const line = fc.tuple(tag, fc.string()).map((parts) => parts.join(""));
  const text = fc.array(line).map((lines) => `${head}${lines.join("\n")}`);
  const cut = fc.nat(live.length);
  const all = (input: string | Uint8Array) => {
    for (const parse of [parseMediaPlaylist, parseMasterPlaylist]) {
      parse(input);
      parse(input, "http://dvb.gw/one/index.m3u8");
    }
  };
  fc.assert(fc.property(text, all));
  fc.assert(fc.property(text, (lines) => all(lines.replace("#EXT-X-TARGETDURATION:2\n", ""))));
  fc.assert(fc.property(fc.uint8Array(), all));
  fc.assert(fc.property(cut, cut, fc.string(), (from, to, noise) => {
    all(live.slice(0, from) + noise + live.slice(to));
  }));
});

const long = [
  { what: "segments", line: "#EXTINF:2,\na\n" },
  { what: "date ranges", line: '#EXT-X-DATERANGE:ID="a",CLASS="c",START-DATE="2026-01-01"\n' },
  { what: "quotes", line: `#EXT-X-MAP:URI="a'b\n` },
  { what: "empty lines", line: "\n" },
];
for (const { what, line } of long) {
  Deno.test(`parseMediaPlaylist() is done in time with four million characters of ${what}`, () => {
    const parse = (length: number) =>
      void parseMediaPlaylist(head + line.repeat((length - head.length) / line.length));
    assert.ok(growthOf(parse, 2 ** 22) < 64);
  });
}

Deno.test("parseMasterPlaylist() is done in time with as many variants as fit", () => {
  const line = '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"\nv\n';
  const parse = (length: number) =>
    void parseMasterPlaylist("#EXTM3U\n" + line.repeat((length - 8) / line.length));
  assert.ok(growthOf(parse, 2 ** 18) < 64);
});
