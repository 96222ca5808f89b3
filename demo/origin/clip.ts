/**
 * The clip of the channel "Downlink One", read from `demo/clip/` once at start. The only file here
 * that touches the disk.
 *
 * @module
 */

/** One CMAF track: its header and the fragments of one loop. */
export interface ClipTrack {
  readonly init: Uint8Array;
  readonly fragments: readonly Uint8Array[];
}

/** One loop of the channel; every list has the same length. */
export interface Clip {
  readonly transportStream: readonly Uint8Array[];
  readonly video: ClipTrack;
  readonly audio: ClipTrack;
}

const segments = 10;

function read(folder: URL, name: string): Promise<Uint8Array> {
  return Deno.readFile(new URL(name, folder));
}

function readLoop(folder: URL, stem: string, extension: string): Promise<Uint8Array[]> {
  const names = Array.from(
    { length: segments },
    (_, index) => `${stem}-${String(index).padStart(2, "0")}.${extension}`,
  );
  return Promise.all(names.map((name) => read(folder, name)));
}

async function readTrack(folder: URL, stem: string): Promise<ClipTrack> {
  const [init, fragments] = await Promise.all([
    read(folder, `${stem}-init.mp4`),
    readLoop(folder, stem, "m4s"),
  ]);
  return { init, fragments };
}

/** Reads the clip, about 4 MB. */
export async function readClip(folder = new URL("../clip/", import.meta.url)): Promise<Clip> {
  const [transportStream, video, audio] = await Promise.all([
    readLoop(folder, "seg", "ts"),
    readTrack(folder, "video"),
    readTrack(folder, "audio"),
  ]);
  return { transportStream, video, audio };
}
