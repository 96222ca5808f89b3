/**
 * Streams ranges of objects from the disk, each block verified before a byte of it is given.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { BufferLender } from "./buffer_lender.ts";
import { type DiskFaultReason, DiskReadError, isNoDescriptor } from "./disk_fault.ts";
import { type DiskFiles, readAt, readAtOnce } from "./disk_files.ts";
import type { DiskObject, ObjectReads } from "./disk_object.ts";
import type { DiskQueue } from "./disk_queue.ts";
import { blockBytes, decodeTail } from "./disk_record.ts";
import type { DiskWarmth } from "./disk_warmth.ts";
import type { LentBody } from "./store.ts";

/** So many blocks are read and given at once. */
const spanBytes = 4 * blockBytes;

/** What a {@linkcode DiskReader} needs. */
export interface DiskReaderOptions {
  readonly files: DiskFiles;
  readonly queue: DiskQueue;
  /** Which objects are read at once; without it none. */
  readonly warmth?: DiskWarmth;
  /** A stream on it ended: its last reader may have gone. */
  readonly onReleased: (object: DiskObject) => void;
  /** It cannot be read as it was written. */
  readonly onBroken: (object: DiskObject, error: DiskReadError) => void;
}

/** Opens streams. A file is open only while one span is read from it, however slow the client. */
export class DiskReader implements ObjectReads {
  readonly #options: DiskReaderOptions;
  readonly #lender = new BufferLender();

  constructor(options: DiskReaderOptions) {
    this.#options = options;
  }

  /**
   * Opens a stream on `[start, end)`.
   *
   * @throws {RangeError} when the range is not within the body.
   */
  stream(object: DiskObject, start: number, end: number): ReadableStream<Uint8Array> {
    if (!(start >= 0 && start <= end && end <= object.bodyBytes)) {
      throw new RangeError(
        `Cannot read body: a range within ${object.bodyBytes} bytes: received ${start} to ${end}`,
      );
    }
    let at = start;
    let open = true;
    object.readers++;
    const release = () => {
      if (!open) return;
      open = false;
      object.readers--;
      this.#options.onReleased(object);
    };
    return new ReadableStream<Uint8Array>({
      pull: (controller) => {
        const give = (bytes: Uint8Array | undefined) => {
          if (!open) return; // cancelled meanwhile
          if (bytes !== undefined) controller.enqueue(bytes);
          at += bytes?.length ?? 0;
          if (at < end) return;
          release();
          controller.close();
        };
        const fail = (error: unknown) => {
          if (!open) return; // the file may go when its last reader has gone
          release();
          throw this.#broken(object, error);
        };
        if (at === end) return give(undefined);
        try {
          const bytes = this.#spanAtOnce(object, at, end);
          if (bytes !== undefined) return give(bytes);
        } catch (error) {
          return fail(error);
        }
        return this.#span(object, at, end).then(give, fail);
      },
      cancel: release,
    });
  }

  now(object: DiskObject): LentBody | undefined {
    const { bodyBytes } = object;
    const { warmth } = this.#options;
    if (object.checksums === undefined || !warmth?.has(object, performance.now())) return undefined;
    const lent = this.#lender.lend(bodyBytes);
    if (lent === undefined) return undefined;
    try {
      const bytes = this.#readAtOnce(object, 0, lent.bytes, warmth);
      return { bytes, done: lent.done };
    } catch (error) {
      lent.done(true);
      this.#broken(object, error);
    }
  }

  /** Reads and verifies the blocks from `start` on, and gives the bytes from `start` to at most `end`. */
  #span(object: DiskObject, start: number, end: number): Promise<Uint8Array> {
    const { files, queue, warmth } = this.#options;
    return queue.run(async () => {
      const path = files.object(object.name);
      object.checksums ??= await loadChecksums(path, object);
      const { from, length } = blocksOf(object, start, end);
      const bytes = verified(await readAt(path, from, length), { object, from, length, path });
      warmth?.saw(object, length);
      return bytes.subarray(start - from, Math.min(end - from, length));
    });
  }

  /** The same without a wait, where that waits for no disk; else `undefined`. */
  #spanAtOnce(object: DiskObject, start: number, end: number): Uint8Array | undefined {
    const { warmth } = this.#options;
    if (object.checksums === undefined || !warmth?.has(object, performance.now())) return undefined;
    const { from, length } = blocksOf(object, start, end);
    const bytes = this.#readAtOnce(object, from, new Uint8Array(length), warmth);
    return bytes.subarray(start - from, Math.min(end - from, length));
  }

  #readAtOnce(
    object: DiskObject,
    from: number,
    into: Uint8Array<ArrayBuffer>,
    warmth: DiskWarmth,
  ): Uint8Array {
    const sinceMs = performance.now();
    const path = this.#options.files.object(object.name);
    const read = readAtOnce(path, from, into);
    const bytes = verified(read, { object, from, length: into.length, path });
    const nowMs = performance.now();
    warmth.took(nowMs - sinceMs, nowMs);
    warmth.saw(object, into.length);
    return bytes;
  }

  #broken(object: DiskObject, error: unknown): DiskReadError {
    const broken = error instanceof DiskReadError ? error : readError(object, error);
    this.#options.onBroken(object, broken);
    return broken;
  }
}

/** The blocks that hold a span from `start` to at most `end`. */
function blocksOf(object: DiskObject, start: number, end: number) {
  const from = start - start % blockBytes;
  const until = Math.min(from + spanBytes, Math.ceil(end / blockBytes) * blockBytes);
  return { from, length: Math.min(until, object.bodyBytes) - from };
}

/** Returns the bytes of blocks when they are those that were written. */
function verified(
  bytes: Uint8Array,
  { object, from, length, path }: {
    readonly object: DiskObject;
    readonly from: number;
    readonly length: number;
    readonly path: string;
  },
): Uint8Array {
  if (bytes.length !== length) throw cutShort(path);
  let block = from / blockBytes;
  for (let at = 0; at < length; at += blockBytes, block++) {
    if (crc32(bytes.subarray(at, at + blockBytes)) !== object.checksums?.[block]) {
      throw new DiskReadError(
        "bad_checksum",
        `Cannot read block ${block}: the bytes that were written: received others from ${path}`,
      );
    }
  }
  return bytes;
}

/** Reads the checksums of a file and makes sure that it is the file of this object. */
async function loadChecksums(path: string, object: DiskObject): Promise<Uint32Array> {
  const bytes = await readAt(path, object.bodyBytes, object.fileBytes - object.bodyBytes + 1);
  const fileBytes = object.bodyBytes + bytes.length;
  if (fileBytes !== object.fileBytes) throw cutShort(path);
  const tail = decodeTail(bytes, fileBytes);
  if (typeof tail === "string" || tail.footer.generation !== object.generation) {
    const what = typeof tail === "string" ? tail : "another object";
    throw new DiskReadError("bad_record", `Cannot read ${path}: its own footer: received ${what}`);
  }
  return tail.checksums;
}

function cutShort(path: string): DiskReadError {
  return new DiskReadError(
    "bad_record",
    `Cannot read ${path}: as many bytes as were written: received another number`,
  );
}

function readError(object: DiskObject, error: unknown): DiskReadError {
  const message = `Cannot read ${object.name}: a file that can be read: received ${error}`;
  return new DiskReadError(reasonOf(error), message, { cause: error });
}

function reasonOf(error: unknown): DiskFaultReason {
  if (error instanceof Deno.errors.NotFound) return "vanished";
  return isNoDescriptor(error) ? "no_descriptors" : "read_failed";
}
