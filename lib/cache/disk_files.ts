/**
 * The disk store's directory and the file operations on it.
 *
 *     objects/<2 hex digits>/<hash of key and variant>-<generation>    one whole object each
 *     unfinished/<number>                                              being written
 *     journal                                                          heads and recency
 *     lock                                                             held by the one that has it open
 *
 * A file gets its name under `objects` only when it is whole, and is never written to again.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** Where an object's file is, from its name. */
export interface ObjectName {
  readonly name: string;
  readonly generation: number;
}

const objectName = /^[0-9a-f]{32}-([0-9a-f]{12})$/;
const fanOutName = /^[0-9a-f]{2}$/;
const unfinishedName = /^\d+$/;

/** Returns the file name for an object: the same key and variant always give the same first part. */
export function nameFor(key: string, variant: string, generation: number): string {
  const hash = createHash("sha256").update(key).update("\0").update(variant).digest("hex");
  return `${hash.slice(0, 32)}-${generation.toString(16).padStart(12, "0")}`;
}

/** Returns the parts of a name that {@linkcode nameFor} made, `undefined` for any other. */
export function parseName(name: string): ObjectName | undefined {
  const match = objectName.exec(name);
  return match === null ? undefined : { name, generation: parseInt(match[1], 16) };
}

/** A directory that one store has to itself. */
export class DiskFiles {
  readonly #dir: string;
  #lock: Deno.FsFile | undefined;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Where the journal is. */
  get journal(): string {
    return `${this.#dir}/journal`;
  }

  /** Path of a whole object. */
  object(name: string): string {
    return `${this.#dir}/objects/${name.slice(0, 2)}/${name}`;
  }

  /** Path of an object that is being written. */
  unfinished(id: number): string {
    return `${this.#dir}/unfinished/${id}`;
  }

  /**
   * Makes the directory and takes its lock, which a dead process cannot hold.
   *
   * @throws {Error} when another store has it open, or the system refuses.
   */
  async claim(waitMs: number): Promise<void> {
    await this.#makeDirectories();
    const file = await Deno.open(`${this.#dir}/lock`, { create: true, write: true });
    const taken = file.lock(true).then(() => true);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<false>((resolve) => timer = setTimeout(resolve, waitMs, false));
    const claimed = await Promise.race([taken, late]);
    clearTimeout(timer);
    if (!claimed) {
      void taken.then(() => file.close()); // let go of it when it comes too late
      throw new Error("in use by another store");
    }
    this.#lock = file;
  }

  /** Lets another store have the directory. */
  release(): void {
    this.#lock?.close();
    this.#lock = undefined;
  }

  async #makeDirectories(): Promise<void> {
    await Deno.mkdir(`${this.#dir}/objects`, { recursive: true });
    await Deno.mkdir(`${this.#dir}/unfinished`, { recursive: true });
  }

  /** Removes what was being written when the last process ended. */
  async removeUnfinished(): Promise<void> {
    for await (const { name, isFile } of Deno.readDir(`${this.#dir}/unfinished`)) {
      if (isFile && unfinishedName.test(name)) await Deno.remove(`${this.#dir}/unfinished/${name}`);
    }
  }

  /** Removes all objects, and what the journal says of them. */
  async removeObjects(): Promise<void> {
    await Deno.remove(`${this.#dir}/objects`, { recursive: true });
    await removeFile(this.journal);
    await this.#makeDirectories();
  }

  /** Lists the files that may be objects; tells of any other that it meets. */
  async listObjects(foreign: (path: string) => void): Promise<ObjectName[]> {
    const names: ObjectName[] = [];
    const root = `${this.#dir}/objects`;
    for await (const folder of Deno.readDir(root)) {
      if (!folder.isDirectory || !fanOutName.test(folder.name)) {
        foreign(`${root}/${folder.name}`);
        continue;
      }
      for (const file of Deno.readDirSync(`${root}/${folder.name}`)) { // a third of the time
        const name = file.isFile ? parseName(file.name) : undefined;
        if (name?.name.startsWith(folder.name)) names.push(name);
        else foreign(`${root}/${folder.name}/${file.name}`);
      }
    }
    return names;
  }

  /** Opens the file of an object that is being written, for appending. */
  async openUnfinished(id: number): Promise<Deno.FsFile> {
    const open = () => Deno.open(this.unfinished(id), { create: true, write: true, append: true });
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      await this.#makeDirectories(); // someone emptied the directory while we had it
      return await open();
    }
  }

  /** Gives an object that is whole its place among the others. */
  async publish(id: number, name: string): Promise<void> {
    const rename = () => Deno.rename(this.unfinished(id), this.object(name));
    try {
      await rename();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      await Deno.mkdir(`${this.#dir}/objects/${name.slice(0, 2)}`, { recursive: true });
      await rename();
    }
  }
}

/** Removes a file; one that is gone already is fine. */
export async function removeFile(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Reads `length` bytes from `offset` into a buffer of their own.
 *
 * @returns Fewer bytes only where the file ends.
 */
export async function readAt(
  path: string,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  using file = await Deno.open(path, { read: true });
  if (offset > 0) await file.seek(offset, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const read = await file.read(bytes.subarray(filled));
    if (read === null) return bytes.subarray(0, filled);
    filled += read;
  }
  return bytes;
}

/** As {@linkcode readAt}, at once: for what is in memory already. Fills `into`, or up to the file's end. */
export function readAtOnce(
  path: string,
  offset: number,
  into: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  using file = Deno.openSync(path, { read: true });
  if (offset > 0) file.seekSync(offset, Deno.SeekMode.Start);
  let filled = 0;
  while (filled < into.length) {
    const read = file.readSync(into.subarray(filled));
    if (read === null) break;
    filled += read;
  }
  return into.subarray(0, filled);
}

/** Reads the last bytes of a file, as many as `buffer` takes, and how long the file is. */
export async function readEnd(
  path: string,
  buffer: Uint8Array<ArrayBuffer>,
): Promise<{ end: Uint8Array<ArrayBuffer>; fileBytes: number }> {
  using file = await Deno.open(path, { read: true });
  const { size: fileBytes } = file.statSync(); // opening has brought it
  const length = Math.min(fileBytes, buffer.length);
  file.seekSync(fileBytes - length, Deno.SeekMode.Start);
  let filled = 0;
  while (filled < length) {
    const read = await file.read(buffer.subarray(filled, length));
    if (read === null) break;
    filled += read;
  }
  return { end: buffer.subarray(0, filled), fileBytes };
}
