import assert from "node:assert/strict";
import { namedStreams } from "./named_streams.ts";

const at = { key: "/one/master.m3u8", url: new URL("http://dvb.gw/one/master.m3u8") };

function named(...lines: readonly string[]) {
  const streams = namedStreams(new TextEncoder().encode(["#EXTM3U", ...lines, ""].join("\n")), at);
  return typeof streams === "string"
    ? streams
    : streams.map(({ key, averageBitsPerSecond }) => [key, averageBitsPerSecond]);
}

Deno.test("a master playlist stands for its variants and renditions, each once", () => {
  const streams = named(
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",URI="audio.m3u8"',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Inside"',
    '#EXT-X-STREAM-INF:BANDWIDTH=800000,AUDIO="a"',
    "hd.m3u8",
    '#EXT-X-STREAM-INF:BANDWIDTH=300000,AUDIO="a"',
    "sd.m3u8",
    '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=90000,URI="iframes.m3u8"',
  );
  assert.deepEqual(streams, [
    ["/one/hd.m3u8", 800_000],
    ["/one/sd.m3u8", 300_000],
    ["/one/audio.m3u8", undefined],
  ]);
});

Deno.test("a media playlist stands for itself", () => {
  const streams = named("#EXT-X-TARGETDURATION:2", "#EXTINF:2,", "a.ts");
  assert.deepEqual(streams, [["/one/master.m3u8", undefined]]);
});

// What cannot be carried, and the word for it.
const rows = [
  { what: "text of another kind", lines: ["hello"], word: "malformed" },
  {
    what: "a variant on another host",
    lines: ["#EXT-X-STREAM-INF:BANDWIDTH=1", "http://ads.example/a.m3u8"],
    word: "foreign_uri",
  },
];

for (const { what, lines, word } of rows) {
  Deno.test(`${what} is ${word}`, () => {
    assert.equal(typeof named(...lines) === "string" ? named(...lines) : "carried", word);
  });
}
