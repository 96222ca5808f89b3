import assert from "node:assert/strict";
import fc from "fast-check";
import { type Field, type Fields, formatHttpDate } from "#http";
import { factsOf } from "./facts.ts";
import { reply, setUp, startMs } from "./scripted_next_hop.ts";
import { targetedControl } from "./targeted.ts";

const control = (value: string): Field => ["cache-control", value];
const cdn = (value: string): Field => ["cdn-cache-control", value];
const own = (value: string): Field => ["downlink-cdn-cache-control", value];
const expires = (seconds: number): Field => ["expires", formatHttpDate(startMs + seconds * 1000)];

/** How many seconds a response is fresh, and what that was taken from. */
function freshnessFor(fields: Fields): [seconds: number, source: string] {
  const facts = factsOf({ status: 200, fields, requestSentMs: startMs, receivedMs: startMs });
  return [facts.freshness.lifetimeMs / 1000, facts.freshness.source];
}

interface Row {
  readonly rule: string;
  readonly fields: Fields;
  readonly seconds: number;
  readonly source?: string;
}

// Which field decides, one row a sentence of RFC 9213 §2.1 and §2.2.
const rows: Row[] = [
  { rule: "§2.2 it decides alone", fields: [cdn("max-age=60")], seconds: 60 },
  { rule: "§2.2 longer", fields: [control("max-age=1"), cdn("max-age=60")], seconds: 60 },
  { rule: "§2.2 shorter", fields: [control("max-age=60"), cdn("max-age=1")], seconds: 1 },
  {
    rule: "§2.2 s-maxage elsewhere",
    fields: [control("s-maxage=9"), cdn("max-age=1")],
    seconds: 1,
  },
  { rule: "§2.2 its own s-maxage", fields: [cdn("max-age=1, s-maxage=9")], seconds: 9 },
  { rule: "§2.2 Expires is ignored", fields: [expires(60), cdn("max-age=1")], seconds: 1 },
  {
    rule: "§2.2 Expires is ignored",
    fields: [expires(60), cdn("foo")],
    seconds: 0,
    source: "none",
  },
  { rule: "§2.2 bad Expires is ignored", fields: [["expires", "0"], cdn("max-age=5")], seconds: 5 },
  { rule: "§2.2 no word of freshness", fields: [control("max-age=60"), cdn("none")], seconds: 0 },
  { rule: "§2.2 our own comes first", fields: [cdn("max-age=1"), own("max-age=60")], seconds: 60 },
  { rule: "§2.2 our own is bad", fields: [cdn("max-age=1"), own("max-age=60,")], seconds: 1 },
  { rule: "§2.2 our own is empty", fields: [cdn("max-age=1"), own("")], seconds: 1 },
  {
    rule: "§2.2 somebody else's",
    fields: [["other-cdn-cache-control", "max-age=60"], control("max-age=1")],
    seconds: 1,
  },
  { rule: "§2.1 empty", fields: [control("max-age=1"), cdn("")], seconds: 1 },
  { rule: "§2.1 blank", fields: [control("max-age=1"), cdn("  ")], seconds: 1 },
  { rule: "§2.1 empty, Expires counts", fields: [expires(7), cdn("")], seconds: 7 },
  { rule: "§2.1 junk member", fields: [control("max-age=1"), cdn("max-age=60, &&&")], seconds: 1 },
  { rule: "§2.1 empty member", fields: [control("max-age=1"), cdn("max-age=60,,a")], seconds: 1 },
  { rule: "§2.1 comma at the end", fields: [control("max-age=1"), cdn("max-age=60,")], seconds: 1 },
  { rule: "§2.1 upper case", fields: [control("max-age=1"), cdn("Max-Age=60")], seconds: 1 },
  { rule: "§2.1 blank before =", fields: [control("max-age=1"), cdn("max-age =60")], seconds: 1 },
  { rule: "§2.1 blank after =", fields: [control("max-age=1"), cdn("max-age= 60")], seconds: 1 },
  { rule: "§2.1 single quotes", fields: [control("max-age=1"), cdn("max-age='60'")], seconds: 1 },
  {
    rule: "§2.1 16 digits",
    fields: [control("max-age=1"), cdn(`max-age=${"9".repeat(16)}`)],
    seconds: 1,
  },
  { rule: "§2.1 15 digits", fields: [cdn(`max-age=${"9".repeat(15)}`)], seconds: 2 ** 31 },
  { rule: "§2.1 leading zeros", fields: [cdn("max-age=0060")], seconds: 60 },
  { rule: "§2.1 a parameter", fields: [cdn("max-age=60;a=1;max-age=5")], seconds: 60 },
  { rule: "§2.1 last of duplicates", fields: [cdn("max-age=1, max-age=60")], seconds: 60 },
  { rule: "§2.1 two lines", fields: [cdn("foo"), cdn("max-age=60")], seconds: 60 },
  {
    rule: "§2.1 one line is bad",
    fields: [control("max-age=1"), cdn("?"), cdn("max-age=60")],
    seconds: 1,
  },
  { rule: "§2.1 an extension", fields: [cdn('max-age=60, x=(a "b" 1.5);y')], seconds: 60 },
  ...['"60"', "60.0", "sixty", "?1", "?0", "-60", ":NjA=:", "(60)", "@60", '%"60"'].map((
    value,
  ) => ({
    rule: `§2.1 a value of the wrong type, ${value}`,
    fields: [control("max-age=60"), expires(60), cdn(`max-age=${value}`)],
    seconds: 0,
  })),
  { rule: "§2.1 without a value", fields: [control("max-age=60"), cdn("max-age")], seconds: 0 },
];

for (const { rule, fields, seconds, source } of rows) {
  const words = fields.map(([name, value]) => `${name}: ${value}`).join(" | ");
  Deno.test(`${words}: fresh for ${seconds} s (RFC 9213 ${rule})`, () => {
    const found = freshnessFor(fields);
    assert.equal(found[0], seconds);
    if (source !== undefined) assert.equal(found[1], source);
  });
}

// What the engine does with them; each row asks twice, 1 s apart (RFC 9213 §2.2).
const lives: { fields: Fields; want: "hit" | "asks"; laterS?: number }[] = [
  { fields: [control("no-store"), cdn("max-age=60")], want: "hit" },
  { fields: [control("private"), cdn("max-age=60")], want: "hit" },
  { fields: [control("no-cache"), cdn("max-age=60")], want: "hit" },
  { fields: [control("max-age=60"), cdn("no-store")], want: "asks" },
  { fields: [control("max-age=60"), cdn("no-store, max-age=60")], want: "asks" },
  { fields: [control("max-age=60"), cdn("no-store=?0, max-age=60")], want: "asks" },
  { fields: [control("max-age=60"), cdn("private")], want: "asks" },
  { fields: [control("max-age=60"), cdn("private, max-age=60")], want: "asks" },
  { fields: [control("max-age=60"), cdn("no-cache")], want: "asks" },
  { fields: [control("max-age=60"), cdn('no-cache="x-a", max-age=60')], want: "asks" },
  { fields: [control("max-age=60"), cdn("max-age=0")], want: "asks" },
  { fields: [control("max-age=60"), cdn("max-age=60"), ["age", "59"]], want: "asks" },
  { fields: [control("max-age=1"), cdn("max-age=60"), ["age", "50"]], want: "hit" },
  { fields: [control("max-age=60"), cdn("max-age=10")], want: "asks", laterS: 10 },
  { fields: [control("max-age=10"), cdn("max-age=60")], want: "hit", laterS: 59 },
  { fields: [control("no-store"), cdn("max-age=60, &")], want: "asks" },
  {
    fields: [control("max-age=60, must-revalidate"), cdn("max-age=1, stale-while-revalidate=60")],
    want: "hit",
    laterS: 2,
  },
];

for (const { fields, want, laterS = 1 } of lives) {
  const words = fields.map(([name, value]) => `${name}: ${value}`).join(" | ");
  Deno.test(`${words}, asked again after ${laterS} s: ${want} (RFC 9213 §2.2)`, async () => {
    const bench = setUp(() => reply(200, fields, "x"));
    await bench.get("/a");
    bench.pass(laterS * 1000);
    const { cacheStatus } = await bench.get("/a");
    assert.match(cacheStatus, want === "hit" ? /;hit/ : /;fwd=/);
  });
}

Deno.test("clients get CDN-Cache-Control but not ours, nodes of ours get both (RFC 9213 §3.1)", async () => {
  const bench = setUp(() =>
    reply(200, [cdn("max-age=60"), own("max-age=60"), control("no-store")])
  );
  for (const laterMs of [0, 2000]) {
    bench.pass(laterMs);
    const answer = await bench.get("/a");
    assert.equal(answer.field("cdn-cache-control"), "max-age=60");
    assert.equal(answer.field("cache-control"), "no-store");
    assert.equal(answer.field("downlink-cdn-cache-control"), undefined);
  }
  const peer = await bench.get("/a", [], { showHidden: true });
  assert.equal(peer.field("downlink-cdn-cache-control"), "max-age=60");
  const fast = bench.engine.hit({ method: "GET", target: "/a", fields: [] });
  assert.doesNotMatch(new TextDecoder().decode(fast?.head), /downlink/i);
});

Deno.test("a 304 brings a new targeted field (RFC 9213 §2.2, RFC 9111 §3.2)", async () => {
  const bench = setUp((_, call) =>
    call === 1
      ? reply(200, [cdn("max-age=1"), control("max-age=60"), ["etag", '"v"']], "x")
      : reply(304, [cdn("max-age=100"), ["etag", '"v"']])
  );
  await bench.get("/a");
  bench.pass(2000);
  assert.match((await bench.get("/a")).cacheStatus, /fwd-status=304;ttl=100/);
});

Deno.test("targetedControl() takes any text", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (value) => {
    const found = targetedControl([cdn(value)]);
    assert.ok(found === undefined || !found.empty);
  }));
});
