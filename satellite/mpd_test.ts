import assert from "node:assert/strict";
import fc from "fast-check";
import { readMpd, type Representation } from "./mpd.ts";

const url = new URL("http://dvb.gw/one/manifest.mpd");

/** A manifest with one video Representation and `inside` its AdaptationSet. */
function mpd(inside: string, base = ""): string {
  return `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic">${base}
    <Period id="p0"><AdaptationSet id="1">${inside}
      <Representation id="v1" bandwidth="900000"/></AdaptationSet></Period></MPD>`;
}

function only(document: string): Representation {
  const representations = readMpd(document, url);
  assert.ok(typeof representations !== "string");
  assert.equal(representations.length, 1);
  return representations[0];
}

const timeline = `<SegmentTimeline><S t="100" d="10" r="2"/><S d="20"/></SegmentTimeline>`;

// How a manifest may name segments, and what comes out.
const rows = [
  {
    how: "numbers and a duration",
    inside: `<SegmentTemplate duration="10" media="v-$Number$.m4s"/>`,
    newestKey: undefined,
    holds: "/one/v-12.m4s",
  },
  {
    how: "a timeline by number",
    inside:
      `<SegmentTemplate startNumber="7" media="$RepresentationID$/$Number%05d$.m4s">${timeline}</SegmentTemplate>`,
    newestKey: "/one/v1/00010.m4s",
    holds: "/one/v1/00004.m4s",
  },
  {
    how: "a timeline by time",
    inside: `<SegmentTemplate media="$Bandwidth$-$Time$.m4s">${timeline}</SegmentTemplate>`,
    newestKey: "/one/900000-130.m4s",
    holds: "/one/900000-100.m4s",
  },
  {
    how: "a timeline with an open end",
    inside:
      `<SegmentTemplate media="$Time$.m4s"><SegmentTimeline><S d="10" r="-1"/></SegmentTimeline></SegmentTemplate>`,
    newestKey: undefined,
    holds: "/one/5.m4s",
  },
  {
    how: "a list",
    inside: `<SegmentList><SegmentURL media="a.m4s"/><SegmentURL media="b.m4s"/></SegmentList>`,
    newestKey: "/one/b.m4s",
    holds: "/one/a.m4s",
  },
  {
    how: "a base URL in the manifest",
    inside: `<SegmentTemplate duration="10" media="v-$Number$.m4s?a=b.c"/>`,
    base: "<BaseURL>cmaf/</BaseURL>",
    newestKey: undefined,
    holds: "/one/cmaf/v-12.m4s?a=b.c",
  },
];

for (const { how, inside, base, newestKey, holds } of rows) {
  Deno.test(`readMpd() understands ${how}`, () => {
    const read = only(mpd(inside, base));
    assert.deepEqual([read.periodId, read.adaptationSetId, read.representationId], [
      "p0",
      "1",
      "v1",
    ]);
    assert.equal(read.newestKey, newestKey);
    assert.equal(read.holds(holds), true);
    assert.equal(read.holds("/one/other-1.m4s"), false);
  });
}

Deno.test("readMpd() says in a word why it refuses", () => {
  assert.equal(readMpd("<MPD", url), "not_well_formed");
  assert.equal(readMpd("<SmoothStreamingMedia/>", url), "wrong_root");
});

Deno.test("readMpd() never throws", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readMpd(bytes, url)));
  const attribute = fc.constantFrom("t", "d", "r", "media", "startNumber");
  const value = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom("-1", "9".repeat(15), "$$$"),
  );
  fc.assert(fc.property(fc.array(fc.tuple(attribute, value)), (pairs) => {
    const text = pairs.map(([name, text]) => ` ${name}="${text.replace(/[<&"]/g, "")}"`).join("");
    const s =
      `<SegmentTemplate${text}><SegmentTimeline><S${text}/></SegmentTimeline></SegmentTemplate>`;
    readMpd(mpd(s), url);
  }));
});
