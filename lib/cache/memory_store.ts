/**
 * A {@link Store} in memory: bounded in bytes, each body in one piece.
 *
 * @module
 */

import { type Joined, JoinedBody } from "./joined_body.ts";
import { S3Fifo } from "./s3_fifo.ts";
import type { Store, StoredEntry, StoredResponse, StoreWriter } from "./store.ts";

/** An object above this share of the budget is not admitted: it would push out too many others. */
export const largestShare: number = 0.25;

/** What an entry costs beside its text and its body, in bytes: objects, map slots, links. */
const entryOverheadBytes = 512;

/** Largest piece that `read` yields, in bytes. */
const pieceBytes = 256 * 1024;

/** A larger body is never copied behind a head: the copy would hold up other clients. */
const largestJoinedBytes = 4 * 1024 * 1024;

/** A store in memory, with what a tier below needs of it. */
export interface MemoryStore extends Store {
  /** Stores an object at once; `undefined` when it was not admitted. Takes ownership of `body`. */
  put(response: StoredResponse, body: Uint8Array): StoredEntry | undefined;
  /** Returns whether it made a difference: what is used all the time is known to be. */
  touch(entry: StoredEntry): boolean;
}

/**
 * Makes a store in memory.
 *
 * @param options `budgetBytes` bounds bodies and heads together.
 */
export function memoryStore({ budgetBytes }: { budgetBytes: number }): MemoryStore {
  if (!(budgetBytes >= 0)) {
    throw new RangeError(
      `Cannot make a memory store: need 0 bytes or more: received ${budgetBytes}`,
    );
  }
  return new OpenMemoryStore(budgetBytes);
}

/** Returns an entry that no store holds: a body in memory under a head. */
export function memoryEntry(response: StoredResponse, body: Uint8Array): StoredEntry {
  return new MemoryEntry(response, body);
}

class OpenMemoryStore implements MemoryStore {
  readonly #order = new S3Fifo<MemoryEntry>();
  /** Variants by key, newest first. The arrays are never changed, so that callers may keep them. */
  readonly #byKey = new Map<string, readonly MemoryEntry[]>();

  constructor(readonly budgetBytes: number) {}

  get usedBytes(): number {
    return this.#order.weightBytes;
  }

  get count(): number {
    return this.#order.count;
  }

  find(key: string): readonly StoredEntry[] {
    return this.#byKey.get(key) ?? none;
  }

  touch(entry: StoredEntry): boolean {
    return this.#order.touch(entry as MemoryEntry);
  }

  put(response: StoredResponse, body: Uint8Array): StoredEntry | undefined {
    if (body.length > this.#limitBytes(response)) return undefined;
    const entry = new MemoryEntry(response, body);
    this.#admit(entry);
    return entry;
  }

  open(response: StoredResponse, expectedBytes = 0): StoreWriter {
    const limitBytes = this.#limitBytes(response);
    return new MemoryWriter(response, {
      limitBytes,
      refused: expectedBytes > limitBytes,
      admit: (entry) => this.#admit(entry),
    });
  }

  update(entry: StoredEntry, response: StoredResponse): Promise<StoredEntry> {
    const old = entry as MemoryEntry;
    const updated = new MemoryEntry(response, old.memory, old.joined);
    if (this.#order.has(old)) {
      this.#order.replace(old, updated, weightOf(updated));
      this.#unlist(old);
      this.#list(updated);
      this.#makeRoom();
    }
    return Promise.resolve(updated);
  }

  remove(entry: StoredEntry): void {
    const old = entry as MemoryEntry;
    if (this.#order.delete(old)) this.#unlist(old);
  }

  entries(): Iterable<StoredEntry> {
    return this.#order.values();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Largest body that is admitted under this head. */
  #limitBytes(response: StoredResponse): number {
    return this.budgetBytes * largestShare - headBytes(response);
  }

  #admit(entry: MemoryEntry): void {
    const { key, variant } = entry.response;
    const former = this.find(key).find(({ response }) => response.variant === variant);
    if (former !== undefined) this.remove(former);
    this.#order.add(entry, { identity: `${key}\n${variant}`, weightBytes: weightOf(entry) });
    this.#list(entry);
    this.#makeRoom();
  }

  #makeRoom(): void {
    while (this.#order.weightBytes > this.budgetBytes) {
      const evicted = this.#order.evict();
      if (evicted === undefined) return;
      this.#unlist(evicted);
    }
  }

  #list(entry: MemoryEntry): void {
    const { key, variant } = entry.response;
    const others = (this.#byKey.get(key) ?? []).filter(({ response }) =>
      response.variant !== variant
    );
    this.#byKey.set(key, [entry, ...others]);
  }

  #unlist(entry: MemoryEntry): void {
    const { key } = entry.response;
    const rest = (this.#byKey.get(key) ?? []).filter((other) => other !== entry);
    if (rest.length === 0) this.#byKey.delete(key);
    else this.#byKey.set(key, rest);
  }
}

const none: readonly StoredEntry[] = [];

class MemoryEntry implements StoredEntry {
  readonly response: StoredResponse;
  #memory: Uint8Array;
  #joined: JoinedBody | undefined;

  constructor(response: StoredResponse, memory: Uint8Array, joined?: JoinedBody) {
    this.response = response;
    this.#memory = memory;
    this.#joined = joined;
  }

  get memory(): Uint8Array {
    return this.#memory;
  }

  /** The body with its head, once it was asked for; another head under the same body shares it. */
  get joined(): JoinedBody | undefined {
    return this.#joined;
  }

  join(head: Uint8Array): Joined | undefined {
    if (this.#memory.length > largestJoinedBytes) return undefined;
    if (!this.#joined?.fits(head)) {
      // The former copy is given up as soon as those who read it now have done so.
      this.#joined = new JoinedBody(this.#memory, head.length);
      this.#memory = this.#joined.body;
    }
    return this.#joined.under(head);
  }

  get bodyBytes(): number {
    return this.memory.length;
  }

  read(start: number, end: number): ReadableStream<Uint8Array> {
    let position = start;
    return new ReadableStream<Uint8Array>({
      pull: (controller) => {
        const upTo = Math.min(position + pieceBytes, end, this.memory.length);
        if (upTo > position) controller.enqueue(this.memory.subarray(position, upTo));
        position = upTo;
        if (position >= Math.min(end, this.memory.length)) controller.close();
      },
    }, { highWaterMark: 0 });
  }
}

interface MemoryWriterOptions {
  /** Largest body that is admitted. */
  readonly limitBytes: number;
  /** It is known already that the body is larger. */
  readonly refused: boolean;
  readonly admit: (entry: MemoryEntry) => void;
}

class MemoryWriter implements StoreWriter {
  readonly #response: StoredResponse;
  readonly #options: MemoryWriterOptions;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #state: "open" | "refused" | "ended" = "open";

  constructor(response: StoredResponse, options: MemoryWriterOptions) {
    this.#response = response;
    this.#options = options;
    if (options.refused || options.limitBytes < 0) this.#state = "refused";
  }

  write(chunk: Uint8Array): void {
    if (this.#state !== "open") return;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#options.limitBytes) this.#give("refused");
    else this.#chunks.push(chunk);
  }

  commit(response: StoredResponse = this.#response): Promise<StoredEntry | undefined> {
    if (this.#state !== "open") return Promise.resolve(undefined);
    const entry = new MemoryEntry(response, wholeBody(this.#chunks, this.#bytes));
    this.#give("ended");
    this.#options.admit(entry);
    return Promise.resolve(entry);
  }

  abort(): Promise<void> {
    this.#give("ended");
    return Promise.resolve();
  }

  #give(state: "refused" | "ended"): void {
    this.#state = state;
    this.#chunks = [];
  }
}

/** Returns `bytes` in one piece that pins no larger buffer than itself. */
export function wholeBody(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const [only] = chunks;
  if (chunks.length === 1 && only.buffer.byteLength === bytes) return only;
  const whole = new Uint8Array(bytes);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

function weightOf({ response, memory }: MemoryEntry): number {
  return memory.length + headBytes(response);
}

function headBytes({ key, variant, fields, tags }: StoredResponse): number {
  let characters = 2 * key.length + variant.length;
  for (const [name, value] of fields) characters += name.length + value.length;
  for (const tag of tags) characters += tag.length;
  // Once as text and once as octets before the body.
  return entryOverheadBytes + 2 * characters + 64 * (fields.length + tags.length);
}
