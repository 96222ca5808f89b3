/** What HTTP caching asks of a shared cache, one row a rule, through the engine to a scripted hop. */
import assert from "node:assert/strict";
import { type Field, type Fields, fieldValue, formatHttpDate } from "#http";
import type { NextHopResponse } from "./next_hop.ts";
import { reply, settle, setUp, startMs } from "./scripted_next_hop.ts";

/**
 * `required`: a cache that does otherwise breaks a MUST. `optimal`: it may do otherwise, and then asks
 * where it need not.
 */
type Level = "required" | "optimal";

const control = (value: string): Field => ["cache-control", value];
const date = (offsetS = 0): string => formatHttpDate(startMs + offsetS * 1000);
const now: Field = ["date", date()];
const changed: Field = ["last-modified", date(-100_000)];
const fresh = control("max-age=100");

interface Row {
  readonly section: string;
  readonly level: Level;
  readonly rule: string;
  readonly status?: number;
  /** The fields of the first answer. */
  readonly says: Fields;
  /** The fields of the first request. */
  readonly first?: Fields;
  /** The fields of the second request. */
  readonly second?: Fields;
  /** When that comes, in seconds. */
  readonly laterS?: number;
  /** Whether the second answer comes from the store or the next hop is asked. */
  readonly want: "reuse" | "ask";
}

/** Rows of one section that differ in little. */
function rows(
  section: string,
  level: Level,
  want: Row["want"],
  list: readonly (Omit<Row, "section" | "level" | "want">)[],
): Row[] {
  return list.map((row) => ({ section, level, want, ...row }));
}

const freshness: Row[] = [
  ...rows("RFC 9111 §4.2.1", "optimal", "reuse", [
    { rule: "max-age", says: [now, control("max-age=10")], laterS: 9 },
    { rule: "s-maxage", says: [now, control("s-maxage=10")], laterS: 9 },
    { rule: "s-maxage before max-age", says: [now, control("max-age=1, s-maxage=10")], laterS: 9 },
    { rule: "max-age before Expires", says: [now, control("max-age=10"), ["expires", date(-1)]] },
    { rule: "max-age before bad Expires", says: [now, control("max-age=10"), ["expires", "0"]] },
    { rule: "max-age of 2^31 and more", says: [now, control(`max-age=${2 ** 31}`)], laterS: 9e4 },
    { rule: "max-age of 40 digits", says: [now, control(`max-age=${"9".repeat(40)}`)] },
    { rule: "Expires", says: [now, ["expires", date(10)]], laterS: 9 },
    {
      rule: "Expires by a slow origin clock",
      says: [["date", date(-500)], ["expires", date(100)]],
    },
    { rule: "heuristic, from Last-Modified", says: [now, changed], laterS: 9000 },
  ]),
  ...rows("RFC 9111 §4.2.1", "required", "ask", [
    { rule: "max-age ended", says: [now, control("max-age=10")], laterS: 10 },
    { rule: "max-age=0", says: [now, control("max-age=0")], laterS: 0 },
    { rule: "s-maxage ended", says: [now, control("s-maxage=10, max-age=100")], laterS: 10 },
    {
      rule: "max-age before longer Expires",
      says: [now, control("max-age=1"), ["expires", date(100)]],
    },
    { rule: "Expires by a fast origin clock", says: [["date", date(500)], ["expires", date(500)]] },
    { rule: "Expires that is Date", says: [now, ["expires", date()]], laterS: 0 },
    { rule: "Expires before Date", says: [now, ["expires", date(-10)], changed], laterS: 0 },
    { rule: "two lines of Expires", says: [now, ["expires", date(100)], ["expires", date(100)]] },
    { rule: "Last-Modified after Date", says: [now, ["last-modified", date(10)]], laterS: 0 },
  ]),
  ...rows(
    "RFC 9111 §5.3",
    "required",
    "ask",
    [
      "0",
      "-1",
      "soon",
      "",
      "Thu, 01 Jan 2026 01:00:00 UTC",
      "Thu, 01 Jan 2026 01:00:00 AEST",
      "Thu, 01 Jan 2026 01:00:00",
      "Thu, 01 Jan 26 01:00:00 GMT",
      "Thu 01 Jan 2026 01:00:00 GMT",
      "Thu,  01 Jan 2026 01:00:00 GMT",
      "Thu, 01-Jan-2026 01:00:00 GMT",
      "Thu, 01 Jan 2026 01.00.00 GMT",
      "Thu, 01 Jan 2026 1:00:00 GMT",
      "Thu, 1 Jan 2026 01:00:00 GMT",
      "thu, 01 jan 2026 01:00:00 gmt",
    ].map((value) => ({ rule: `no date: ${value}`, says: [now, ["expires", value], changed] })),
  ),
  ...rows("RFC 9110 §5.6.7", "optimal", "reuse", [
    { rule: "IMF-fixdate", says: [now, ["expires", "Thu, 01 Jan 2026 01:00:00 GMT"]] },
    { rule: "RFC 850", says: [now, ["expires", "Thursday, 01-Jan-26 01:00:00 GMT"]] },
    { rule: "asctime", says: [now, ["expires", "Thu Jan  1 01:00:00 2026"]] },
  ]),
];

const age: Row[] = [
  ...rows("RFC 9111 §4.2.3", "required", "ask", [
    { rule: "Age uses life up", says: [now, fresh, ["age", "100"]], laterS: 0 },
    { rule: "Age and the time here", says: [now, fresh, ["age", "90"]], laterS: 10 },
    { rule: "Age of 2^31", says: [now, fresh, ["age", String(2 ** 31)]], laterS: 0 },
    { rule: "Age of 40 digits", says: [now, fresh, ["age", "9".repeat(40)]], laterS: 0 },
    {
      rule: "Age that outlives Expires",
      says: [now, ["expires", date(50)], ["age", "50"]],
      laterS: 0,
    },
    { rule: "apparent age", says: [["date", date(-100)], fresh], laterS: 0 },
    {
      rule: "apparent age above Age",
      says: [["date", date(-100)], fresh, ["age", "1"]],
      laterS: 0,
    },
    { rule: "Age of a list: the first", says: [now, fresh, ["age", "100, 0"]], laterS: 0 },
    {
      rule: "Age of two lines: the first",
      says: [now, fresh, ["age", "100"], ["age", "0"]],
      laterS: 0,
    },
  ]),
  ...rows("RFC 9111 §5.1", "optimal", "reuse", [
    { rule: "Age leaves some life", says: [now, fresh, ["age", "90"]], laterS: 9 },
    { rule: "Age of a list: the first", says: [now, fresh, ["age", "0, 100"]] },
    ...["-100", "100.5", "abc", "100a", "", "1e9", "0x64"].map((value) => ({
      rule: `Age that is no number of seconds is ignored: ${value}`,
      says: [now, fresh, ["age", value]] as Fields,
    })),
  ]),
];

const parsing: Row[] = [
  ...rows("RFC 9111 §5.2", "optimal", "reuse", [
    { rule: "names in any case", says: [now, control("MaX-aGe=100")] },
    { rule: "quoted argument", says: [now, control('max-age="100"')] },
    { rule: "leading zeros", says: [now, control("max-age=000100")] },
    { rule: "extensions", says: [now, control('foo, bar=1, max-age=100, baz="a, b"')] },
    { rule: "empty members", says: [now, control(",, max-age=100 ,,")] },
    { rule: "no blank at the comma", says: [now, control("public,max-age=100,foo")] },
    { rule: "several lines", says: [now, control("public"), control("max-age=100")] },
    { rule: "no-store inside a quoted string", says: [now, control('max-age=100, x="no-store"')] },
    {
      rule: "no-store inside a quote with an escape",
      says: [now, control('max-age=100, x="\\", no-store"')],
    },
    {
      rule: "a name that only begins like one",
      says: [now, control("max-age=100, no-storehouse")],
    },
    { rule: "first of duplicates", says: [now, control("max-age=100, max-age=0")] },
    { rule: "Pragma of a response means nothing", says: [now, fresh, ["pragma", "no-cache"]] },
  ]),
  ...rows("RFC 9111 §4.2.1", "required", "ask", [
    { rule: "max-age inside a quoted string", says: [now, control('x="max-age=100"')] },
    { rule: "a name that only ends like one", says: [now, control("x-max-age=100")] },
    { rule: "first of duplicates", says: [now, control("max-age=0, max-age=100")] },
    ...["-100", "100.0", "'100'", "1 00", "abc", "", "100a", "+100", "0x64"].map((value) => ({
      rule: `max-age that is no number of seconds: ${value}`,
      says: [now, control(`max-age=${value}`)],
    })),
    { rule: "max-age without argument", says: [now, control("max-age")] },
    { rule: "blank before =", says: [now, control("max-age =100")] },
    { rule: "blank after =", says: [now, control("max-age= 100")] },
    { rule: "bad s-maxage before good max-age", says: [now, control("s-maxage=x, max-age=100")] },
  ]),
];

const directives: Row[] = [
  ...rows("RFC 9111 §5.2.2", "required", "ask", [
    { rule: "no-store", says: [now, control("max-age=100, no-store")] },
    { rule: "no-store in any case", says: [now, control("max-age=100, No-StOrE")] },
    { rule: "no-store on its own line", says: [now, fresh, control("no-store")] },
    { rule: "no-store and Expires", says: [now, control("no-store"), ["expires", date(100)]] },
    { rule: "no-cache", says: [now, control("max-age=100, no-cache")] },
    { rule: "no-cache in any case", says: [now, control("max-age=100, No-CaChE")] },
    { rule: "no-cache with field names", says: [now, control('max-age=100, no-cache="x-a"')] },
    { rule: "private", says: [now, control("max-age=100, private")] },
    { rule: "private with field names", says: [now, control('max-age=100, private="x-a"')] },
    { rule: "private beside s-maxage", says: [now, control("s-maxage=100, private")] },
  ]),
  ...rows("RFC 9111 §5.2.2.3", "optimal", "reuse", [
    {
      rule: "must-understand lifts no-store",
      says: [now, control("max-age=100, must-understand, no-store")],
    },
  ]),
  ...rows("RFC 9111 §5.2.2.3", "required", "ask", [
    {
      rule: "must-understand, unknown status",
      status: 299,
      says: [now, control("max-age=100, must-understand")],
    },
    {
      rule: "must-understand, unknown error",
      status: 599,
      says: [now, control("max-age=100, must-understand")],
    },
  ]),
  ...rows("RFC 9111 §5.2.2", "optimal", "reuse", [
    { rule: "must-revalidate while fresh", says: [now, control("max-age=100, must-revalidate")] },
    { rule: "proxy-revalidate while fresh", says: [now, control("max-age=100, proxy-revalidate")] },
    { rule: "no-transform", says: [now, control("max-age=100, no-transform")] },
    { rule: "immutable (RFC 8246)", says: [now, control("max-age=100, immutable")] },
    { rule: "public", says: [now, control("max-age=100, public")] },
  ]),
];

const heuristic = [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501];
const explicitOnly = [
  201,
  202,
  299,
  302,
  303,
  307,
  400,
  401,
  403,
  418,
  499,
  500,
  502,
  503,
  504,
  599,
];
const statuses: Row[] = [...heuristic, ...explicitOnly].flatMap((status): Row[] => {
  const heuristically = heuristic.includes(status);
  const row = { section: "RFC 9111 §3", status };
  return [
    { ...row, level: "optimal", rule: "max-age", says: [now, fresh], want: "reuse" },
    {
      ...row,
      level: "optimal",
      rule: "Expires",
      says: [now, ["expires", date(100)]],
      want: "reuse",
    },
    {
      ...row,
      level: "required",
      rule: "ended",
      says: [now, control("max-age=1")],
      laterS: 2,
      want: "ask",
    },
    { ...row, level: "required", rule: "no-store", says: [now, control("no-store")], want: "ask" },
    { ...row, level: "required", rule: "no word of freshness", says: [now], want: "ask" },
    {
      ...row,
      section: "RFC 9111 §4.2.2",
      level: heuristically ? "optimal" : "required",
      rule: "heuristic freshness",
      says: [now, changed],
      want: heuristically ? "reuse" : "ask",
    },
    {
      ...row,
      section: "RFC 9111 §4.2.2",
      level: "optimal",
      rule: "heuristic freshness with public",
      says: [now, changed, control("public")],
      want: "reuse",
    },
  ];
});

const language = (value: string): Fields => [["accept-language", value]];
const vary = (value: string): Field => ["vary", value];
const variants: Row[] = [
  ...rows("RFC 9111 §4.1", "required", "ask", [
    {
      rule: "another value",
      says: [now, fresh, vary("accept-language")],
      first: language("en"),
      second: language("de"),
    },
    {
      rule: "no value then one",
      says: [now, fresh, vary("accept-language")],
      second: language("de"),
    },
    {
      rule: "a value then none",
      says: [now, fresh, vary("accept-language")],
      first: language("en"),
    },
    {
      rule: "names in any case",
      says: [now, fresh, vary("ACCEPT-Language")],
      first: language("en"),
      second: language("de"),
    },
    {
      rule: "the second name",
      says: [now, fresh, vary("accept, accept-language")],
      first: language("en"),
      second: language("de"),
    },
    {
      rule: "the second line",
      says: [now, fresh, vary("accept"), vary("accept-language")],
      first: language("en"),
      second: language("de"),
    },
    ...["*", "*, *", "accept, *", "*, accept", ", *", "* ,accept"].map((value) => ({
      rule: `Vary: ${value}`,
      says: [now, fresh, vary(value)],
    })),
    { rule: "Vary: * on a second line", says: [now, fresh, vary("accept"), vary("*")] },
    { rule: "Vary: * on a first line", says: [now, fresh, vary("*"), vary("accept")] },
  ]),
  ...rows("RFC 9111 §4.1", "optimal", "reuse", [
    {
      rule: "the same value",
      says: [now, fresh, vary("accept-language")],
      first: language("en"),
      second: language("en"),
    },
    { rule: "without it on both", says: [now, fresh, vary("accept-language")] },
    {
      rule: "blanks at commas",
      says: [now, fresh, vary("accept-language")],
      first: language("en, de"),
      second: language("en ,de"),
    },
    {
      rule: "two lines or one",
      says: [now, fresh, vary("accept-language")],
      first: language("en, de"),
      second: [...language("en"), ...language("de")],
    },
    {
      rule: "case of language tags",
      says: [now, fresh, vary("accept-language")],
      first: language("en"),
      second: language("EN"),
    },
    {
      rule: "order of codings",
      says: [now, fresh, vary("accept-encoding")],
      first: [["accept-encoding", "gzip, br"]],
      second: [["accept-encoding", "br, gzip"]],
    },
    {
      rule: "a field that Vary does not name",
      says: [now, fresh, vary("accept")],
      second: language("de"),
    },
  ]),
];

const credentials: Fields = [["authorization", "Basic x"]];
const authorization: Row[] = [
  ...rows("RFC 9111 §3.5", "required", "ask", [
    { rule: "max-age", says: [now, fresh], first: credentials },
    { rule: "Expires", says: [now, ["expires", date(100)]], first: credentials },
    {
      rule: "for the same credentials too",
      says: [now, fresh],
      first: credentials,
      second: credentials,
    },
  ]),
  ...rows("RFC 9111 §3.5", "optimal", "reuse", [
    { rule: "public", says: [now, control("max-age=100, public")], first: credentials },
    { rule: "s-maxage", says: [now, control("s-maxage=100")], first: credentials },
    {
      rule: "must-revalidate",
      says: [now, control("max-age=100, must-revalidate")],
      first: credentials,
    },
    { rule: "what was fetched without", says: [now, fresh], second: credentials },
  ]),
];

const asking: Row[] = [
  ...rows("RFC 9111 §5.2.1", "optimal", "ask", [
    { rule: "no-cache", says: [now, fresh], second: [control("no-cache")] },
    { rule: "max-age=0", says: [now, fresh], second: [control("max-age=0")] },
    {
      rule: "max-age below the age",
      says: [now, fresh],
      second: [control("max-age=5")],
      laterS: 6,
    },
    {
      rule: "max-age below Age",
      says: [now, fresh, ["age", "50"]],
      second: [control("max-age=40")],
    },
    {
      rule: "min-fresh above what is left",
      says: [now, fresh],
      second: [control("min-fresh=100")],
    },
    { rule: "bad max-age", says: [now, fresh], second: [control("max-age=x")] },
    { rule: "Pragma: no-cache (§5.4)", says: [now, fresh], second: [["pragma", "no-cache"]] },
    { rule: "no-store of the first request", says: [now, fresh], first: [control("no-store")] },
  ]),
  ...rows("RFC 9111 §5.2.1", "optimal", "reuse", [
    { rule: "max-age above the age", says: [now, fresh], second: [control("max-age=50")] },
    { rule: "min-fresh", says: [now, fresh], second: [control("min-fresh=50")] },
    { rule: "max-stale", says: [now, fresh], second: [control("max-stale")], laterS: 200 },
    { rule: "max-stale=N", says: [now, fresh], second: [control("max-stale=100")], laterS: 150 },
    { rule: "only-if-cached", says: [now, fresh], second: [control("only-if-cached")] },
    { rule: "no-store, what is stored", says: [now, fresh], second: [control("no-store")] },
    {
      rule: "Pragma beside Cache-Control",
      says: [now, fresh],
      second: [["pragma", "no-cache"], control("max-age=9")],
    },
  ]),
  ...rows("RFC 9111 §5.2.2", "required", "ask", [
    {
      rule: "max-stale against must-revalidate",
      says: [now, control("max-age=100, must-revalidate")],
      second: [control("max-stale")],
      laterS: 150,
    },
    {
      rule: "max-stale against proxy-revalidate",
      says: [now, control("max-age=100, proxy-revalidate")],
      second: [control("max-stale")],
      laterS: 150,
    },
    {
      rule: "max-stale against s-maxage",
      says: [now, control("s-maxage=100")],
      second: [control("max-stale")],
      laterS: 150,
    },
    {
      rule: "max-stale against no-cache",
      says: [now, control("max-age=100, no-cache")],
      second: [control("max-stale")],
    },
  ]),
  ...rows("RFC 5861 §3", "optimal", "reuse", [
    {
      rule: "stale-while-revalidate",
      says: [now, control("max-age=1, stale-while-revalidate=100")],
      laterS: 50,
    },
  ]),
  ...rows("RFC 5861 §3", "required", "ask", [
    {
      rule: "its window ended",
      says: [now, control("max-age=1, stale-while-revalidate=10")],
      laterS: 11,
    },
    {
      rule: "must-revalidate",
      says: [now, control("max-age=1, stale-while-revalidate=100, must-revalidate")],
      laterS: 9,
    },
    {
      rule: "stale-if-error alone",
      says: [now, control("max-age=1, stale-if-error=100")],
      laterS: 9,
    },
  ]),
];

const single = [freshness, age, parsing, directives, statuses, variants, authorization, asking];
for (const row of single.flat()) {
  const { section, level, rule, status = 200, says, first, second, laterS = 1, want } = row;
  Deno.test(`${section}, ${level}: ${status}, ${rule}: ${want}`, async () => {
    const bench = setUp((_, call) => reply(status, says, status === 204 ? "" : `body ${call}`));
    await bench.get("/a", first);
    await settle();
    bench.pass(laterS * 1000);
    const answer = await bench.get("/a", second);
    if (want === "ask") assert.equal(bench.sent.length, 2);
    else {
      assert.equal(answer.status, status);
      assert.equal(answer.text, status === 204 ? "" : "body 1");
      assert.match(answer.cacheStatus, /;hit/);
      assert.notEqual(answer.field("age"), undefined);
    }
    assert.equal(answer.field("date"), fieldValue(says, "date"), "Date is the origin's");
  });
}

/** A 200 that is stale after a second, with `fields` beside an entity tag. */
const stored = (...fields: Field[]): NextHopResponse =>
  reply(200, [now, control("max-age=1"), ["etag", '"v"'], ...fields], "body");

// RFC 9111 §3.2, §4.3.4: what a 304 changes. One row a field: what was stored, what comes, what is kept.
const updates: { field: string; old?: string; sent: string; want: string | undefined }[] = [
  ...["x-any", "cache-control", "expires", "content-type", "content-language", "content-location"]
    .map((field) => ({ field, old: "1", sent: "2", want: "2" })),
  ...["content-disposition", "content-security-policy", "access-control-allow-origin", "location"]
    .map((field) => ({ field, old: "1", sent: "2", want: "2" })),
  { field: "x-new", sent: "2", want: "2" },
  { field: "date", sent: date(2), want: date(2) },
  { field: "content-encoding", old: "gzip", sent: "br", want: "gzip" },
  { field: "content-encoding", sent: "br", want: undefined },
  {
    field: "content-md5",
    old: "rL0Y20zC+Fzt72VPzMSk2A==",
    sent: "x",
    want: "rL0Y20zC+Fzt72VPzMSk2A==",
  },
  { field: "content-digest", old: "sha-256=:YQ==:", sent: "sha-256=::", want: "sha-256=:YQ==:" },
  { field: "warning", old: '199 a "b"', sent: '299 a "c"', want: '299 a "c"' },
  { field: "content-range", sent: "bytes 0-1/4", want: undefined },
  { field: "content-length", sent: "99", want: "4" },
  { field: "connection", sent: "close", want: undefined },
  { field: "keep-alive", sent: "timeout=5", want: undefined },
  { field: "transfer-encoding", sent: "chunked", want: undefined },
  { field: "proxy-authenticate", sent: "Basic", want: undefined },
];

for (const { field, old, sent, want } of updates) {
  const words = `${field} ${old ?? "(none)"} and then ${sent}: ${want ?? "(none)"}`;
  Deno.test(`RFC 9111 §3.2, required: a 304 updates ${words}`, async () => {
    const bench = setUp((_, call) =>
      call === 1
        ? stored(...(old === undefined ? [] : [[field, old] as Field]))
        : reply(304, [["etag", '"v"'], [field, sent]])
    );
    await bench.get("/a");
    bench.pass(2000);
    for (const answer of [await bench.get("/a"), await bench.get("/a")]) {
      assert.deepEqual([answer.status, answer.text, answer.field(field)], [200, "body", want]);
    }
  });
}

// RFC 9111 §4.3.4: which stored response a 304 is about, and whether it may stay.
const confirmations: { rule: string; was: Fields; is: Fields; want: "kept" | "fetched" }[] = [
  { rule: "the same strong tag", was: [["etag", '"v"']], is: [["etag", '"v"']], want: "kept" },
  { rule: "the same weak tag", was: [["etag", 'W/"v"']], is: [["etag", 'W/"v"']], want: "kept" },
  { rule: "weak for strong", was: [["etag", '"v"']], is: [["etag", 'W/"v"']], want: "kept" },
  { rule: "no validator", was: [["etag", '"v"']], is: [], want: "kept" },
  { rule: "the same Last-Modified", was: [changed], is: [changed], want: "kept" },
  { rule: "another strong tag", was: [["etag", '"v"']], is: [["etag", '"w"']], want: "fetched" },
  { rule: "strong for weak", was: [["etag", 'W/"v"']], is: [["etag", '"v"']], want: "fetched" },
  { rule: "a tag where none was", was: [changed], is: [changed, ["etag", '"v"']], want: "fetched" },
  {
    rule: "another Last-Modified",
    was: [changed],
    is: [["last-modified", date(-9)]],
    want: "fetched",
  },
  { rule: "no-store", was: [["etag", '"v"']], is: [control("no-store")], want: "fetched" },
  { rule: "private", was: [["etag", '"v"']], is: [control("private")], want: "fetched" },
  { rule: "Vary: *", was: [["etag", '"v"']], is: [["vary", "*"]], want: "fetched" },
];

for (const { rule, was, is, want } of confirmations) {
  Deno.test(`RFC 9111 §4.3.4, required: a 304 with ${rule}: ${want}`, async () => {
    const bench = setUp((_, call) =>
      call === 1
        ? reply(200, [now, control("max-age=1"), ...was], "old")
        : call === 2
        ? reply(304, [control("max-age=50"), ...is])
        : reply(200, [control("no-store")], "new")
    );
    await bench.get("/a");
    bench.pass(2000);
    assert.equal((await bench.get("/a")).text, want === "kept" ? "old" : "new");
    const conditions = /^if-(none-match|modified-since)$/;
    assert.ok(bench.sent[1].fields.some(([name]) => conditions.test(name)), "it was validated");
  });
}

// RFC 9111 §4.3.5: a HEAD that goes to the next hop, and what is stored for GET.
const heads: {
  rule: string;
  status?: number;
  is: Fields;
  want: "fresher" | "gone" | "as it was";
}[] = [
  {
    rule: "the same tag and length",
    is: [["etag", '"v"'], ["content-length", "4"]],
    want: "fresher",
  },
  { rule: "the same tag", is: [["etag", '"v"']], want: "fresher" },
  { rule: "no validator, the same length", is: [["content-length", "4"]], want: "fresher" },
  { rule: "another tag", is: [["etag", '"w"'], ["content-length", "4"]], want: "gone" },
  { rule: "another length", is: [["etag", '"v"'], ["content-length", "5"]], want: "gone" },
  { rule: "another Last-Modified", is: [["last-modified", date(-9)]], want: "gone" },
  { rule: "no-store", is: [["etag", '"v"'], control("no-store")], want: "gone" },
  { rule: "a 404", status: 404, is: [["content-length", "4"]], want: "as it was" },
  { rule: "a 503", status: 503, is: [], want: "as it was" },
];

for (const { rule, status = 200, is, want } of heads) {
  Deno.test(`RFC 9111 §4.3.5, optimal: HEAD that says ${rule}: ${want}`, async () => {
    const headFields: Fields = [control("max-age=50"), ["x-new", "1"], ...is];
    const bench = setUp((request, call) => {
      if (request.method !== "HEAD") return call === 1 ? stored(changed) : reply(200, [], "new");
      return { ...reply(status, []), fields: headFields };
    });
    await bench.get("/a");
    bench.pass(2000);
    const head = await bench.get("/a", [], { method: "HEAD" });
    assert.deepEqual([head.status, head.text, head.field("x-new")], [status, "", "1"]);
    const [entry] = bench.store.find("/a");
    const found = entry === undefined
      ? "gone"
      : fieldValue(entry.response.fields, "x-new") === "1"
      ? "fresher"
      : "as it was";
    assert.equal(found, want);
    const answer = await bench.get("/a");
    assert.equal(answer.text, want === "fresher" ? "body" : "new");
    if (want === "fresher") assert.match(answer.cacheStatus, /;hit;ttl=50/);
  });
}

Deno.test("RFC 9111 §4.3.5, required: a HEAD brings nothing back that a purge took", async () => {
  const bench = setUp(() => stored());
  await bench.get("/a");
  bench.purges.purge("/a");
  await bench.get("/a", [], { method: "HEAD" });
  assert.equal(bench.purges.verdict(bench.store.find("/a")[0].response), "gone");
});

// RFC 9111 §4.4: what an unsafe method takes from the store; /a is asked.
const unsafe: { level: Level; method: string; status: number; says?: Fields; gone: string[] }[] = [
  ...["POST", "PUT", "DELETE", "PATCH", "M-SEARCH", "PROPPATCH"].flatMap((method) =>
    [200, 204, 303].map((status) => ({ level: "required" as const, method, status, gone: ["/a"] }))
  ),
  ...[400, 404, 500, 503].map((status) => ({
    level: "optimal" as const,
    method: "POST",
    status,
    gone: [],
  })),
  ...["OPTIONS", "TRACE"].map((method) => ({
    level: "optimal" as const,
    method,
    status: 200,
    gone: [],
  })),
  ...["location", "content-location"].flatMap((name) => [
    {
      level: "optimal" as const,
      method: "POST",
      status: 201,
      says: [[name, "/b"]] as Fields,
      gone: ["/a", "/b"],
    },
    {
      level: "optimal" as const,
      method: "POST",
      status: 201,
      says: [[name, "b"]] as Fields,
      gone: ["/a", "/b"],
    },
    {
      level: "optimal" as const,
      method: "POST",
      status: 201,
      says: [[name, "http://edge.example/b"]] as Fields,
      gone: ["/a", "/b"],
    },
    {
      level: "required" as const,
      method: "POST",
      status: 201,
      says: [[name, "http://other.example/b"]] as Fields,
      gone: ["/a"],
    },
    {
      level: "required" as const,
      method: "POST",
      status: 201,
      says: [[name, "http://["]] as Fields,
      gone: ["/a"],
    },
  ]),
];

for (const { level, method, status, says = [], gone } of unsafe) {
  const words = says.map(([name, value]) => ` with ${name}: ${value}`).join("");
  Deno.test(`RFC 9111 §4.4, ${level}: ${method}, ${status}${words} takes ${gone}`, async () => {
    const bench = setUp(({ method }) =>
      method === "GET" ? reply(200, [fresh], "x") : { ...reply(status, []), fields: says }
    );
    for (const target of ["/a", "/b"]) await bench.get(target);
    await bench.get("/a", [["host", "edge.example"]], { method });
    const found = ["/a", "/b"].filter((key) => bench.store.find(key).length === 0);
    assert.deepEqual(found, gone);
  });
}

// RFC 9111 §3.1: fields that are stored, and those that are not.
const fields: { field: string; value: string; beside?: Fields; kept: boolean }[] = [
  ...[
    "content-type",
    "content-language",
    "content-disposition",
    "x-any",
    "link",
    "server",
    "warning",
  ]
    .map((field) => ({ field, value: "a/b", kept: true })),
  ...[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
  ]
    .map((field) => ({ field, value: "x-nothing", kept: false })),
  { field: "x-named", value: "1", beside: [["connection", "close, X-Named"]], kept: false },
  { field: "proxy-authentication-info", value: "x", kept: false },
];

for (const { field, value, beside = [], kept } of fields) {
  Deno.test(`RFC 9111 §3.1, required: ${field} is ${kept ? "" : "not "}stored`, async () => {
    const bench = setUp(() => reply(200, [now, fresh, ...beside, [field, value]], "x"));
    await bench.get("/a");
    const answer = await bench.get("/a");
    assert.match(answer.cacheStatus, /;hit/);
    assert.equal(answer.field(field), kept ? value : undefined);
  });
}

Deno.test("RFC 9111 §3, optimal: Set-Cookie is stored when the policy says so", async () => {
  const bench = setUp(() => reply(200, [fresh, ["set-cookie", "a=b"]]), { storeSetCookie: true });
  await bench.get("/a");
  const answer = await bench.get("/a");
  assert.deepEqual([answer.field("set-cookie"), bench.sent.length], ["a=b", 1]);
});

Deno.test("RFC 9110 §15.2, required: interim responses pass and are not stored", async () => {
  const bench = setUp(async (request) => {
    await settle();
    request.onInformational?.(103, [["link", "</x>; rel=preload"], ["cache-control", "max-age=9"]]);
    return reply(200, [fresh, ["x-final", "1"]], "x");
  });
  const seen: number[] = [];
  const onInformational = (status: number) => void seen.push(status);
  await bench.get("/a", [], { onInformational });
  const answer = await bench.get("/a", [], { onInformational });
  assert.deepEqual([seen, answer.status], [[103], 200]);
  assert.deepEqual([answer.field("link"), answer.field("x-final")], [undefined, "1"]);
});

Deno.test("RFC 9111 §3.5, required: a 401 for others is not for who brings credentials", async () => {
  const gate = Promise.withResolvers<void>();
  const bench = setUp(async (request) => {
    if (fieldValue(request.fields, "authorization") !== undefined) return reply(200, [fresh], "in");
    await gate.promise;
    return reply(401, [], "out");
  });
  const stranger = bench.get("/a");
  const owner = await bench.get("/a", credentials);
  gate.resolve();
  assert.deepEqual([owner.text, (await stranger).text], ["in", "out"]);
});

Deno.test("RFC 9111 §3.5, optimal: credentials of one do not keep others from sharing", async () => {
  const bench = setUp(() => reply(200, [fresh], "x"));
  await bench.get("/a", credentials);
  await bench.get("/a", [control("no-store")]);
  await Promise.all([1, 2, 3].map(() => bench.get("/a")));
  assert.equal(bench.sent.length, 3);
});
