/**
 * HTTP dates: the three forms, and nothing else.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { formatHttpDate, parseHttpDate } from "./date.ts";

const nowMs = Date.UTC(2026, 10, 22);
const wantMs = Date.UTC(1994, 10, 6, 8, 49, 37);

const dates = [
  { form: "IMF-fixdate", text: "Sun, 06 Nov 1994 08:49:37 GMT", ms: wantMs },
  { form: "RFC 850", text: "Sunday, 06-Nov-94 08:49:37 GMT", ms: wantMs },
  { form: "asctime", text: "Sun Nov  6 08:49:37 1994", ms: wantMs },
  {
    form: "asctime, two digits",
    text: "Sun Nov 16 08:49:37 1994",
    ms: wantMs + 10 * 86_400_000,
  },
  { form: "leap day", text: "Thu, 29 Feb 2024 00:00:00 GMT", ms: Date.UTC(2024, 1, 29) },
  { form: "leap second", text: "Sat, 31 Dec 2016 23:59:60 GMT", ms: Date.UTC(2017, 0, 1) },
  { form: "RFC 850, 50 years ahead", text: "Sunday, 22-Nov-76 00:00:00 GMT", ms: utc(2076) },
  { form: "RFC 850, 51 years ahead", text: "Tuesday, 22-Nov-77 00:00:00 GMT", ms: utc(1977) },
  { form: "year 0001", text: "Mon, 01 Jan 0001 00:00:00 GMT", ms: -62_135_596_800_000 },
];

function utc(year: number): number {
  return Date.UTC(year, 10, 22);
}

for (const { form, text, ms } of dates) {
  Deno.test(`parseHttpDate() reads ${form} (RFC 9110 §5.6.7)`, () => {
    assert.equal(parseHttpDate(text, nowMs), ms);
  });
}

Deno.test("parseHttpDate() places RFC 850 years near a turn of century (RFC 9110 §5.6.7)", () => {
  const at = (year: number) => parseHttpDate("Friday, 01-Jan-10 00:00:00 GMT", utc(year));
  assert.equal(at(2099), Date.UTC(2110, 0, 1));
  assert.equal(at(2001), Date.UTC(2010, 0, 1));
  assert.equal(at(1970), Date.UTC(2010, 0, 1));
  assert.equal(at(1955), Date.UTC(1910, 0, 1));
});

const invalid = [
  "THU, 18 Aug 2050 02:01:18 GMT",
  "Thu, 18 AUG 2050 02:01:18 GMT",
  "Thu, 18 Aug 2050 02:01:18 gMT",
  "Thu, 18 Aug 2050 02:01:18 UTC",
  "Thu, 18 Aug 2050 02:01:18 AEST",
  "Thu, 18 Aug 2050 02:01:18 +0000",
  "Thu, 18 Aug 2050 02:01:18",
  "Thu, 18 Aug 50 02:01:18 GMT",
  "Thu 18 Aug 2050 02:01:18 GMT",
  "Thu, 18  Aug  2050 02:01:18 GMT",
  "Thu, 18-Aug-2050 02:01:18 GMT",
  "Thu, 18 Aug 2050 02.01.18 GMT",
  "Thu, 18 Aug 2050 2:01:18 GMT",
  "Thu, 8 Aug 2050 02:01:18 GMT",
  "Thu, 18 Aug 2050 24:00:00 GMT",
  "Thu, 18 Aug 2050 02:60:18 GMT",
  "Thu, 18 Aug 2050 02:01:61 GMT",
  "Thu, 31 Apr 2050 02:01:18 GMT",
  "Thu, 00 Apr 2050 02:01:18 GMT",
  "Wed, 29 Feb 2023 00:00:00 GMT",
  "Thu, 18 Aug 2050 02:01:18 GMT, Thu, 18 Aug 2050 02:01:18 GMT",
  " Thu, 18 Aug 2050 02:01:18 GMT",
  "Sun Nov 06 08:49:37 1994 GMT",
  "2050-08-18T02:01:18Z",
  "0",
  "-1",
  "",
];

for (const text of invalid) {
  Deno.test(`parseHttpDate() refuses "${text}"`, () => {
    assert.equal(parseHttpDate(text, nowMs), undefined);
  });
}

Deno.test("formatHttpDate() and parseHttpDate() agree on each second", () => {
  const seconds = fc.integer({ min: -62_167_219_200, max: 253_402_300_799 });
  fc.assert(fc.property(seconds, (second) => {
    assert.equal(parseHttpDate(formatHttpDate(second * 1000)), second * 1000);
  }));
});

Deno.test("formatHttpDate() refuses years without four digits", () => {
  assert.throws(() => formatHttpDate(253_402_300_800_000), RangeError);
  assert.throws(() => formatHttpDate(NaN), RangeError);
});

Deno.test("parseHttpDate() never throws", () => {
  fc.assert(fc.property(fc.string(), (text) => void parseHttpDate(text)));
});
