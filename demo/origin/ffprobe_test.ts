import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Catalogue } from "./catalogue.ts";
import { readClip } from "./clip.ts";

const probe = { present: await runs(["-version"]) };
const skip = probe.present ? "" : " (skipped: ffprobe is not installed)";
const catalogue = new Catalogue(await readClip());
const nowMs = Date.UTC(2026, 10, 22, 10);
/** Twelve segments that end with the newest: they cross the end of a loop of ten. */
const numbers = Array.from({ length: 12 }, (_, index) => Math.floor(nowMs / 1920) - 12 + index);

async function runs(args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command("ffprobe", { args, stdout: "null", stderr: "null" }).output())
      .success;
  } catch {
    return false;
  }
}

function bytesOf(path: string): Uint8Array {
  const found = catalogue.find(path, { nowMs, edition: 1 });
  assert.ok(found, path);
  return found.body;
}

/** Lets ffprobe read bytes and tell each packet's stream and timestamps. */
async function packets(bytes: Uint8Array): Promise<{ stream: string; dts: number }[]> {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeFile(file, bytes);
    const entries = "packet=stream_index,dts";
    const args = ["-v", "warning", "-show_entries", entries, "-of", "csv=p=0", file];
    const { stdout, stderr } = await new Deno.Command("ffprobe", { args }).output();
    assert.equal(new TextDecoder().decode(stderr), "");
    const lines = new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
    return lines.map((line) => {
      const [stream, dts] = line.split(",");
      return { stream, dts: Number(dts) };
    });
  } finally {
    await Deno.remove(file);
  }
}

function assertSteps(dts: readonly number[], step: number, slack: number): void {
  for (let index = 1; index < dts.length; index++) {
    const taken = dts[index] - dts[index - 1];
    assert.ok(Math.abs(taken - step) <= slack, `step of ${taken}, wanted ${step}`);
  }
}

Deno.test({
  name: `ffprobe reads the channel across the loop point without a jump${skip}`,
  ignore: !probe.present,
  async fn() {
    const stream = Buffer.concat(numbers.map((number) => bytesOf(`/one/seg-${number}.ts`)));
    const all = await packets(new Uint8Array(stream));
    const video = all.filter(({ stream }) => stream === "0").map(({ dts }) => dts);
    const audio = all.filter(({ stream }) => stream === "1").map(({ dts }) => dts);
    assert.equal(video.length, 12 * 48);
    assert.equal(audio.length, 12 * 90);
    assertSteps(video, 3600, 0);
    assertSteps(audio, 1920, 0);
  },
});

for (
  const { track, frames, step } of [
    { track: "video", frames: 48, step: 3600 },
    { track: "audio", frames: 90, step: 1024 },
  ]
) {
  Deno.test({
    name: `ffprobe reads the CMAF ${track} track across the loop point without a jump${skip}`,
    ignore: !probe.present,
    async fn() {
      const fragments = numbers.map((number) => bytesOf(`/one/cmaf/${track}-${number}.m4s`));
      const bytes = Buffer.concat([bytesOf(`/one/cmaf/${track}-init.mp4`), ...fragments]);
      const dts = (await packets(new Uint8Array(bytes))).map(({ dts }) => dts);
      assert.equal(dts.length, 12 * frames);
      assertSteps(dts, step, 0);
    },
  });
}
