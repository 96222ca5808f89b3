import assert from "node:assert/strict";
import { readClip } from "./clip.ts";
import { EndlessTrack, findBox } from "./fragments.ts";

const clip = await readClip();
const tracks = [
  { name: "video", fragments: clip.video.fragments, ticks: 172_800 },
  { name: "audio", fragments: clip.audio.fragments, ticks: 92_160 },
];

function decodeTime(bytes: Uint8Array): bigint {
  const at = findBox(bytes, ["moof", "traf", "tfdt"]).content + 4;
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at);
}

for (const { name, fragments, ticks } of tracks) {
  Deno.test(`${name} fragments follow each other for ever (ISO/IEC 14496-12 §8.8.12)`, () => {
    const track = new EndlessTrack(fragments, ticks);
    for (const number of [0, 9, 10, 932_000_009, 932_000_010]) {
      const bytes = track.fragment(number);
      assert.equal(decodeTime(bytes), BigInt(number) * BigInt(ticks));
      const sequence = findBox(bytes, ["moof", "mfhd"]).content + 4;
      assert.equal(new DataView(bytes.buffer).getUint32(sequence), number + 1);
      assert.deepEqual(track.fragment(number), bytes);
    }
  });

  Deno.test(`the ${name} clip is a loop of equal steps that starts at 0`, () => {
    assert.deepEqual(fragments.map(decodeTime), fragments.map((_, index) => BigInt(index * ticks)));
  });
}

Deno.test("a fragment without its boxes is refused in one sentence", () => {
  assert.throws(() => new EndlessTrack([new Uint8Array(16)], 1), {
    message: "Cannot read boxes: a size must be 8 to 16: received 0",
  });
  const empty = new Uint8Array([0, 0, 0, 8, 0x6d, 0x6f, 0x6f, 0x66]);
  assert.throws(() => new EndlessTrack([empty], 1), {
    message: "Cannot read a fragment: need moof/traf/tfdt: no traf",
  });
});

Deno.test("the audio track says how to decode it (ISO/IEC 14496-1 §7.2.6.7)", () => {
  const { init } = clip.audio;
  const esds = findBytes(init, [0x65, 0x73, 0x64, 0x73]);
  // DecoderSpecificInfo: tag 5, a length in four bytes, AAC-LC at 48 kHz with two channels.
  assert.ok(findBytes(init.subarray(esds), [5, 0x80, 0x80, 0x80, 2, 0x11, 0x90]) > 0);
});

function findBytes(bytes: Uint8Array, wanted: readonly number[]): number {
  return bytes.findIndex((_, at) => wanted.every((byte, index) => bytes[at + index] === byte));
}
