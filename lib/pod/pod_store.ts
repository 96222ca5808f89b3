/**
 * ATS or Varnish in the same pod as a {@link Store}: memory for what is small and used, the store for
 * everything.
 *
 * The index is the store's: it is asked (`recall`) when memory has nothing. Whatever it answers with
 * carries the head that this node gave it, with the purge sequence and the tags, so that the cache
 * judges it as it judges anything stored, before a byte goes out.
 *
 * - An object that was replaced, removed or handed over in part is known by the number of its write,
 *   and is not believed when the store shows it all the same.
 * - A head that changes while the bytes stay (304) is kept here; when it is forgotten, so is the object.
 * - A store that does not answer is left alone for a moment; requests go to the next hop.
 *
 * @module
 */

import {
  memoryEntry,
  type MemoryStore,
  memoryStore,
  type NextHop,
  type NextHopResponse,
  type Recall,
  type Recalled,
  type Store,
  type StoredEntry,
  type StoredResponse,
  type StoreWriter,
  variantKey,
} from "#cache";
import { type ByteRange, type Fields, fieldValue, parseContentRange } from "#http";
import { BoundedMap } from "./bounded_map.ts";
import type { Handover, Offer } from "./handover.ts";
import { readWhole } from "./joined.ts";
import { LargeHandover } from "./large_handover.ts";
import { type OpenBody, PodEntry, type PodEntryHome } from "./pod_entry.ts";
import { type LargeWriter, PodWriter, type WriterHome } from "./pod_writer.ts";
import { restOf } from "./rest.ts";
import { SmallQueue } from "./small_queue.ts";
import { readStoreFields, storeFields } from "./store_head.ts";
import type { StoreLink } from "./store_link.ts";
import { chosenBy, storePath, varyOf } from "./store_path.ts";

/** What a pod store needs. */
export interface PodStoreOptions {
  readonly link: StoreLink;
  readonly handover: Handover;
  /** Memory for small objects that are used, in bytes. */
  readonly memoryBytes: number;
  /** Names everything that was kept under it, see {@link storePath}. */
  readonly epoch: string;
  /** Called when what was kept so far may not be used any more: the epoch has to be kept. */
  readonly onEpoch?: (epoch: string) => void;
  /** Where the rest of a body comes from that the store loses while it is read. */
  readonly nextHop?: NextHop;
  /** Whether a purge took a response: its removal then only frees memory here. */
  readonly isGone?: (response: StoredResponse) => boolean;
  /** The purge sequence that this node has applied. */
  readonly appliedSeq?: () => number;
  /** Shows nothing of what an earlier process left, until {@link PodStore.release}. */
  readonly holdBack?: boolean;
  /** How long a small object rests before it is handed over, in milliseconds; 2000 by default. */
  readonly restMs?: number;
  /** Told of each object by what became of it on its way to the store. */
  readonly onKept?: (result: KeptResult, place: KeptPlace | undefined) => void;
}

/** What became of an object on its way to the store; the words are metric labels. */
export type KeptResult = "kept" | "failed" | "queue_full" | "long_head" | "resting" | "given_up";

/** What is kept where, for those who remove it. */
export interface KeptPlace {
  readonly path: string;
  /** Which write it is. */
  readonly written: number;
  readonly response: StoredResponse;
}

/** Bodies up to that size are read from the store in one piece, in bytes. */
const wholeReadBytes = 4 * 2 ** 20;
/** Largest share of the memory that one object may take. */
const smallShare = 1 / 16;
/** Share of the memory for objects on their way to the store. */
const queueShare = 1 / 8;
const defaultRestMs = 2000;
/** So often the store is asked whether it shows what it was given: for half a second at most. */
const mostConfirming = 16;
/** So many of each are remembered: paths not to be believed, heads that changed, keys that vary. */
const remembered = 50_000;

const rangeField = /^bytes=(?:\d{1,15}-\d{0,15}|-\d{1,15})$/;

/** What a look at the store found. */
type Look =
  | { readonly kind: "nothing" }
  | { readonly kind: "entry"; readonly entry: StoredEntry };

/** A store in the same pod. `count`, `usedBytes` and `entries()` are of the memory alone. */
export class PodStore implements Store {
  readonly #options: PodStoreOptions;
  readonly #memory: MemoryStore;
  readonly #queue: SmallQueue;
  readonly #smallBytes: number;
  readonly #entryHome: PodEntryHome;
  readonly #writerHome: WriterHome;
  #epoch: string;
  #heldBack: boolean;
  #lastWritten = 0;
  /** Writes up to the number are not believed at a path, or for a key. */
  readonly #dead: BoundedMap<string, number>;
  /** Writes of which the end is not certain yet. */
  readonly #unfinished = new Set<number>();
  /** The last write at a path. */
  readonly #newest = new BoundedMap<string, number>(remembered);
  /** Large objects on their way. */
  readonly #arriving = new Set<Promise<void>>();
  readonly #heads: BoundedMap<string, { written: number; response: StoredResponse }>;
  readonly #varies = new BoundedMap<string, string>(remembered);
  readonly #shown = new Map<string, StoredEntry[]>();
  /** Where entries in memory came from that were read from the store whole. */
  readonly #origins = new WeakMap<StoredEntry, { path: string; written: number }>();
  /** What the store is still doing at a path: what is written there next waits for it. */
  readonly #busy = new Map<string, Promise<unknown>>();
  readonly #looking = new Map<string, Promise<Look | "large">>();

  constructor(options: PodStoreOptions) {
    const { memoryBytes, epoch, holdBack = false, restMs = defaultRestMs } = options;
    this.#options = options;
    this.#epoch = epoch;
    this.#heldBack = holdBack;
    this.#memory = memoryStore({ budgetBytes: memoryBytes * (1 - queueShare) });
    this.#smallBytes = Math.min(this.#memory.budgetBytes * smallShare, wholeReadBytes);
    this.#dead = new BoundedMap(remembered, () => this.discard());
    this.#heads = new BoundedMap(remembered, (path, { written }) => this.#bury(path, written));
    this.#queue = new SmallQueue({
      maxBytes: memoryBytes * queueShare,
      restMs,
      send: (path, response, body) => this.#sendSmall(path, response, body),
      onFull: () => options.onKept?.("queue_full", undefined),
    });
    this.#entryHome = {
      open: (entry, range) => this.#openRange(entry, range),
      rest: (entry, range) => this.#openRest(entry, range),
    };
    this.#writerHome = {
      smallBytes: this.#smallBytes,
      keepSmall: (response, body) => this.#keepSmall(response, body),
      openLarge: (response, expectedBytes) => this.#openLarge(response, expectedBytes),
    };
  }

  /** Of the memory. */
  get usedBytes(): number {
    return this.#memory.usedBytes;
  }

  /** Of the memory. */
  get budgetBytes(): number {
    return this.#memory.budgetBytes;
  }

  /** Of what is in memory. */
  get count(): number {
    return this.#memory.count;
  }

  /** What is in memory, waits for the store, or was recalled. */
  find(key: string): readonly StoredEntry[] {
    const inMemory = this.#memory.find(key);
    const others = [...this.#queue.find(key), ...this.#shown.get(key) ?? []];
    if (others.length === 0) return inMemory;
    const found = [...inMemory];
    for (const entry of others) {
      const { variant } = entry.response;
      if (!found.some(({ response }) => response.variant === variant)) found.push(entry);
    }
    return found;
  }

  /** Keeps what is used in memory; ATS and Varnish see for themselves what is read. */
  touch(entry: StoredEntry): void {
    if (!(entry instanceof PodEntry)) this.#memory.touch(entry);
  }

  /** Opens a writer. */
  open(response: StoredResponse, expectedBytes?: number): StoreWriter {
    return new PodWriter(response, expectedBytes, this.#writerHome);
  }

  /** Gives the bytes of an entry a newer head. */
  async update(entry: StoredEntry, response: StoredResponse): Promise<StoredEntry> {
    const origin = entry instanceof PodEntry ? entry : this.#origins.get(entry);
    if (origin !== undefined && !this.#isDead(origin.path, response.key, origin.written)) {
      this.#heads.set(origin.path, { written: origin.written, response });
    }
    if (entry instanceof PodEntry) return entry.withHead(response);
    const body = entry.memory ?? new Uint8Array(0);
    const held = this.#inMemory(entry);
    const updated = held && await this.#memory.update(held, response);
    if (origin === undefined && held !== undefined) this.#enqueue(response, body);
    const known = updated ?? memoryEntry(response, body);
    if (origin !== undefined) this.#origins.set(known, origin);
    return known;
  }

  /** Removes an entry here and in the store. */
  remove(entry: StoredEntry): void {
    const { response } = entry;
    const held = this.#inMemory(entry);
    if (held !== undefined) this.#memory.remove(held);
    const path = this.#pathOf(response);
    if (path !== undefined) {
      this.#queue.drop(path);
      // What a purge took is not believed anyway, and there may be a lot of it.
      if (!this.#options.isGone?.(response)) this.#removeAt(path);
    }
    const shown = this.#shown.get(response.key)?.filter((other) => other !== entry);
    if (shown !== undefined) this.#shown.set(response.key, shown);
  }

  /** Removes all variants of a key. */
  forget(key: string): void {
    this.#bury(key, this.#nextWritten());
    const path = storePath(this.#epoch, { key, variant: "" });
    if (path !== undefined) this.#removeAt(path);
  }

  /** What is in memory or waits for the store. */
  *entries(): Iterable<StoredEntry> {
    yield* this.#memory.entries();
    yield* this.#queue.entries();
  }

  /** Shows what an earlier process left. */
  release(): void {
    this.#heldBack = false;
  }

  /** Frees the bytes of a write, unless a later one took its place. */
  async free(path: string, written: number): Promise<void> {
    await this.#inTurn(path, async () => {
      const newest = this.#newest.get(path) ?? written;
      if (newest <= written && !this.#options.link.resting) await this.#options.link.purge(path);
    });
  }

  /** Gives up everything that was handed over so far. */
  discard(): void {
    this.#epoch = newEpoch();
    this.#dead.clear();
    this.#varies.clear();
    this.#options.onEpoch?.(this.#epoch);
  }

  /** Waits until everything that is to go to the store is there. */
  async settled(): Promise<void> {
    await Promise.all([this.#queue.flush(), ...this.#arriving]);
  }

  /** Hands over what waits, and closes the connections. */
  async close(): Promise<void> {
    await this.#queue.flush();
    this.#options.link.close();
  }

  /** Asks the store. */
  async recall(recall: Recall): Promise<Recalled | undefined> {
    if (this.#heldBack || this.#options.link.resting) return undefined;
    const look = await this.#lookFor(recall);
    if (look.kind === "nothing") return undefined;
    const { entry } = look;
    const { key } = entry.response;
    this.#shown.set(key, [entry, ...this.#shown.get(key) ?? []]);
    return {
      release: () => {
        const rest = (this.#shown.get(key) ?? []).filter((other) => other !== entry);
        if (rest.length === 0) this.#shown.delete(key);
        else this.#shown.set(key, rest);
        if (entry instanceof PodEntry) entry.release();
      },
    };
  }

  /** Follows the signpost of a key that varies, once. */
  async #lookFor(recall: Recall): Promise<Look> {
    const whole = recall.key.split(" ", 1)[0];
    for (let looks = 0; looks < 2; looks++) {
      const names = this.#varies.get(whole);
      const variant = names === undefined ? "" : variantKey(names.split(","), recall.fields);
      const path = storePath(this.#epoch, { key: recall.key, variant });
      if (path === undefined) return { kind: "nothing" };
      const look = await this.#lookOnce(path, recall);
      if (look.kind === "entry" || this.#varies.get(whole) === names) return look;
    }
    return { kind: "nothing" };
  }

  /** Those who look for the same at the same time look once, unless it is large. */
  async #lookOnce(path: string, recall: Recall): Promise<Look> {
    const busy = this.#looking.get(path);
    const found = busy && await busy;
    if (found !== undefined && found !== "large") return found;
    const looking = this.#look(path, recall);
    const shared = looking.then((look) =>
      look.kind === "entry" && look.entry instanceof PodEntry ? "large" : look
    );
    this.#looking.set(path, shared);
    try {
      return await looking;
    } finally {
      if (this.#looking.get(path) === shared) this.#looking.delete(path);
    }
  }

  async #look(path: string, recall: Recall): Promise<Look> {
    const { link } = this.#options;
    const { request } = recall;
    const value = fieldValue(request?.fields ?? [], "range");
    const range = request?.method === "GET" && value && rangeField.test(value) ? value : undefined;
    const method = request?.method === "HEAD" ? "HEAD" : "GET";
    const answer = await link.look(path, { method, range }) ??
      (range === undefined ? undefined : await link.look(path, { method: "HEAD" }));
    if (answer === undefined) return { kind: "nothing" };
    const entry = await this.#read(path, answer, { recall, method });
    return entry === undefined ? { kind: "nothing" } : { kind: "entry", entry };
  }

  /** Makes an entry of the store's answer, if it may be believed. */
  async #read(
    path: string,
    answer: NextHopResponse,
    { recall, method }: { recall: Recall; method: string },
  ): Promise<StoredEntry | undefined> {
    const object = readStoreFields(answer.fields);
    const size = sizeOf(answer);
    const usable = object !== undefined && !this.#unfinished.has(object.written) &&
      !this.#isDead(path, recall.key, object.written);
    if (usable && object.kind === "signpost") this.#varies.set(recall.key, object.vary.join(","));
    if (!usable || object.kind !== "response" || size === undefined) {
      if (object === undefined) this.#options.link.badHead();
      await answer.body.cancel();
      return undefined;
    }
    const { written } = object;
    const newer = this.#heads.get(path);
    const response = newer?.written === written ? newer.response : object.response;
    const sound = response.key === recall.key && this.#pathOf(response) === path;
    if (!sound || !recall.wanted(response)) {
      await answer.body.cancel();
      if (sound) this.#removeAt(path);
      return undefined;
    }
    const [start, end] = size.range;
    const whole = start === 0 && end === size.bodyBytes;
    if (method === "GET" && whole && size.bodyBytes <= wholeReadBytes) {
      const body = await wholeOf(answer, size.bodyBytes);
      return body && !this.#isDead(path, recall.key, written)
        ? this.#inMemoryFromNow(response, body, { path, written })
        : undefined;
    }
    const open: OpenBody[] = method === "GET" ? [{ range: size.range, stream: answer.body }] : [];
    return new PodEntry(response, size.bodyBytes, path, written, this.#entryHome, open);
  }

  #inMemoryFromNow(
    response: StoredResponse,
    body: Uint8Array,
    origin: { path: string; written: number },
  ): StoredEntry {
    const newer = this.#memory.find(response.key).find(({ response: { variant } }) =>
      variant === response.variant
    );
    if (newer !== undefined) return newer;
    const small = body.length <= this.#smallBytes;
    const entry = (small ? this.#memory.put(response, body) : undefined) ??
      memoryEntry(response, body);
    this.#origins.set(entry, origin);
    return entry;
  }

  #keepSmall(response: StoredResponse, body: Uint8Array): StoredEntry | undefined {
    const entry = this.#memory.put(response, body);
    return this.#enqueue(response, body) ? entry ?? memoryEntry(response, body) : entry;
  }

  /** Puts a small object in line for the store, where it hides what the store has at that path. */
  #enqueue(response: StoredResponse, body: Uint8Array): boolean {
    const path = this.#pathOf(response);
    if (path === undefined) return false;
    this.#bury(path, this.#nextWritten());
    this.#queue.put(path, response, body);
    return true;
  }

  async #sendSmall(path: string, response: StoredResponse, body: Uint8Array): Promise<void> {
    const { link, handover } = this.#options;
    const written = this.#nextWritten();
    const fields = storeFields({ kind: "response", written, response });
    const told = { path, response, written };
    this.#newest.set(path, written);
    if (fields === undefined) return this.#options.onKept?.("long_head", told);
    if (link.resting) return this.#options.onKept?.("resting", told);
    await this.#postSign(response);
    this.#unfinished.add(written);
    const kept = await this.#inTurn(path, async () => {
      const ticket = handover.offer(offerOf(fields, body));
      const done = await link.fill(path, ticket);
      return !handover.withdraw(ticket) && done && await this.#isThere(path, written);
    });
    if (!kept) this.#bury(path, written);
    this.#unfinished.delete(written);
    this.#options.onKept?.(kept ? "kept" : "failed", told);
  }

  #openLarge(
    response: StoredResponse,
    expectedBytes: number | undefined,
  ): LargeWriter | undefined {
    const { link, handover, onKept } = this.#options;
    const path = this.#pathOf(response);
    if (path === undefined) return undefined;
    const written = this.#nextWritten();
    const fields = storeFields({ kind: "response", written, response });
    if (fields === undefined || link.resting) {
      onKept?.(fields === undefined ? "long_head" : "resting", { path, response, written });
      return undefined;
    }
    this.#unfinished.add(written);
    this.#newest.set(path, written);
    const after = this.#busy.get(path);
    const large = new LargeHandover(
      { path, fields, bodyBytes: expectedBytes, after },
      { link, handover },
    );
    let bodyBytes = 0;
    const { promise: ended, resolve: settle } = Promise.withResolvers<void>();
    this.#arriving.add(ended);
    void this.#inTurn(path, () => ended);
    const end = (kept: boolean, word: KeptResult) => {
      if (!kept) this.#bury(path, written);
      this.#unfinished.delete(written);
      this.#arriving.delete(ended);
      settle();
      onKept?.(word, { path, response, written });
    };
    return {
      write: (chunk) => {
        bodyBytes += chunk.length;
        return large.write(chunk);
      },
      commit: async (final) => {
        this.#queue.drop(path);
        this.#bury(path, written - 1);
        const inMemory = this.#memory.find(final.key).find(({ response: { variant } }) =>
          variant === final.variant
        );
        if (inMemory !== undefined) this.#memory.remove(inMemory);
        await this.#postSign(final);
        const kept = await large.commit() && await this.#isThere(path, written);
        if (kept && final !== response) this.#heads.set(path, { written, response: final });
        end(kept, kept ? "kept" : "failed");
        return kept ? new PodEntry(final, bodyBytes, path, written, this.#entryHome) : undefined;
      },
      abort: async () => {
        await large.abort();
        end(false, "given_up");
      },
    };
  }

  /**
   * Whether the store shows what it was given. ATS does so a moment after it answered the fill; until
   * then the object is found here, or would be fetched twice.
   */
  async #isThere(path: string, written: number): Promise<boolean> {
    for (let looks = 0; looks < mostConfirming; looks++) {
      if (looks > 0) await new Promise((resolve) => setTimeout(resolve, 4 * looks));
      const answer = await this.#options.link.look(path, { method: "HEAD" });
      await answer?.body.cancel();
      if (answer && readStoreFields(answer.fields)?.written === written) return true;
    }
    return false;
  }

  /** Says at the path of a key that varies which fields choose. */
  async #postSign({ key, variant }: StoredResponse): Promise<void> {
    const chosen = chosenBy(variant);
    const path = storePath(this.#epoch, { key, variant: "" });
    if (chosen === undefined || path === undefined || key.includes(" ")) return;
    const vary = varyOf(chosen);
    if (vary.length === 0) return this.#varies.delete(key);
    const names = vary.join(",");
    if (this.#varies.get(key) === names) return;
    const written = this.#nextWritten();
    this.#bury(path, written - 1);
    const { link, handover } = this.#options;
    const fields = storeFields({ kind: "signpost", written, vary });
    if (fields === undefined) return;
    await this.#inTurn(path, async () => {
      const ticket = handover.offer(offerOf(fields, new Uint8Array(0)));
      const done = await link.fill(path, ticket);
      if (!handover.withdraw(ticket) && done) this.#varies.set(key, names);
    });
  }

  async #openRange(
    { path, written, bodyBytes }: PodEntry,
    [start, end]: ByteRange,
  ): Promise<ReadableStream<Uint8Array> | undefined> {
    const range = start === 0 && end === bodyBytes ? undefined : `bytes=${start}-${end - 1}`;
    const answer = await this.#options.link.look(path, { range });
    if (answer === undefined) return undefined;
    const same = readStoreFields(answer.fields)?.written === written;
    if (same && sizeOf(answer)?.range[0] === start) return answer.body;
    await answer.body.cancel();
    return undefined;
  }

  async #openRest(
    { response, bodyBytes }: PodEntry,
    range: ByteRange,
  ): Promise<ReadableStream<Uint8Array> | undefined> {
    const { nextHop, appliedSeq = () => 0 } = this.#options;
    if (nextHop === undefined) return undefined;
    return await restOf(response, range, { bodyBytes, nextHop, appliedSeq: appliedSeq() });
  }

  #removeAt(path: string): void {
    this.#queue.drop(path);
    this.#bury(path, this.#nextWritten());
    void this.#inTurn(path, () => this.#options.link.purge(path));
  }

  /** Does something at a path after what was begun there before. */
  #inTurn<T>(path: string, work: () => Promise<T>): Promise<T> {
    const before = this.#busy.get(path) ?? Promise.resolve();
    const done = before.then(work, work);
    this.#busy.set(path, done);
    const end = () => {
      if (this.#busy.get(path) === done) this.#busy.delete(path);
    };
    done.then(end, end);
    return done;
  }

  #inMemory({ response }: StoredEntry): StoredEntry | undefined {
    return this.#memory.find(response.key).find((held) => held.response === response);
  }

  #pathOf(response: StoredResponse): string | undefined {
    const chosen = chosenBy(response.variant);
    return chosen === undefined
      ? undefined
      : storePath(this.#epoch, { key: response.key, variant: chosen });
  }

  #bury(place: string, written: number): void {
    if ((this.#dead.get(place) ?? -1) < written) this.#dead.set(place, written);
  }

  #isDead(path: string, key: string, written: number): boolean {
    return written <= (this.#dead.get(path) ?? -1) || written <= (this.#dead.get(key) ?? -1);
  }

  /** Grows with each write, also over restarts: a clock that steps back costs misses, no more. */
  #nextWritten(): number {
    return this.#lastWritten = Math.max(this.#lastWritten + 1, Date.now() * 1000);
  }
}

/** Makes a name for what is kept from now on. */
export function newEpoch(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 12);
}

/** ATS does not put an object without a body in the place of another: such have a blank for one. */
function offerOf(fields: Fields, body: Uint8Array): Offer {
  if (body.length > 0) return { fields, bodyBytes: body.length, body };
  return { fields: [...fields, ["downlink-empty", "1"]], bodyBytes: 1, body: Uint8Array.of(0x20) };
}

async function wholeOf({ body }: NextHopResponse, bytes: number): Promise<Uint8Array | undefined> {
  if (bytes > 0) return await readWhole(body, bytes);
  await readWhole(body, 1);
  return new Uint8Array(0);
}

/** Which part of how much the store answered with. */
function sizeOf(
  { status, fields }: NextHopResponse,
): { range: ByteRange; bodyBytes: number } | undefined {
  if (fieldValue(fields, "downlink-empty") === "1") return { range: [0, 0], bodyBytes: 0 };
  if (status === 206) {
    const { range, completeBytes } = parseContentRange(fieldValue(fields, "content-range") ?? "") ??
      {};
    if (range === undefined || completeBytes === undefined) return undefined;
    return { range, bodyBytes: completeBytes };
  }
  const length = fieldValue(fields, "content-length") ?? "";
  if (!/^\d{1,15}$/.test(length)) return undefined;
  return { range: [0, Number(length)], bodyBytes: Number(length) };
}
