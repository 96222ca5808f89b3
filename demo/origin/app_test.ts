import assert from "node:assert/strict";
import { parseServiceList } from "#dvbi";
import { Origin } from "./app.ts";
import { readClip } from "./clip.ts";

const clip = await readClip();
/** 10:00:00 on 22 November 2026: segment 932 ... began within the last 1.92 s. */
const nowMs = Date.UTC(2026, 10, 22, 10);
const newest = Math.floor(nowMs / 1920) - 1;

function makeOrigin() {
  const clock = { nowMs };
  const origin = new Origin({ clip, nowMs: () => clock.nowMs });
  const app = origin.app();
  const get = (path: string, init?: RequestInit) =>
    Promise.resolve(app.fetch(new Request(`http://origin${path}`, init)));
  return { origin, clock, get };
}

const playlists = [
  { path: "/one/index.m3u8", segment: `/one/seg-${newest}.ts`, type: "video/mp2t" },
  {
    path: "/one/cmaf/video.m3u8",
    segment: `/one/cmaf/video-${newest}.m4s`,
    type: "video/mp4",
  },
  {
    path: "/one/cmaf/audio.m3u8",
    segment: `/one/cmaf/audio-${newest}.m4s`,
    type: "audio/mp4",
  },
];

for (const { path, segment, type } of playlists) {
  Deno.test(`${path} lists the 8 segments that are whole, and they are there`, async () => {
    const { get } = makeOrigin();
    const playlist = await get(path);
    assert.equal(playlist.headers.get("content-type"), "application/vnd.apple.mpegurl");
    assert.equal(playlist.headers.get("cache-control"), "max-age=1");
    const text = await playlist.text();
    assert.match(text, new RegExp(`#EXT-X-MEDIA-SEQUENCE:${newest - 7}\n`));
    const uris = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    assert.equal(uris.length, 8);
    assert.equal(new URL(uris[7], `http://origin${path}`).pathname, segment);
    const answer = await get(segment);
    assert.equal(answer.headers.get("content-type"), type);
    assert.equal(answer.headers.get("cache-control"), "max-age=86400, immutable");
    assert.equal(answer.headers.get("surrogate-key"), "one");
    const bytes = (await answer.bytes()).length;
    assert.equal(answer.headers.get("content-length"), String(bytes));
  });
}

Deno.test("a segment is there from the moment it is whole, and for half an hour", async () => {
  const { get, clock } = makeOrigin();
  assert.equal((await get(`/one/seg-${newest + 1}.ts`)).status, 404);
  clock.nowMs += 1920;
  assert.equal((await get(`/one/seg-${newest + 1}.ts`)).status, 200);
  assert.equal((await get(`/one/seg-${newest - 998}.ts`)).status, 200);
  assert.equal((await get(`/one/seg-${newest - 999}.ts`)).status, 404);
  assert.equal((await get(`/one/seg-0${newest}.ts`)).status, 404);
});

Deno.test("program date and time of a segment is where its number puts it", async () => {
  const { get } = makeOrigin();
  const text = await (await get("/one/index.m3u8")).text();
  const dates = [...text.matchAll(/DATE-TIME:(.*)\n#EXTINF:1.92000,\nseg-(\d+)/g)];
  assert.equal(dates.length, 8);
  for (const [, date, number] of dates) assert.equal(Date.parse(date), Number(number) * 1920);
});

Deno.test("conditional requests answer 304, HEAD answers no body, and both are counted", async () => {
  const { get, origin } = makeOrigin();
  const path = `/one/seg-${newest}.ts`;
  const first = await get(path);
  await first.body?.cancel();
  const etag = first.headers.get("etag") ?? "";
  assert.match(etag, /^"[0-9a-f]{16}-t\d+"$/);
  const again = await get(path, { headers: { "if-none-match": `"other", ${etag}` } });
  assert.equal(again.status, 304);
  assert.equal(again.headers.get("etag"), etag);
  const head = await get(path, { method: "HEAD" });
  assert.equal(head.headers.get("content-length"), first.headers.get("content-length"));
  assert.equal(await head.text(), "");
  assert.deepEqual(origin.stats().paths[path], { full: 1, notModified: 1, head: 1, missing: 0 });
  assert.equal((await get(path, { method: "POST" })).status, 405);
});

Deno.test("a raised edition changes notice and poster, and nothing else", async () => {
  const { get, origin } = makeOrigin();
  const paths = ["/files/notice.txt", "/files/poster.svg", "/files/guide.xml", "/files/film.ts"];
  const tags = () =>
    Promise.all(paths.map(async (path) => {
      const answer = await get(path);
      await answer.body?.cancel();
      assert.equal(answer.status, 200);
      return answer.headers.get("etag");
    }));
  const before = await tags();
  assert.equal(origin.raiseEdition(), 2);
  const after = await tags();
  assert.deepEqual(after.map((tag, index) => tag !== before[index]), [true, true, false, false]);
  assert.match(await (await get("/files/notice.txt")).text(), /edition 2/);
});

Deno.test("the service list names the channel's three forms", async () => {
  const { get } = makeOrigin();
  const parsed = parseServiceList(await (await get("/dvbi/services.xml")).text());
  if (typeof parsed === "string") assert.fail(parsed);
  const instances = parsed.services[0].serviceInstances;
  const uris = instances.map(({ delivery }) => delivery.kind === "dvbs" ? "" : delivery.uri);
  assert.deepEqual(uris, [
    "http://dvb.gw/one/index.m3u8",
    "http://dvb.gw/one/cmaf/master.m3u8",
    "http://dvb.gw/one/cmaf/manifest.mpd",
  ]);
});
