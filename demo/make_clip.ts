/**
 * Makes `demo/clip/`, the loop that the demo's channel plays for ever. Needs ffmpeg 5 or later with
 * libx264 and the DejaVu fonts; run once, its results are in the repository:
 * `deno run -A demo/make_clip.ts`.
 *
 * Ten segments of 1.92 s: 48 frames at 25 frames a second are exactly 90 AAC frames of 1024 samples
 * at 48 kHz, so the end of the loop meets its start with no gap in either track.
 *
 * @module
 */

import { drawFrame, height, loopFrames, width } from "./clip_scene.ts";

const segmentFrames = 48;
const segmentAudioFrames = 90;
const segments = loopFrames / segmentFrames;
const segmentSeconds = "1.92";

const clip = new URL("./clip/", import.meta.url).pathname;
const work = Deno.makeTempDirSync({ prefix: "downlink-clip-" });

async function ffmpeg(
  args: readonly string[],
  input?: (writer: WritableStreamDefaultWriter) => Promise<void>,
): Promise<void> {
  const child = new Deno.Command("ffmpeg", {
    args: ["-hide_banner", "-loglevel", "error", "-y", "-bitexact", ...args],
    cwd: work,
    stdin: input ? "piped" : "null",
  }).spawn();
  if (input) {
    const writer = child.stdin.getWriter();
    await input(writer);
    await writer.close();
  }
  const { success } = await child.status;
  if (!success) {
    throw new Error(`Cannot make the clip: ffmpeg must succeed: received ${args.join(" ")}`);
  }
}

/** Splits what holds no argument with a space inside. */
function words(args: string): string[] {
  return args.trim().split(/\s+/);
}

/** One drawtext filter; colons inside the values are escaped for the filter's option syntax. */
function text(font: string, size: number, colour: string, x: string, y: string, what: string) {
  return `drawtext=font='${font}':fontsize=${size}:fontcolor=${colour}:x=${x}:y=${y}:` +
    `shadowcolor=black@0.6:shadowx=1:shadowy=1:${what}`;
}

/** The picture, its captions and its timecode, two passes to hold the size. */
async function video(): Promise<void> {
  const captions = [
    text("DejaVu Sans", 34, "white", "34", "30", "text='Downlink One'"),
    text(
      "DejaVu Sans",
      15,
      "white@0.72",
      "36",
      "74",
      "text='live by satellite, mended by the internet'",
    ),
    text("DejaVu Sans Mono", 30, "white", "w-tw-34", "h-58", "timecode='00\\:00\\:00\\:00':r=25"),
  ].join(",");
  const raw = `-f rawvideo -pix_fmt rgb24 -s ${width}x${height} -r 25 -i -`;
  await ffmpeg(
    [...words(raw), "-vf", `${captions},format=yuv420p`, ...words("-c:v ffv1 loop.mkv")],
    async (writer) => {
      for (let frame = 0; frame < loopFrames; frame++) {
        await writer.write(new Uint8Array(drawFrame(frame).buffer as ArrayBuffer));
      }
    },
  );
  const encode =
    "-i loop.mkv -c:v libx264 -profile:v main -level 3.1 -refs 4 -preset veryslow -b:v 690k -maxrate 1000k " +
    `-bufsize 1000k -g ${segmentFrames} -keyint_min ${segmentFrames} -sc_threshold 0 -bf 0 ` +
    "-flags +cgop -x264-params open-gop=0:aud=1 -colorspace smpte170m -color_primaries smpte170m " +
    "-color_trc smpte170m -color_range tv";
  await ffmpeg(words(`${encode} -pass 1 -f null -`));
  await ffmpeg(words(`${encode} -pass 2 loop.h264`));
}

/** Splits ADTS into its frames (ISO/IEC 13818-7 §6.2: `aac_frame_length` is 13 bits at bit 30). */
function adtsFrames(bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = (bytes[at + 3] & 3) << 11 | bytes[at + 4] << 3 | bytes[at + 5] >> 5;
    frames.push(bytes.subarray(at, at + length));
    at += length;
  }
  return frames;
}

/**
 * The tone: a soft bell with each pulse of light over a quiet chord, all of it periodic in the loop.
 * Three loops are encoded and the middle one taken, one frame late because the first frame an AAC
 * encoder puts out is priming: so the last frame overlaps into the first as if it had come before it.
 */
async function audio(): Promise<void> {
  // Whole numbers of cycles in 19.2 s (a multiple of 1/19.2 Hz), so the chord has no seam.
  const chord = [2112, 3168, 4224].map((cycles) => `0.014*sin(2*PI*${cycles}/19.2*t)`).join("+");
  const beat = "mod(t,0.96)";
  const bell = `0.11*exp(-7*${beat})*sin(2*PI*880*${beat})*min(1,${beat}*300)`;
  await ffmpeg([
    ...["-f", "lavfi", "-i", `aevalsrc='${chord}+${bell}':s=48000:d=57.7`],
    ...words("-c:a aac -b:a 64k -ac 2 three.aac"),
  ]);
  const frames = adtsFrames(Deno.readFileSync(`${work}/three.aac`));
  const loop = segments * segmentAudioFrames;
  const middle = frames.slice(loop + 1, 2 * loop + 1);
  Deno.writeFileSync(
    `${work}/loop.aac`,
    new Uint8Array(await new Blob(middle as Uint8Array<ArrayBuffer>[]).arrayBuffer()),
  );
}

/** Cuts a fragmented MP4 into its header and its fragments (`moof` with its `mdat`). */
function cutFragments(bytes: Uint8Array): { header: Uint8Array; fragments: Uint8Array[] } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const starts: number[] = [];
  let end = 0;
  for (let at = 0; at < bytes.length; at += view.getUint32(at)) {
    const type = new TextDecoder().decode(bytes.subarray(at + 4, at + 8));
    if (type === "moof") starts.push(at);
    if (type === "mdat") end = at + view.getUint32(at);
  }
  const fragments = starts.map((start, index) => bytes.subarray(start, starts[index + 1] ?? end));
  return { header: bytes.subarray(0, starts[0]), fragments };
}

async function segment(): Promise<void> {
  const [h264, aac] = ["-r 25 -i loop.h264", "-i loop.aac"];
  await ffmpeg([
    ...words(`${h264} ${aac} -c copy -f hls -hls_time ${segmentSeconds} -hls_list_size 0`),
    ...["-metadata", "service_name=Downlink One", "-metadata", "service_provider=Downlink"],
    ...words("-hls_segment_filename seg-%02d.ts ts.m3u8"),
  ]);
  const flags = "-movflags +empty_moov+default_base_moof+cmaf";
  await ffmpeg(
    words(`${h264} -c copy -video_track_timescale 90000 ${flags}+frag_keyframe video.mp4`),
  );
  // By way of a plain MP4: a fragmented one is begun before ADTS has shown its decoder configuration.
  await ffmpeg(words(`${aac} -c copy -bsf:a aac_adtstoasc loop.m4a`));
  await ffmpeg(words(`-i loop.m4a -c copy ${flags} -frag_duration 1920000 audio.mp4`));
  for (const name of ["video", "audio"]) {
    const { header, fragments } = cutFragments(Deno.readFileSync(`${work}/${name}.mp4`));
    Deno.writeFileSync(`${clip}${name}-init.mp4`, header);
    fragments.forEach((bytes, index) => {
      Deno.writeFileSync(`${clip}${name}-${String(index).padStart(2, "0")}.m4s`, bytes);
    });
  }
  for (let index = 0; index < segments; index++) {
    const name = `seg-${String(index).padStart(2, "0")}.ts`;
    Deno.copyFileSync(`${work}/${name}`, `${clip}${name}`);
  }
}

Deno.mkdirSync(clip, { recursive: true });
try {
  await video();
  await audio();
  await segment();
} finally {
  Deno.removeSync(work, { recursive: true });
}
