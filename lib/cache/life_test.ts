import assert from "node:assert/strict";
import fc from "fast-check";
import { type Field, type Fields, formatHttpDate } from "#http";
import { decodeHead, encodeHead } from "./disk_head.ts";
import { lifeOfManifest, manifestKind } from "./manifest.ts";
import { reply, settle, setUp, startMs } from "./scripted_next_hop.ts";

const hls: Field = ["content-type", "application/vnd.apple.mpegurl"];
const dash: Field = ["content-type", "application/dash+xml"];
const control = (value: string): Field => ["cache-control", value];
const old: Field = ["last-modified", formatHttpDate(startMs - 1e8)];

const live = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n1.ts\n";
const crlf = live.replaceAll("\n", "\r\n");
const parts = `${live}#EXT-X-PART-INF:PART-TARGET=0.5\n`;
const ended = `${live}#EXT-X-ENDLIST\n`;
const long = live + "#EXTINF:4,\nsegment.ts\n".repeat(20_000);
const variants = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n";
const mpd = (attributes: string) => `<?xml version="1.0"?>\n<MPD ${attributes}><Period/></MPD>`;

// How many seconds a manifest is fresh; Date is when it was received.
const rows: { what: string; fields: Fields; body: string; seconds: number }[] = [
  { what: "half a target duration", fields: [hls], body: live, seconds: 2 },
  { what: "line ends of CRLF", fields: [hls], body: crlf, seconds: 2 },
  {
    what: "other media types",
    fields: [["content-type", "Audio/MPEGURL; charset=x"]],
    body: live,
    seconds: 2,
  },
  { what: "a long window", fields: [hls], body: long, seconds: 2 },
  { what: "instead of heuristics", fields: [hls, old], body: live, seconds: 2 },
  { what: "the part target of low latency", fields: [hls], body: parts, seconds: 0.5 },
  { what: "explicit, shorter", fields: [hls, control("max-age=1")], body: live, seconds: 1 },
  {
    what: "explicit, but a target duration at most",
    fields: [hls, control("max-age=60")],
    body: live,
    seconds: 4,
  },
  { what: "s-maxage, the same", fields: [hls, control("s-maxage=60")], body: live, seconds: 4 },
  {
    what: "targeted, the same",
    fields: [hls, ["cdn-cache-control", "max-age=60"]],
    body: live,
    seconds: 4,
  },
  { what: "ended: heuristics", fields: [hls, old], body: ended, seconds: 1e4 },
  {
    what: "ended behind a long window",
    fields: [hls, old],
    body: `${long}#EXT-X-ENDLIST`,
    seconds: 1e4,
  },
  { what: "ended: explicit", fields: [hls, control("max-age=60")], body: ended, seconds: 60 },
  { what: "multivariant: a second", fields: [hls], body: variants, seconds: 1 },
  {
    what: "multivariant: explicit",
    fields: [hls, control("max-age=60")],
    body: variants,
    seconds: 60,
  },
  { what: "no playlist: a second", fields: [hls], body: "?", seconds: 1 },
  {
    what: "coded, so not read",
    fields: [hls, ["content-encoding", "gzip"]],
    body: live,
    seconds: 1,
  },
  {
    what: "DASH, half a period",
    fields: [dash],
    body: mpd('type="dynamic" minimumUpdatePeriod="PT6S"'),
    seconds: 3,
  },
  {
    what: "DASH, at most a period",
    fields: [dash, control("max-age=60")],
    body: mpd("minimumUpdatePeriod='P0DT0H0M6.0S' type='dynamic'"),
    seconds: 6,
  },
  { what: "DASH, no period", fields: [dash], body: mpd('type="dynamic"'), seconds: 1 },
  {
    what: "DASH, period 0",
    fields: [dash],
    body: mpd('type="dynamic" minimumUpdatePeriod="PT0S"'),
    seconds: 1,
  },
  {
    what: "DASH, static",
    fields: [dash, control("max-age=60")],
    body: mpd('type="static"'),
    seconds: 60,
  },
];

for (const { what, fields, body, seconds } of rows) {
  Deno.test(`a manifest is fresh for ${seconds} s: ${what}`, async () => {
    const bench = setUp(() => reply(200, [["etag", '"v"'], ...fields], body));
    await bench.get("/a");
    bench.pass(seconds * 1000 - 1);
    assert.match((await bench.get("/a")).cacheStatus, /;hit/);
    assert.equal(bench.engine.hit({ method: "GET", target: "/a", fields: [] })?.dated, true);
    bench.pass(1);
    assert.equal(bench.engine.hit({ method: "GET", target: "/a", fields: [] }), undefined);
    const { text, cacheStatus } = await bench.get("/a");
    assert.match(cacheStatus, /fwd=stale/);
    assert.equal(text, body);
  });
}

Deno.test("a manifest lives on by a 304 as long as before", async () => {
  const bench = setUp((_, call) =>
    call === 1 ? reply(200, [hls, ["etag", '"v"']], live) : reply(304, [control("max-age=60")])
  );
  await bench.get("/a");
  bench.pass(3000);
  assert.match((await bench.get("/a")).cacheStatus, /fwd-status=304;ttl=4/);
});

Deno.test("the policy may leave manifests alone", async () => {
  const bench = setUp(() => reply(200, [hls, control("max-age=60")], live), {
    manifestLife: false,
  });
  await bench.get("/a");
  bench.pass(59_000);
  assert.match((await bench.get("/a")).cacheStatus, /;hit;ttl=1/);
});

Deno.test("what forbids reuse of a manifest still does", async () => {
  for (const value of ["no-store", "private", "no-cache"]) {
    const bench = setUp(() => reply(200, [hls, control(value)], live));
    await bench.get("/a");
    await bench.get("/a");
    assert.equal(bench.sent.length, 2, value);
  }
});

Deno.test("lifeOfManifest() takes any text", () => {
  const text = fc.string({ unit: "binary", maxLength: 200 });
  fc.assert(fc.property(fc.constantFrom("hls", "dash"), text, text, (kind, opening, closing) => {
    lifeOfManifest(kind, { opening, closing });
    assert.equal(manifestKind([["content-type", opening]]), undefined);
  }));
});

// Errors by the policy { 404: 1000 }, in a cache that keeps none by itself.
const negative: { what: string; status?: number; fields: Fields; laterMs: number; want: number }[] =
  [
    { what: "silent", fields: [], laterMs: 999, want: 1 },
    { what: "silent, ended", fields: [], laterMs: 1000, want: 2 },
    { what: "explicit, shorter", fields: [control("max-age=0")], laterMs: 1, want: 2 },
    { what: "explicit, longer", fields: [control("max-age=60")], laterMs: 999, want: 1 },
    { what: "explicit, longer, capped", fields: [control("max-age=60")], laterMs: 1000, want: 2 },
    { what: "heuristic, capped", fields: [old], laterMs: 1000, want: 2 },
    { what: "no-store", fields: [control("no-store")], laterMs: 1, want: 2 },
    { what: "private", fields: [control("private")], laterMs: 1, want: 2 },
    { what: "another status", status: 410, fields: [], laterMs: 1, want: 2 },
  ];

for (const { what, status = 404, fields, laterMs, want } of negative) {
  Deno.test(`a ${status}, ${what}, after ${laterMs} ms: ${want} requests go on`, async () => {
    const bench = setUp(() => reply(status, fields, "no"), { negativeTtlMs: { 404: 1000 } });
    await bench.get("/a");
    await settle();
    bench.pass(laterMs);
    assert.equal((await bench.get("/a")).status, status);
    assert.equal(bench.sent.length, want);
  });
}

Deno.test("a segment that was missing is there as soon as the policy's time is over", async () => {
  const bench = setUp(
    (_, call) => call === 1 ? reply(404, []) : reply(200, [control("max-age=9")], "s"),
    {
      negativeTtlMs: { 404: 500 },
    },
  );
  assert.equal((await bench.get("/1.ts")).status, 404);
  bench.pass(500);
  assert.deepEqual([(await bench.get("/1.ts")).text, (await bench.get("/1.ts")).text], ["s", "s"]);
  assert.equal(bench.sent.length, 2);
});

Deno.test("what the policy said of a response is kept on disk with it", async () => {
  const bench = setUp(() => reply(200, [hls], live));
  await bench.get("/a");
  const [{ response }] = bench.store.find("/a");
  const read = decodeHead(encodeHead(response));
  assert.deepEqual(read?.life, { silentMs: 2000, mostMs: 4000 });
  assert.equal(decodeHead(encodeHead({ ...response, life: { mostMs: "x" as never } })), undefined);
});
