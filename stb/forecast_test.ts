import assert from "node:assert/strict";
import fc from "fast-check";
import { defaultForecastLimits, familyOf, Forecast } from "./forecast.ts";

// One row for each way segments are named.
const names = [
  { key: "/one/seg-7.ts", family: "/one/seg-#.ts", number: 7 },
  { key: "/one/cmaf/video-0012.m4s", family: "/one/cmaf/video-#.m4s", number: 12 },
  { key: "/one/3/12.mp4", family: "/one/3/#.mp4", number: 12 },
  { key: "/one/v1_2026_55_a.ts?x=9", family: "/one/v1_2026_#_a.ts", number: 55 },
  { key: "/one/77", family: "/one/#", number: 77 },
  { key: "/one/index.m3u8" },
  { key: "/one2/init.mp4" },
  { key: "/one/1234567890123456.ts" },
  { key: "/" },
];

for (const { key, ...want } of names) {
  Deno.test(`familyOf() ${"family" in want ? `reads ${want.number} from` : "finds none in"} ${key}`, () => {
    assert.deepEqual(familyOf(key), "family" in want ? want : undefined);
  });
}

/** A family that brought 1 to 5, one each two seconds, the last at 8 000 ms. */
function steady(): Forecast {
  const forecast = new Forecast();
  for (let n = 1; n <= 5; n++) forecast.seen(`/one/seg-${n}.ts`, (n - 1) * 2000);
  return forecast;
}

// What a player asks for at a time, and how long to wait for it.
const rows = [
  { what: "the next, just after the last", key: "/one/seg-6.ts", atMs: 8000, waitMs: 4000 },
  { what: "the next, when it is due", key: "/one/seg-6.ts", atMs: 10_000, waitMs: 2500 },
  { what: "the next, long overdue", key: "/one/seg-6.ts", atMs: 13_000, waitMs: 0 },
  { what: "the one after the next", key: "/one/seg-7.ts", atMs: 9000, waitMs: 4000 },
  { what: "one far ahead", key: "/one/seg-8.ts", atMs: 8000, waitMs: 0 },
  { what: "one announced just now", key: "/one/seg-5.ts", atMs: 8100, waitMs: 1400 },
  { what: "one announced a while ago", key: "/one/seg-5.ts", atMs: 9600, waitMs: 0 },
  { what: "one that has passed", key: "/one/seg-4.ts", atMs: 8000, waitMs: 0 },
  { what: "another family", key: "/two/seg-6.ts", atMs: 8000, waitMs: 0 },
  { what: "no number at all", key: "/one/index.m3u8", atMs: 8000, waitMs: 0 },
];

for (const { what, key, atMs, waitMs } of rows) {
  Deno.test(`Forecast waits ${waitMs} ms for ${what}`, () => {
    assert.equal(steady().waitMs(key, atMs), waitMs);
  });
}

Deno.test("Forecast never waits longer than its limit, nor a negative time", () => {
  const event = fc.record({
    key: fc.constantFrom("/a/1.ts", "/a/2.ts", "/a/9.ts", "/b/3.ts", "/c"),
    atMs: fc.integer({ min: -1e6, max: 1e9 }),
  });
  fc.assert(fc.property(fc.array(event), event, (seen, asked) => {
    const forecast = new Forecast();
    for (const { key, atMs } of seen) forecast.seen(key, atMs);
    const waitMs = forecast.waitMs(asked.key, asked.atMs);
    assert.ok(waitMs >= 0 && waitMs <= defaultForecastLimits.maxWaitMs);
  }));
});

Deno.test("Forecast waits neither for what is here nor for what was given up", () => {
  const forecast = steady();
  forecast.over("/one/seg-4.ts");
  assert.equal(forecast.waitMs("/one/seg-5.ts", 8100), 1400);
  forecast.over("/one/seg-5.ts");
  forecast.over("/two/seg-5.ts");
  assert.equal(forecast.waitMs("/one/seg-5.ts", 8100), 0);
  assert.equal(forecast.waitMs("/one/seg-6.ts", 8100), 4000);
});

Deno.test("Forecast forgets the family that was silent for longest", () => {
  const forecast = new Forecast({ maxFamilies: 2 });
  for (const [i, key] of ["/a/1", "/b/1", "/a/2", "/c/1"].entries()) forecast.seen(key, i);
  assert.equal(forecast.waitMs("/b/2", 4), 0);
  assert.ok(forecast.waitMs("/a/3", 4) > 0);
});
