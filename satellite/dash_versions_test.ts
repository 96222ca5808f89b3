import assert from "node:assert/strict";
import { DashVersions, type SegmentState } from "./dash_versions.ts";
import type { FetchedObject } from "./origin.ts";

const url = new URL("http://dvb.gw/one/manifest.mpd");

function version(newest: number): FetchedObject {
  const set = (track: string) =>
    `<AdaptationSet id="${track}"><SegmentTemplate startNumber="${newest}" media="${track}-$Number$.m4s">
    <SegmentTimeline><S d="1"/></SegmentTimeline></SegmentTemplate><Representation id="r"/></AdaptationSet>`;
  const text = `<MPD><Period id="p">${set("video")}${set("audio")}</Period></MPD>`;
  return { key: "/one/manifest.mpd", body: new TextEncoder().encode(text), tags: [], purgeSeq: 0 };
}

// What is known of the two newest segments, and whether the manifest that names them may go out.
const rows: { video: SegmentState; audio: SegmentState; ageMs: number; ready: boolean }[] = [
  { video: "sent", audio: "sent", ageMs: 0, ready: true },
  { video: "sent", audio: "pending", ageMs: 0, ready: false },
  { video: "sent", audio: "pending", ageMs: 60_000, ready: false },
  { video: "sent", audio: "unknown", ageMs: 0, ready: false },
  { video: "sent", audio: "unknown", ageMs: 4000, ready: true },
];

for (const { video, audio, ageMs, ready } of rows) {
  const when = `video is ${video} and audio ${audio} after ${ageMs} ms`;
  Deno.test(`a manifest ${ready ? "may" : "may not"} go out when ${when}`, () => {
    const versions = new DashVersions();
    const object = version(7);
    assert.equal(versions.read(object, url, 1000), undefined);
    const stateOf = (key: string) => {
      assert.match(key, /^\/one\/(?:video|audio)-7\.m4s$/);
      return key.includes("video") ? video : audio;
    };
    assert.equal(versions.isReady(object, stateOf, 1000 + ageMs), ready);
  });
}

Deno.test("a segment tells which Representation its stream is", () => {
  const versions = new DashVersions();
  versions.read(version(7), url, 0);
  assert.deepEqual(versions.components("dash-1", "/one/audio-6.m4s"), [{
    type: "dash",
    manifestIdRef: "dash-1",
    periodIdentifier: "p",
    adaptationSetIdentifier: "audio",
    representationIdentifier: "r",
  }]);
  assert.deepEqual(versions.components("dash-1", "/one/seg-6.ts"), []);
});

Deno.test("a document that is no manifest is refused in a word", () => {
  const body = new TextEncoder().encode("<html/>");
  const object = { key: "/a", body, tags: [], purgeSeq: 0 };
  assert.equal(new DashVersions().read(object, url, 0), "wrong_root");
});
