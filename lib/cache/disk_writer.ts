/**
 * Writes one object to the disk while it arrives.
 *
 * @module
 */

import type { DiskBacklog } from "./disk_backlog.ts";
import { type DiskFaultReason, isNoDescriptor, isNoSpace } from "./disk_fault.ts";
import { type DiskFiles, nameFor, removeFile } from "./disk_files.ts";
import { chargeFor, DiskObject } from "./disk_object.ts";
import type { DiskQueue } from "./disk_queue.ts";
import { BlockChecksums, encodeTail } from "./disk_record.ts";
import type { StoredEntry, StoredResponse, StoreWriter } from "./store.ts";

/** So much is gathered before it is written, so that small chunks do not cost a call each. */
const flushBytes = 256 * 1024;
/** How often a write is tried again after room was made on a full disk. */
const fullDiskRetries = 3;

/** What writers share with the store. */
export interface WriterHome {
  readonly files: DiskFiles;
  readonly queue: DiskQueue;
  readonly budgetBytes: number;
  readonly backlog: DiskBacklog;
  /** Whether a file is forced to the disk before it is given its name. */
  readonly durable: boolean;
  /** The next unused generation: objects committed later have a higher one. */
  takeGeneration(): number;
  /** Makes room and takes it; `false` when there is none to be made. */
  reserve(bytes: number): boolean;
  /** Gives back what {@linkcode reserve} took. */
  unreserve(bytes: number): void;
  /** Evicts to free that many bytes of a disk that is full. */
  freeDisk(bytes: number): Promise<void>;
  /** Takes a whole object whose bytes are reserved. */
  adopt(object: DiskObject, response: StoredResponse): StoredEntry;
  /** So many bytes of a file were written. */
  onWritten(bytes: number): void;
  onFault(reason: DiskFaultReason, detail: string): void;
  onClosed(writer: DiskWriter): void;
}

/** A writer that has failed takes chunks and forgets them. */
export class DiskWriter implements StoreWriter {
  readonly #home: WriterHome;
  /** Names its file until that is whole. */
  readonly #id: number;
  #response: StoredResponse;
  #state: "open" | "failed" | "closed" = "open";
  #pieces: Uint8Array[] = [];
  #gatheredBytes = 0;
  #bodyBytes = 0;
  #reservedBytes = 0;
  readonly #checksums = new BlockChecksums();
  /** Everything that was given to the disk so far; never rejects. */
  #work: Promise<void> = Promise.resolve();
  /** Where what was written so far is; `undefined` before there is a file. */
  #path: string | undefined;
  #committing = false;
  #withdrawn = false;

  constructor(
    home: WriterHome,
    id: number,
    response: StoredResponse,
    expectedBytes: number | undefined,
  ) {
    this.#home = home;
    this.#id = id;
    this.#response = response;
    if (expectedBytes !== undefined && expectedBytes > home.budgetBytes) this.#fail("too_large");
  }

  /** Returns a promise when the disk is behind; to wait for it keeps the object from being refused. */
  write(chunk: Uint8Array): void | Promise<void> {
    if (this.#state !== "open" || chunk.length === 0) return;
    const { backlog, budgetBytes } = this.#home;
    if (backlog.full) return this.#fail("queue_full");
    this.#bodyBytes += chunk.length;
    if (this.#bodyBytes > budgetBytes) return this.#fail("too_large");
    this.#pieces.push(chunk);
    this.#gather(chunk.length);
    if (this.#gatheredBytes >= flushBytes || backlog.crowded) this.#flush();
    if (backlog.slow) return backlog.drained();
  }

  async commit(response: StoredResponse = this.#response): Promise<StoredEntry | undefined> {
    this.#response = response;
    const object = this.#finish(response);
    this.#committing = object !== undefined;
    await this.#work;
    this.#committing = false;
    if (object === undefined || this.#state !== "open" || this.#withdrawn) {
      await this.abort();
      return undefined;
    }
    this.#state = "closed";
    const entry = this.#home.adopt(object, response);
    this.#home.onClosed(this);
    return entry;
  }

  /** Also while `commit` is under way: it then returns `undefined`. */
  async abort(): Promise<void> {
    this.#withdrawn = true;
    if (this.#state === "open" && !this.#committing) {
      this.#state = "closed";
      this.#drop();
    }
    await this.#work;
  }

  /** Ends an object that will not be admitted. */
  #fail(reason: DiskFaultReason, detail: string = this.#response.key): void {
    if (this.#state !== "open") return;
    this.#state = "failed";
    this.#drop();
    this.#home.onFault(reason, detail);
  }

  /** Gives back the memory now, and the disk's bytes when what is under way has ended. */
  #drop(): void {
    this.#forgetPieces();
    this.#work = this.#work.then(async () => {
      if (this.#path !== undefined) await this.#removeFile(this.#path);
      this.#home.unreserve(this.#reservedBytes);
      this.#home.onClosed(this);
    });
  }

  async #removeFile(path: string): Promise<void> {
    const { queue, onFault } = this.#home;
    await queue.run(() => removeFile(path))
      .catch((error) => onFault("write_failed", String(error)));
  }

  #gather(bytes: number): void {
    this.#gatheredBytes += bytes;
    this.#home.backlog.gather(bytes);
  }

  #forgetPieces(): void {
    this.#pieces = [];
    this.#gather(-this.#gatheredBytes);
  }

  /** Hands what was gathered to the disk. */
  #flush(): void {
    if (!this.#reserve(this.#gatheredBytes)) return;
    for (const piece of this.#pieces) this.#checksums.add(piece);
    this.#append(this.#pieces.length === 1 ? this.#pieces[0] : concatenate(this.#pieces));
    this.#forgetPieces();
  }

  /** Hands the rest, the checksums and the head to the disk, and gives the whole its name. */
  #finish(response: StoredResponse): DiskObject | undefined {
    if (this.#state !== "open") return undefined;
    for (const piece of this.#pieces) this.#checksums.add(piece);
    const { values } = this.#checksums;
    const generation = this.#home.takeGeneration();
    const tail = encodeTail(generation, this.#bodyBytes, values, response);
    if (tail === undefined) {
      this.#fail("too_large", `head of ${response.key}`);
      return undefined;
    }
    const fileBytes = this.#bodyBytes + tail.length;
    if (!this.#reserve(chargeFor(fileBytes) - this.#reservedBytes)) return undefined;
    this.#append(concatenate([...this.#pieces, tail]), fileBytes);
    this.#forgetPieces();
    const name = nameFor(response.key, response.variant, generation);
    this.#publish(name);
    return new DiskObject(name, generation, this.#bodyBytes, fileBytes);
  }

  #reserve(bytes: number): boolean {
    if (this.#home.reserve(bytes)) {
      this.#reservedBytes += bytes;
      return true;
    }
    this.#fail(this.#bodyBytes > this.#home.budgetBytes ? "too_large" : "no_room");
    return false;
  }

  /** @param fileBytes With the last bytes, how long the file must be then. */
  #append(bytes: Uint8Array, fileBytes?: number): void {
    const { backlog, queue } = this.#home;
    backlog.queue(bytes.length);
    this.#then(() => queue.run(() => this.#appendNow(bytes, fileBytes)));
    this.#work = this.#work.then(() => backlog.settle(bytes.length));
  }

  #publish(name: string): void {
    const { files, queue } = this.#home;
    this.#then(async () => {
      await queue.run(() => files.publish(this.#id, name));
      this.#path = files.object(name);
    });
  }

  #then(work: () => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      if (this.#state === "open") await work();
    }).catch((error) => {
      this.#fail(reasonOf(error), String(error));
    });
  }

  async #appendNow(bytes: Uint8Array, fileBytes: number | undefined): Promise<void> {
    let written = 0;
    for (let tries = 0;; tries++) {
      try {
        using file = await this.#home.files.openUnfinished(this.#id);
        this.#path = this.#home.files.unfinished(this.#id);
        while (written < bytes.length) {
          const more = await file.write(bytes.subarray(written));
          this.#home.onWritten(more);
          written += more;
        }
        if (fileBytes !== undefined) await this.#settleFile(file, fileBytes);
        return;
      } catch (error) {
        if (!isNoSpace(error) || tries === fullDiskRetries) throw error;
        await this.#home.freeDisk(bytes.length - written);
      }
    }
  }

  async #settleFile(file: Deno.FsFile, fileBytes: number): Promise<void> {
    const { size } = await file.stat();
    if (size !== fileBytes) {
      throw new Error(`Cannot finish object: a file of ${fileBytes} bytes: received ${size}`);
    }
    if (this.#home.durable) await file.syncData();
  }
}

function reasonOf(error: unknown): DiskFaultReason {
  if (isNoSpace(error)) return "disk_full";
  return isNoDescriptor(error) ? "no_descriptors" : "write_failed";
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((bytes, piece) => bytes + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
