import assert from "node:assert/strict";
import fc from "fast-check";
import { LiveWindow, type PlaylistVersion } from "./live_window.ts";

const options = { backlog: 3, maxPending: 8 };
const never = () => false;

/** A version that names segments `from` to `to` with one initialization segment. */
function version(from: number, to: number, initKey?: string): PlaylistVersion {
  const segments = [];
  for (let n = from; n <= to; n++) segments.push({ key: `/s${n}`, durationSeconds: 2, initKey });
  return { mediaSequence: from, segments };
}

Deno.test("the first version asks for the three newest segments, oldest first", () => {
  const window = new LiveWindow(options);
  assert.deepEqual(window.observe(version(1, 6), never).wanted, ["/s4", "/s5", "/s6"]);
  assert.equal(window.lagSeconds, 6);
});

Deno.test("an initialization segment comes before the segments that need it, once", () => {
  const window = new LiveWindow(options);
  assert.deepEqual(window.observe(version(1, 3, "/i"), never).wanted, ["/i", "/s1", "/s2", "/s3"]);
  assert.deepEqual(window.observe(version(2, 4, "/i"), never).wanted, ["/s4"]);
  assert.deepEqual(window.observe(version(3, 5, "/j"), never).wanted, ["/j", "/s5"]);
});

Deno.test("a version is publishable when all that it newly names was sent", () => {
  const window = new LiveWindow(options);
  const [first, second] = [version(1, 3), version(2, 4)];
  window.observe(first, never);
  window.observe(second, never);
  for (const key of ["/s1", "/s2"]) window.settle(key);
  assert.equal(window.publishable(), undefined);
  window.settle("/s3");
  assert.equal(window.publishable(), first);
  assert.equal(window.publishable(), undefined);
  window.settle("/s4");
  assert.equal(window.publishable(), second);
});

Deno.test("older versions are forgotten when a newer one is publishable", () => {
  const window = new LiveWindow(options);
  const second = version(2, 4);
  window.observe(version(1, 3), never);
  window.observe(second, never);
  for (const key of ["/s1", "/s2", "/s3", "/s4"]) window.settle(key);
  assert.equal(window.publishable(), second);
  assert.equal(window.publishable(), undefined);
});

Deno.test("segments that left the playlist are given up unless their packets are on the way", () => {
  const window = new LiveWindow(options);
  window.observe(version(1, 3), never);
  const { abandoned } = window.observe(version(3, 5), (key) => key === "/s2");
  assert.deepEqual(abandoned, ["/s1"]);
  assert.equal(window.isPending("/s2"), true);
});

Deno.test("with too many segments waiting the oldest are given up", () => {
  const window = new LiveWindow({ backlog: 3, maxPending: 4 });
  window.observe(version(1, 3), never);
  const { wanted, abandoned } = window.observe(version(1, 6), never);
  assert.deepEqual(abandoned, ["/s1", "/s2"]);
  assert.deepEqual(wanted, ["/s4", "/s5", "/s6"]);
});

Deno.test("after the origin restarted, equal names are new segments", () => {
  const window = new LiveWindow(options);
  window.observe(version(5, 8), never);
  for (const key of ["/s6", "/s7", "/s8"]) window.settle(key);
  assert.deepEqual(window.observe(version(4, 6), never).wanted, ["/s4", "/s5", "/s6"]);
});

Deno.test("a purge asks again for what is newest, and holds back versions until it was sent", () => {
  const window = new LiveWindow(options);
  window.observe(version(1, 5, "/i"), never);
  for (const key of ["/i", "/s3", "/s4", "/s5"]) window.settle(key);
  assert.ok(window.publishable());
  assert.equal(window.wantAgain("/s2"), false);
  assert.equal(window.wantAgain("/s4"), true);
  assert.equal(window.wantAgain("/i"), true);
  window.observe(version(1, 5, "/i"), never);
  window.settle("/s4");
  assert.equal(window.publishable(), undefined);
  window.settle("/i");
  assert.ok(window.publishable());
});

Deno.test("a published version never names a segment of the window that was neither sent nor given up", () => {
  type Step = { advance: number } | { settle: number };
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ advance: fc.integer({ min: 0, max: 4 }) }),
    fc.record({ settle: fc.nat(9) }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const window = new LiveWindow(options);
    const waiting: string[] = [];
    let first = 0;
    for (const one of steps) {
      if ("advance" in one) {
        first += one.advance;
        const { wanted, abandoned } = window.observe(version(first, first + 5), never);
        waiting.push(...wanted);
        for (const key of abandoned) {
          if (waiting.includes(key)) waiting.splice(waiting.indexOf(key), 1);
        }
      } else if (one.settle < waiting.length) window.settle(waiting.splice(one.settle, 1)[0]);
      const published = window.publishable();
      for (const { key } of published?.segments ?? []) assert.ok(!waiting.includes(key), key);
      assert.ok(waiting.length <= options.maxPending);
    }
  }));
});
