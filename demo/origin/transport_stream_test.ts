import assert from "node:assert/strict";
import fc from "fast-check";
import { readClip } from "./clip.ts";
import {
  EndlessTransportStream,
  readClockBase,
  readTimestamp,
  writeClockBase,
  writeTimestamp,
} from "./transport_stream.ts";

const clip = await readClip();
const segmentTicks = 172_800;
const frameTicks = 3_600;
const endless = new EndlessTransportStream(clip.transportStream, segmentTicks);

/** What a receiver looks at in a segment. */
function survey(bytes: Uint8Array) {
  const counters: { pid: number; counter: number }[] = [];
  const video: number[] = [];
  const audio: number[] = [];
  const clocks: number[] = [];
  for (let at = 0; at < bytes.length; at += 188) {
    assert.equal(bytes[at], 0x47);
    const pid = (bytes[at + 1] & 0x1f) << 8 | bytes[at + 2];
    const hasAdaptation = (bytes[at + 3] & 0x20) !== 0;
    if (hasAdaptation && bytes[at + 4] > 0 && bytes[at + 5] & 0x10) {
      clocks.push(readClockBase(bytes, at + 6));
    }
    if (!(bytes[at + 3] & 0x10)) continue;
    counters.push({ pid, counter: bytes[at + 3] & 15 });
    const payload = at + 4 + (hasAdaptation ? 1 + bytes[at + 4] : 0);
    if (!(bytes[at + 1] & 0x40) || pid < 0x100 || pid > 0x101) continue;
    assert.deepEqual([...bytes.subarray(payload, payload + 3)], [0, 0, 1]);
    (pid === 0x100 ? video : audio).push(readTimestamp(bytes, payload + 9));
  }
  return { counters, video, audio, clocks };
}

const rounds = [
  { what: "from one round into the next", first: 8 },
  { what: "at today's numbers", first: 932_000_008 },
  // 2^33 / 172800 = 49710.27: the timestamps wrap inside segment 49710.
  { what: "where 33 bits wrap", first: 49_708 },
];

for (const { what, first } of rounds) {
  Deno.test(`an endless transport stream is unbroken ${what} (ISO/IEC 13818-1 §2.4.3)`, () => {
    const surveys = [0, 1, 2, 3].map((step) => survey(endless.segment(first + step)));
    const last = new Map<number, number>();
    for (const { pid, counter } of surveys.flatMap((each) => each.counters)) {
      const before = last.get(pid);
      if (before !== undefined) assert.equal(counter, (before + 1) % 16, `PID ${pid}`);
      last.set(pid, counter);
    }
    const video = surveys.flatMap((each) => each.video);
    assert.equal(video.length, 4 * 48);
    for (let index = 1; index < video.length; index++) {
      assert.equal((video[index] - video[index - 1] + 2 ** 33) % 2 ** 33, frameTicks);
    }
    const clocks = surveys.flatMap((each) => each.clocks);
    for (let index = 1; index < clocks.length; index++) {
      const step = (clocks[index] - clocks[index - 1] + 2 ** 33) % 2 ** 33;
      assert.ok(step > 0 && step <= 9_000, `PCR step of ${step} ticks`); // 100 ms, §2.7.2
    }
    for (const { video, audio } of surveys) assert.equal(audio[0], video[0]);
  });
}

Deno.test("a segment's bytes depend on its number alone, and its length on its place", () => {
  assert.deepEqual(endless.segment(123_456), endless.segment(123_456));
  assert.notDeepEqual(endless.segment(123_456), endless.segment(123_466));
  assert.equal(endless.segment(123_456).length, endless.segment(123_466).length);
});

Deno.test("timestamps and clock bases keep 33 bits and their marker bits", () => {
  const ticks = fc.integer({ min: 0, max: 2 ** 33 - 1 });
  const bytes = fc.uint8Array({ minLength: 6, maxLength: 6 });
  fc.assert(fc.property(ticks, bytes, (value, before) => {
    const stamp = before.slice();
    writeTimestamp(stamp, 0, value);
    assert.equal(readTimestamp(stamp, 0), value);
    assert.equal(stamp[0] & 0xf1, before[0] & 0xf1);
    assert.equal(stamp[2] & 1, before[2] & 1);
    assert.equal(stamp[4] & 1, before[4] & 1);
    const clock = before.slice();
    writeClockBase(clock, 0, value);
    assert.equal(readClockBase(clock, 0), value);
    assert.equal(clock[4] & 0x7f, before[4] & 0x7f);
    assert.equal(clock[5], before[5]);
  }));
});

Deno.test("a segment that is no transport stream is refused in one sentence", () => {
  assert.throws(() => new EndlessTransportStream([new Uint8Array(188)], 1), {
    message: "Cannot read a transport stream: packets must start with 0x47: received 0",
  });
});
