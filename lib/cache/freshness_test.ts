import assert from "node:assert/strict";
import { type Fields, formatHttpDate } from "#http";
import { responseControl } from "./cache_control.ts";
import { freshnessOf, type FreshnessSource } from "./freshness.ts";

const dateMs = Date.UTC(2026, 0, 1);
const day = 24 * 3600;
const at = (seconds: number) => formatHttpDate(dateMs + seconds * 1000);
const control = (value: string) => ["cache-control", value] as const;

// One row a rule of RFC 9111 §4.2.1 and §4.2.2; lifetimes in seconds.
const rows: {
  rule: string;
  fields: Fields;
  status?: number;
  source: FreshnessSource;
  want: number;
}[] = [
  { rule: "nothing said", fields: [], source: "none", want: 0 },
  { rule: "max-age", fields: [control("max-age=5")], source: "max-age", want: 5 },
  {
    rule: "s-maxage first",
    fields: [control("max-age=5, s-maxage=9")],
    source: "s-maxage",
    want: 9,
  },
  {
    rule: "junk s-maxage",
    fields: [control("max-age=5, s-maxage=x")],
    source: "s-maxage",
    want: 0,
  },
  {
    rule: "Expires by the origin's Date",
    fields: [["expires", at(60)]],
    source: "expires",
    want: 60,
  },
  {
    rule: "max-age before Expires",
    fields: [["expires", at(60)], control("max-age=5")],
    source: "max-age",
    want: 5,
  },
  { rule: "Expires in the past", fields: [["expires", at(-60)]], source: "expires", want: 0 },
  { rule: "Expires: 0", fields: [["expires", "0"]], source: "expires", want: 0 },
  {
    rule: "Expires that is no date",
    fields: [["expires", "Thu, 1 Jan 2026 00:01:00 UTC"]],
    source: "expires",
    want: 0,
  },
  {
    rule: "Expires twice",
    fields: [["expires", at(60)], ["expires", at(60)]],
    source: "expires",
    want: 0,
  },
  {
    rule: "a tenth of the age",
    fields: [["last-modified", at(-100)]],
    source: "heuristic",
    want: 10,
  },
  {
    rule: "a day at most",
    fields: [["last-modified", at(-100 * day)]],
    source: "heuristic",
    want: day,
  },
  { rule: "changed in the future", fields: [["last-modified", at(100)]], source: "none", want: 0 },
  { rule: "changed on no date", fields: [["last-modified", "long ago"]], source: "none", want: 0 },
  {
    rule: "another status",
    status: 302,
    fields: [["last-modified", at(-100)]],
    source: "none",
    want: 0,
  },
  {
    rule: "another status, public",
    status: 302,
    fields: [["last-modified", at(-100)], control("public")],
    source: "heuristic",
    want: 10,
  },
  {
    rule: "any status that says so",
    status: 599,
    fields: [control("max-age=5")],
    source: "max-age",
    want: 5,
  },
];

for (const { rule, fields, status = 200, source, want } of rows) {
  Deno.test(`freshnessOf() with ${rule}: ${want} s by ${source} (RFC 9111 §4.2)`, () => {
    const freshness = freshnessOf({ status, fields, control: responseControl(fields), dateMs });
    assert.deepEqual(freshness, { source, lifetimeMs: want * 1000 });
  });
}
